import examples from '@octokit/webhooks-examples';
import { describe, expect, it } from 'vitest';
import { readGithub } from './github.ts';
import type { ChangeMapping, ChangeReport, ReadChange } from './report.ts';

const mapping: ChangeMapping = { services: {}, environment: null, deploys: [], fields: {} };
// biome-ignore lint/suspicious/noExplicitAny: payloads as GitHub published them
const payloads = (event: string): any[] =>
  (examples as unknown as { name: string; examples: unknown[] }[]).find(({ name }) => name === event)
    ?.examples ?? [];
const change = (read: ReadChange): ChangeReport => {
  if (!('change' in read)) throw new Error(JSON.stringify(read));
  return read.change;
};

describe("GitHub's published payloads", () => {
  it('are read, every one of the four events, as a change or with why there is none', () => {
    for (const event of ['deployment', 'deployment_status', 'workflow_run', 'push']) {
      const all = payloads(event);
      expect(all.length).toBeGreaterThan(3);
      for (const payload of all) expect(readGithub(event, payload, mapping)).not.toHaveProperty('invalid');
    }
  });

  it('a deployment and its status are one change that succeeds', () => {
    const [created] = payloads('deployment');
    const [succeeded] = payloads('deployment_status');
    const begun = change(readGithub('deployment', created, mapping));
    const ended = change(readGithub('deployment_status', succeeded, mapping));
    expect(begun).toEqual({
      externalId: 'deployment:Codertocat/Hello-World:145988746',
      type: 'deployment',
      status: 'started',
      service: 'Hello-World',
      environment: 'production',
      title: 'Deployment of Hello-World to production',
      version: 'f95f852',
      previousVersion: null,
      author: 'Codertocat',
      url: 'https://github.com/Codertocat/Hello-World/deployments',
      at: Date.parse('2019-05-15T15:20:53Z'),
      begins: false,
      data: {
        Repository: 'Codertocat/Hello-World',
        Ref: 'master',
        Commit: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
        Task: 'deploy',
      },
    });
    expect(ended).toMatchObject({ externalId: begun.externalId, status: 'succeeded', begins: false });
  });

  it('a deployment begins when it is in progress; queued, waiting and inactive say nothing of it', () => {
    const inProgress = payloads('deployment_status')[1];
    expect(change(readGithub('deployment_status', inProgress, mapping))).toMatchObject({
      status: 'started',
      begins: true,
      environment: 'github-pages',
      url: 'https://github.com/CorsixTH/CorsixTH/runs/4687056418?check_suite_focus=true',
    });
    for (const state of ['queued', 'pending', 'waiting', 'inactive', 'constructor']) {
      const payload = {
        ...inProgress,
        deployment_status: { ...inProgress.deployment_status, state },
      };
      expect(readGithub('deployment_status', payload, mapping)).toEqual({
        ignored: `a deployment that is ${state}`,
      });
    }
  });

  it("a ref that is a version, or one in the deployment's own payload, is its version", () => {
    const [created] = payloads('deployment');
    const of = (deployment: object) =>
      change(
        readGithub(
          'deployment',
          { ...created, deployment: { ...created.deployment, ...deployment } },
          mapping,
        ),
      ).version;
    expect(of({ ref: 'v2.3.1' })).toBe('v2.3.1');
    expect(of({ ref: 'refs/tags/2.3.1-rc.1' })).toBe('2.3.1-rc.1');
    expect(of({ ref: 'v2.3.1', payload: { version: '2026-11-21' } })).toBe('2026-11-21');
    expect(of({ ref: 'main' })).toBe('f95f852');
  });

  it('a workflow run that deploys is told from one that tests, and each attempt is its own', () => {
    const completed = payloads('workflow_run')[1];
    const tested = change(readGithub('workflow_run', completed, mapping));
    expect(tested).toMatchObject({
      externalId: 'workflow_run:octo-org/octo-repo:289782451:1',
      type: 'code',
      status: 'succeeded',
      service: 'octo-repo',
      title: 'test: ci(action): update actions/setup-node digest to 8c91899',
      version: '3484a3f',
      author: 'Codertocat',
      at: Date.parse('2020-10-05T16:33:49Z'),
    });
    const run = (changes: object, deploys: string[] = []) =>
      readGithub(
        'workflow_run',
        { ...completed, workflow_run: { ...completed.workflow_run, ...changes } },
        { ...mapping, deploys },
      );
    expect(change(run({ name: 'Deploy to production' })).type).toBe('deployment');
    expect(change(run({ name: 'Deploy to production' }, ['ship it'])).type).toBe('code');
    expect(change(run({ name: 'Ship it' }, ['ship it'])).type).toBe('deployment');
    expect(change(run({ run_attempt: 2 })).externalId).not.toBe(tested.externalId);
    expect(change(run({ conclusion: null, status: 'in_progress' })).status).toBe('started');
    expect(change(run({ conclusion: 'timed_out' })).status).toBe('failed');
    expect(run({ conclusion: 'skipped' })).toHaveProperty('ignored');
  });

  it('a push counts on the default branch and as a tag, by what it touches', () => {
    const pushes = payloads('push').map((payload) => readGithub('push', payload, mapping));
    expect(pushes.filter((read) => 'change' in read)).toHaveLength(3);
    const branch = payloads('push').find(({ ref }) => ref === 'refs/heads/master');
    const of = (changes: object) => readGithub('push', { ...branch, ...changes }, mapping);
    expect(change(of({}))).toMatchObject({
      externalId: 'push:Codertocat/Hello-World:6113728f27ae82c7b1a177c8d03f9e96e0adf246',
      type: 'code',
      status: 'succeeded',
      title: 'Initial commit',
      version: '6113728',
      author: 'Codertocat',
      at: 1_557_933_657_000,
    });
    const touching = (modified: string[]) => ({ commits: [{ added: [], removed: [], modified }] });
    expect(change(of(touching(['values/production.yaml', 'a.json']))).type).toBe('config');
    expect(change(of(touching(['package.json']))).type).toBe('code');
    expect(change(of(touching(['main.tf', 'prod.tfvars']))).type).toBe('infrastructure');
    expect(change(of(touching(['a.yaml', 'main.go']))).type).toBe('code');
    expect(of({ ref: 'refs/heads/topic' })).toHaveProperty('ignored');
    expect(of({ deleted: true })).toHaveProperty('ignored');
    expect(change(of({ ref: 'refs/tags/v1.0.0' }))).toMatchObject({
      version: 'v1.0.0',
      title: 'Tag v1.0.0: Initial commit',
    });
  });

  it('a repository is the service that the source says, by its full or its own name', () => {
    const [created] = payloads('deployment');
    const service = (services: Record<string, string>) =>
      change(readGithub('deployment', created, { ...mapping, services })).service;
    expect(service({ 'Codertocat/Hello-World': 'greeter', 'Hello-World': 'other' })).toBe('greeter');
    expect(service({ 'Hello-World': 'other' })).toBe('other');
    expect(service({ constructor: 'x' })).toBe('Hello-World');
  });
});

it('ignores other events and refuses a message that lacks what it is about', () => {
  expect(readGithub('ping', { zen: 'Keep it logically awesome.' }, mapping)).toEqual({
    ignored: 'nothing to do for ping',
  });
  for (const event of ['deployment', 'deployment_status', 'workflow_run', 'push']) {
    for (const payload of [undefined, null, [], 'text', {}, { deployment: { id: 1 } }]) {
      expect(readGithub(event, payload, mapping)).toHaveProperty('invalid');
    }
  }
});

it('keeps texts short and on one line, and leads to no other links than http', () => {
  const completed = payloads('workflow_run')[1];
  const report = change(
    readGithub(
      'workflow_run',
      {
        ...completed,
        workflow_run: {
          ...completed.workflow_run,
          display_title: `a\nb\u0000c ${'x'.repeat(5000)}`,
          html_url: 'javascript:alert(1)',
          head_branch: 'y'.repeat(5000),
        },
      },
      mapping,
    ),
  );
  expect(report.title).toHaveLength(300);
  expect(report.title).toMatch(/^test: a b c x/);
  expect(report.url).toBeNull();
  expect(report.data.Branch).toHaveLength(200);
});
