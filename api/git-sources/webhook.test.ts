import { createHmac } from 'node:crypto';
import examples from '@octokit/webhooks-examples';
import { describe, expect, it } from 'vitest';
import { readWebhook, verifyWebhook } from './webhook.ts';

const secret = 'a-secret-of-the-webhook';
const hmac = (body: string | Buffer, key = secret) => createHmac('sha256', key).update(body).digest('hex');
const request = (headers: Record<string, string>, body: unknown) => ({
  headers,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const githubExamples = (name: string): object[] => {
  const found = (examples as unknown as { name: string; examples: object[] }[]).find(
    (each) => each.name === name,
  );
  return found?.examples ?? [];
};

// https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events
const gitlabPush = {
  object_kind: 'push',
  event_name: 'push',
  before: '95790bf891e76fee5e1747ab589903a6a1f80f22',
  after: 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7',
  ref: 'refs/heads/main',
  ref_protected: true,
  checkout_sha: 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7',
  user_name: 'John Smith',
  project: { id: 15, name: 'Diaspora', web_url: 'http://example.com/mike/diaspora' },
  commits: [],
  total_commits_count: 4,
};
// https://docs.gitea.com/usage/webhooks
const giteaPush = {
  ref: 'refs/heads/develop',
  before: '28e1879d029cb852e4844d9c718537df08844e03',
  after: 'bffeb74224043ba2feb48d137756c8a9331c449a',
  compare_url: 'http://localhost:3000/gitea/webhooks/compare/28e1879d...bffeb742',
  commits: [],
  repository: { id: 140, name: 'webhooks', full_name: 'gitea/webhooks', default_branch: 'master' },
  pusher: { id: 1, login: 'gitea' },
};

describe('the signature of a webhook', () => {
  it('is right for each host with the secret, and wrong with anything else', () => {
    const body = JSON.stringify(giteaPush);
    const right: Record<string, string>[] = [
      { 'x-hub-signature-256': `sha256=${hmac(body)}` },
      { 'x-gitlab-token': secret },
      // Gitea sends GitHub's header, too
      { 'x-gitea-signature': hmac(body), 'x-hub-signature-256': `sha256=${hmac(body)}` },
    ];
    for (const headers of right) expect(verifyWebhook(request(headers, body), secret)).toBe('valid');
    const wrong: Record<string, string>[] = [
      { 'x-hub-signature-256': `sha256=${hmac(body, 'another')}` },
      { 'x-hub-signature-256': hmac(body) },
      { 'x-hub-signature-256': `sha256=${hmac(`${body} `)}` },
      { 'x-hub-signature-256': 'sha256=' },
      { 'x-hub-signature-256': '' },
      { 'x-gitlab-token': '' },
      { 'x-gitlab-token': `${secret}x` },
      { 'x-gitea-signature': `sha256=${hmac(body)}` },
      // a wrong signature is not made good by another header
      { 'x-gitea-signature': hmac(body, 'another'), 'x-gitlab-token': secret },
    ];
    for (const headers of wrong) expect(verifyWebhook(request(headers, body), secret)).toBe('wrong');
    expect(verifyWebhook(request({ 'x-hub-signature': 'sha1=abc' }, body), secret)).toBe('missing');
  });

  it("is GitHub's own for its documented example", () => {
    // https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const received = request({ 'x-hub-signature-256': signature }, 'Hello, World!');
    expect(verifyWebhook(received, "It's a Secret to Everybody")).toBe('valid');
  });
});

describe('what a webhook tells', () => {
  it('is the branch of a push, by GitHub, as JSON or as a form', () => {
    const pushes = githubExamples('push');
    expect(pushes.length).toBeGreaterThan(0);
    for (const push of pushes) {
      const { ref, deleted } = push as { ref: string; deleted: boolean };
      const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
      const expected = branch
        ? { kind: 'push', branch, deleted }
        : { kind: 'other', what: 'a push of a tag' };
      expect(readWebhook(request({ 'x-github-event': 'push' }, push))).toEqual(expected);
      const form = new URLSearchParams({ payload: JSON.stringify(push) }).toString();
      const headers = { 'x-github-event': 'push', 'content-type': 'application/x-www-form-urlencoded' };
      expect(readWebhook(request(headers, form))).toEqual(expected);
    }
  });

  it('is nothing to do for every other event of GitHub', () => {
    for (const { name, examples: payloads } of examples as unknown as {
      name: string;
      examples: object[];
    }[]) {
      if (name === 'push') continue;
      for (const payload of payloads) {
        expect(readWebhook(request({ 'x-github-event': name }, payload))).toEqual({
          kind: 'other',
          what: name,
        });
      }
    }
  });

  it('is the branch of a push by GitLab and Gitea', () => {
    expect(readWebhook(request({ 'x-gitlab-event': 'Push Hook' }, gitlabPush))).toEqual({
      kind: 'push',
      branch: 'main',
      deleted: false,
    });
    const removal = { ...gitlabPush, after: '0'.repeat(40) };
    expect(readWebhook(request({ 'x-gitlab-event': 'Push Hook' }, removal))).toMatchObject({ deleted: true });
    expect(readWebhook(request({ 'x-gitlab-event': 'Tag Push Hook' }, gitlabPush))).toMatchObject({
      kind: 'other',
    });
    const gitea = { 'x-gitea-event': 'push', 'x-github-event': 'push' };
    expect(readWebhook(request(gitea, giteaPush))).toEqual({
      kind: 'push',
      branch: 'develop',
      deleted: false,
    });
  });

  it('is nothing where the body makes no sense', () => {
    for (const body of ['', '{', 'null', '[]', '{"ref": 1}', '{"ref": "refs/heads/"}', '{"ref": "main"}']) {
      expect(readWebhook(request({ 'x-github-event': 'push' }, body)).kind).toBe('other');
    }
  });
});
