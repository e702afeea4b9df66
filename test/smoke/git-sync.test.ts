import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldfastClient, holdfastClient } from '../harness/holdfast-client.ts';
import { makePlace, type Place, type Stack, startStack, waitFor } from '../harness/stack.ts';
import { type GitHttpServer, startGitHttp } from '../parts/git-http.ts';
import { createGitRepository, type GitRepository } from '../parts/git-repository.ts';
import { type SmtpReceiver, startSmtp } from '../parts/smtp.ts';

let place: Place;
let smtp: SmtpReceiver;
let repository: GitRepository;
let http: GitHttpServer;
let stack: Stack | undefined;
let holdfast: HoldfastClient;

beforeAll(async () => {
  place = await makePlace();
  smtp = await startSmtp();
  repository = await createGitRepository();
  http = await startGitHttp(repository.root);
  http.credential = { user: 'git', password: 'token-of-the-smoke-test' };
  stack = await startStack(place, {
    SMTP_URL: smtp.url,
    HOLDFAST_SECRET_GIT_TOKEN: 'token-of-the-smoke-test',
  });
  holdfast = holdfastClient(place.url);
}, 150_000);
afterAll(async () => {
  await stack?.kill();
  await http?.close();
  await repository?.close();
  await smtp?.close();
  await place?.remove();
});

/** Waits for `go`, if there is one, then says which version it is. */
const report = (version: string, go = '/') => `
name: report
inputs:
  go: { default: ${go} }
execution:
  mode: manual
  cooldown: 0
steps:
  - name: Say it
    command: while [ ! -e {{go}} ]; do sleep 0.1; done; echo version ${version}
`;
const push = (version: string, go?: string) =>
  repository.push({ files: { 'ops/report.yaml': report(version, go) }, subject: `Version ${version}` });

test('pushes come in by webhook and schedule, broken ones change nothing, and a version is rolled back', {
  timeout: 180_000,
}, async () => {
  const go = join(place.folder, 'go');
  await push('one', go);
  const made = await holdfast.post('/api/v1/git-sources', {
    url: http.urlOf('runbooks'),
    path: 'ops',
    environment: 'staging',
    credential: 'env:GIT_TOKEN',
  });
  const path = `/api/v1/git-sources/${made.id}`;
  const source = () => holdfast.get(path);
  const runbook = () => holdfast.get('/api/v1/runbooks/staging:report');
  const imported = (commit: string) =>
    waitFor(`commit ${commit} to be imported`, async () => (await source()).importedCommit === commit);
  const deliver = async (ref = 'refs/heads/main') => {
    const body = JSON.stringify({ ref });
    const signature = createHmac('sha256', made.webhookSecret).update(body).digest('hex');
    return await fetch(`${made.webhookUrl}`, {
      method: 'POST',
      headers: { 'X-GitHub-Event': 'push', 'X-Hub-Signature-256': `sha256=${signature}` },
      body,
    });
  };
  await waitFor('the first import', async () => (await source()).importedCommit !== null);
  expect(await runbook()).toMatchObject({ version: 1, source: report('one', go) });

  // an execution that runs keeps the version that it began with
  const { id } = await holdfast.post('/api/v1/runbooks/staging:report/run', { inputs: {} });
  const execution = () => holdfast.get(`/api/v1/executions/${id}`);
  await waitFor('the execution to run', async () => {
    const { status, statusReason } = await execution();
    if (status === 'failed' || status === 'cancelled') throw new Error(String(statusReason));
    return status === 'running';
  });
  await push('two');
  const three = await push('three');
  for (const answer of [await deliver(), await deliver()]) expect(answer.status).toBe(202);
  await imported(three);
  expect(await runbook()).toMatchObject({ source: report('three') });
  await writeFile(go, '');
  await waitFor('the execution to end', async () => (await execution()).status === 'succeeded');
  expect((await execution()).steps[0].output).toContain('version one');

  // two pushes in quick succession end with the newest
  const before = (await runbook()).version;
  await push('four');
  const first = deliver();
  const five = await push('five');
  await Promise.all([first, deliver()]);
  await imported(five);
  expect((await runbook()).source).toBe(report('five'));
  expect((await runbook()).version).toBeLessThanOrEqual(before + 2);

  // a broken push changes nothing and tells its author, once
  const bad = await repository.push({
    files: {
      'ops/report.yaml': 'name: report\nsteps: []\n',
      'ops/other.yaml': report('x').replace('report', 'other'),
    },
    author: { name: 'Ben', email: 'ben@example.com' },
  });
  await deliver();
  await waitFor('the push to be refused', async () => (await source()).checkedCommit === bad);
  const refusals = () => smtp.mails.filter(({ email }) => /^\[runbooks\]/.test(email.subject ?? ''));
  await waitFor('the mail to its author', () => refusals().length > 0);
  const { checkedAt, lastImport } = await source();
  await holdfast.post(`${path}/sync`);
  await waitFor('another look', async () => (await source()).checkedAt > checkedAt);
  expect((await source()).lastImport.at).toBe(lastImport.at);
  expect(await source()).toMatchObject({
    importedCommit: five,
    lastImport: { status: 'refused', problems: [{ file: 'ops/report.yaml', line: expect.any(Number) }] },
  });
  expect((await runbook()).source).toBe(report('five'));
  expect(refusals().map(({ envelopeTo, email }) => [envelopeTo, email.subject])).toEqual([
    [['ben@example.com'], expect.stringMatching(/^\[runbooks\] \w+ was refused: 1 problem in your push$/)],
  ]);

  // a repository that is away says so, and recovers
  http.respond = (_request, response) => response.socket?.destroy();
  await holdfast.post(`${path}/sync`);
  await waitFor('the error', async () => (await source()).error !== null);
  http.respond = undefined;
  const six = await repository.push({ files: { 'ops/report.yaml': report('six'), 'ops/other.yaml': null } });
  await deliver();
  await imported(six);
  expect(await source()).toMatchObject({ error: null, runbooks: 1 });

  // rolled back until unpinned
  const { version: latest } = await runbook();
  expect(await holdfast.post('/api/v1/runbooks/staging:report/pin', { version: 1 })).toMatchObject({
    version: 1,
    latestVersion: latest,
  });
  await deliver();
  await imported(await push('seven'));
  expect(await runbook()).toMatchObject({ version: 1, source: report('one', go) });
  await holdfast.post('/api/v1/runbooks/staging:report/unpin');
  expect(await runbook()).toMatchObject({ version: latest + 1, source: report('seven') });
  expect(await stack?.output()).not.toContain('token-of-the-smoke-test');
});
