import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { recordImport } from '../../db/git-sources.ts';
import { saveRunbook } from '../../db/runbooks.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  api.gitSchedules.failure = undefined;
  api.gitSchedules.synced.length = 0;
  api.gitSchedules.kept.clear();
  await api.fixture.owner.query(
    'delete from runbook_versions; delete from runbooks; delete from git_sources; delete from audit_log',
  );
});

const base = '/api/v1/git-sources';
const url = 'https://git.example.com/acme/runbooks.git';
const ask = (method: string, path: string, body?: unknown, token = api.tokens.admin) =>
  api.ask(method, path, { token, ...(body === undefined ? {} : { body }) });
const add = async (body: object = {}) => (await ask('POST', base, { url, ...body })).body;

test('a source is added with its schedule and shows the secret of its webhook once', async () => {
  const { status, body } = await ask('POST', base, {
    url,
    credential: 'env:GIT_TOKEN',
    path: '/ops/runbooks/',
  });
  expect(status).toBe(201);
  expect(body).toMatchObject({
    url,
    branch: 'main',
    path: 'ops/runbooks',
    credential: 'env:GIT_TOKEN',
    environment: '',
    intervalSeconds: 300,
    webhookUrl: `http://holdfast.example${base}/${body.id}/webhook`,
    webhookSecret: expect.stringMatching(/^[0-9a-f]{64}$/),
    lastImport: null,
    error: null,
  });
  expect(api.gitSchedules.kept).toEqual(new Map([[body.id, 300_000]]));
  expect(api.gitSchedules.synced).toEqual([body.id]);
  const shown = await ask('GET', `${base}/${body.id}`, undefined, api.tokens.viewer);
  expect(JSON.stringify([shown.body, (await ask('GET', base)).body])).not.toContain(body.webhookSecret);
  const audit = await api.fixture.owner.query('select action, actor, data from audit_log');
  expect(audit.rows).toMatchObject([{ action: 'git-source.created', actor: 'admin@example.com' }]);
  expect(JSON.stringify(audit.rows)).not.toContain(body.webhookSecret);
});

test('one environment has one source', async () => {
  await add({ environment: 'staging' });
  const twin = await ask('POST', base, { url, environment: 'staging' });
  expect(twin).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/environment staging has a source/) },
  });
  expect((await ask('POST', base, { url, environment: 'production' })).status).toBe(201);
});

test('what git must not be given is refused with the field and the remedy', async () => {
  const cases: [object, string, RegExp][] = [
    [{ url: 'ext::sh -c id' }, 'url', /without spaces/],
    [{ url: 'ext::sh' }, 'url', /begins with https/],
    [{ url: '--upload-pack=id' }, 'url', /begins with https/],
    [{ url: 'ssh://-oProxyCommand=id/x' }, 'url', /host|URL/],
    [{ url: '-oProxyCommand=id@host:x' }, 'url', /begins with https/],
    [{ url: 'https://user:password@git.example.com/a' }, 'url', /take the password out/],
    [{ url: 'http://169.254.169.254/latest' }, 'url', /link-local/],
    [{ url: 'git://git.example.com/a' }, 'url', /begins with https/],
    [{ branch: '-b' }, 'branch', /branch's name alone/],
    [{ branch: 'a..b' }, 'branch', /branch's name alone/],
    [{ branch: 'a b' }, 'branch', /branch's name alone/],
    [{ path: '../etc' }, 'path', /folder inside/],
    [{ credential: 'hunter2' }, 'credential', /never the secret/],
    [{ credential: 'file:../x' }, 'credential', /never the secret/],
    [{ environment: 'a b' }, 'environment', /letters, digits/],
    [{ intervalSeconds: 5 }, 'intervalSeconds', /once a minute/],
    [{ surprise: 1 }, 'body', /./],
  ];
  for (const [settings, field, message] of cases) {
    const { status, body } = await ask('POST', base, { url, ...settings });
    expect([settings, status, body.errors?.[0]]).toEqual([
      settings,
      400,
      { field, message: expect.stringMatching(message) },
    ]);
  }
  expect((await ask('POST', base, { url: 'git@git.example.com:acme/runbooks.git' })).status).toBe(201);
});

test('an Admin alone may change sources; nothing is half done while Temporal is away', async () => {
  for (const token of [api.tokens.viewer, api.tokens.operator]) {
    expect((await ask('POST', base, { url }, token)).status).toBe(403);
  }
  api.gitSchedules.failure = new TemporalUnavailableError('Temporal does not answer');
  expect((await ask('POST', base, { url })).status).toBe(503);
  expect((await ask('GET', base)).body).toEqual({ items: [] });
});

test('a source is changed, asked to sync, and removed with its runbooks', async () => {
  const { id } = await add();
  const changed = await ask('PUT', `${base}/${id}`, { url, branch: 'release', intervalSeconds: 60 });
  expect(changed).toMatchObject({ status: 200, body: { branch: 'release', intervalSeconds: 60 } });
  expect(api.gitSchedules.kept.get(id)).toBe(60_000);
  expect(await ask('POST', `${base}/${id}/sync`)).toMatchObject({ status: 202, body: { id } });
  expect(api.gitSchedules.synced).toEqual([id, id, id]);
  expect((await ask('DELETE', `${base}/${id}`)).status).toBe(204);
  expect(api.gitSchedules.kept.size).toBe(0);
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PUT', '', { url }],
    ['DELETE', '', undefined],
    ['POST', '/sync', undefined],
    ['GET', '/imports', undefined],
    ['POST', '/webhook-secret', undefined],
  ] as const) {
    expect((await ask(method, `${base}/${id}${path}`, body)).status).toBe(404);
  }
});

test('imports come in pages, newest first', async () => {
  const { id } = await add();
  for (const [index, letter] of ['a', 'b', 'c'].entries()) {
    await api.write((tx) =>
      recordImport(tx, {
        orgId: api.orgId,
        sourceId: id,
        commit: {
          id: letter.repeat(40),
          author: 'Ana',
          authorEmail: 'ana@example.com',
          committedAt: `2026-11-2${index}T00:00:00Z`,
          subject: `Commit ${letter}\u0000`,
        },
        status: 'refused',
        problems: [{ file: 'a.yaml', line: 1, col: 2, message: 'wrong' }],
      }),
    );
  }
  const first = (await ask('GET', `${base}/${id}/imports?limit=2`, undefined, api.tokens.viewer)).body;
  expect(first.items.map(({ subject }: { subject: string }) => subject)).toEqual(['Commit c', 'Commit b']);
  const second = (await ask('GET', `${base}/${id}/imports?limit=2&cursor=${first.nextCursor}`)).body;
  expect(second.items).toMatchObject([
    { subject: 'Commit a', problems: [{ file: 'a.yaml', line: 1, col: 2 }] },
  ]);
  expect(second.nextCursor).toBeNull();
});

const push = (ref = 'refs/heads/main', more: object = {}) => JSON.stringify({ ref, ...more });
const deliver = (id: string, secret: string, body: string, headers: Record<string, string> = {}) =>
  api.ask('POST', `${base}/${id}/webhook`, {
    body,
    headers: {
      'Content-Type': 'application/json',
      'X-GitHub-Event': 'push',
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
      ...headers,
    },
  });

test('a signed push of the branch starts a sync; other events do not, and say why', async () => {
  const { id, webhookSecret } = await add();
  api.gitSchedules.synced.length = 0;
  expect(await deliver(id, webhookSecret, push())).toMatchObject({ status: 202, body: { started: true } });
  expect(api.gitSchedules.synced).toEqual([id]);
  const others = [
    [push('refs/heads/other'), {}, /reads the branch main/],
    [push('refs/tags/v1'), {}, /push of a tag/],
    [push('refs/heads/main', { deleted: true }), {}, /was deleted/],
    ['{"zen": "Keep it logically awesome."}', { 'X-GitHub-Event': 'ping' }, /nothing to do for ping/],
  ] as const;
  for (const [body, headers, reason] of others) {
    expect(await deliver(id, webhookSecret, body, headers)).toMatchObject({
      status: 202,
      body: { started: false, reason: expect.stringMatching(reason) },
    });
  }
  expect(api.gitSchedules.synced).toEqual([id]);
});

test('a webhook without the right signature, of no source, or too large is refused', async () => {
  const { id, webhookSecret } = await add();
  api.gitSchedules.synced.length = 0;
  expect((await deliver(id, 'wrong', push())).status).toBe(401);
  expect((await api.ask('POST', `${base}/${id}/webhook`, { body: push() })).status).toBe(401);
  expect((await deliver(randomUUID(), webhookSecret, push())).status).toBe(404);
  expect(
    (await deliver(id, webhookSecret, push('refs/heads/main', { pad: 'x'.repeat(1_100_000) }))).status,
  ).toBe(413);
  expect(
    (await deliver(id, webhookSecret, push('refs/heads/main', { pad: 'x'.repeat(900_000) }))).status,
  ).toBe(202);
  api.gitSchedules.failure = new TemporalUnavailableError('Temporal does not answer');
  expect((await deliver(id, webhookSecret, push())).status).toBe(503);
  api.gitSchedules.failure = undefined;

  const rotated = await ask('POST', `${base}/${id}/webhook-secret`);
  expect(rotated.body.webhookSecret).not.toBe(webhookSecret);
  expect((await deliver(id, webhookSecret, push())).status).toBe(401);
  expect((await deliver(id, rotated.body.webhookSecret, push())).status).toBe(202);
  await ask('DELETE', `${base}/${id}`);
  expect((await deliver(id, rotated.body.webhookSecret, push())).status).toBe(404);
});

test('a runbook is pinned to a version and unpinned by an Admin', async () => {
  const save = (command: string) => {
    const source = `name: a\nsteps: [{name: A, command: ${command}}]\n`;
    const parsed = parseRunbook(source, 'a.yaml');
    if ('problems' in parsed) throw new Error('broken');
    const definition = { ...parsed.definition, name: 'production:a' };
    return api.write((tx) => saveRunbook(tx, { orgId: api.orgId, file: 'a.yaml', source, definition }));
  };
  await save('ls');
  await save('pwd');
  const path = `/api/v1/runbooks/${encodeURIComponent('production:a')}`;
  expect((await ask('POST', `${path}/pin`, { version: 1 }, api.tokens.operator)).status).toBe(403);
  expect(await ask('POST', `${path}/pin`, { version: 1 })).toMatchObject({
    status: 200,
    body: { version: 1, latestVersion: 2, pinnedBy: 'admin@example.com' },
  });
  expect((await ask('POST', `${path}/pin`, { version: 3 })).status).toBe(404);
  expect((await ask('POST', '/api/v1/runbooks/none/pin', { version: 1 })).status).toBe(404);
  expect(await ask('POST', `${path}/unpin`)).toMatchObject({
    status: 200,
    body: { version: 2, pinnedAt: null },
  });
  expect((await ask('POST', `${path}/unpin`)).status).toBe(409);
});
