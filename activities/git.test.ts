import { execFileSync } from 'node:child_process';
import { promises as dns, type LookupAddress } from 'node:dns';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  changeGitSource,
  createGitSource,
  getGitSource,
  listImports,
  removeGitSource,
} from '../db/git-sources.ts';
import { pinRunbook, unpinRunbook } from '../db/runbook-pins.ts';
import { getRunbook, listRunbooks, saveRunbook } from '../db/runbooks.ts';
import { parseRunbook } from '../domain/runbook/parse.ts';
import type { GitSourceSettings } from '../domain/runbook-import/git-source.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { type GitHttpServer, startGitHttp } from '../test/parts/git-http.ts';
import { ana, createGitRepository, type GitRepository } from '../test/parts/git-repository.ts';
import { partOrSkip } from '../test/parts/part.ts';
import { temporaryFolder } from '../test/parts/server-part.ts';
import { startSshd } from '../test/parts/sshd.ts';
import { createGitActivities, type GitActivityDeps, type GitSyncOutcome } from './git.ts';
import { SecretUnavailableError } from './secrets/secret-source.ts';

let database: TestDatabase;
let repository: GitRepository;
let http: GitHttpServer;
let folder: string;
const removedSchedules: string[] = [];
const secrets = new Map<string, string>();
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query(
    `delete from executions; delete from git_imports; delete from runbook_versions; delete from runbooks;
     delete from git_sources; delete from audit_log; delete from notifications`,
  );
  secrets.clear();
  removedSchedules.length = 0;
  folder = await temporaryFolder('mirrors');
  repository = await createGitRepository();
  http = await startGitHttp(repository.root);
});
afterEach(async () => {
  await http.close();
  await repository.close();
  await rm(folder, { recursive: true, force: true });
});

const activities = (more: Partial<GitActivityDeps> = {}) =>
  createGitActivities({
    db: database.db,
    secrets: {
      async read(reference) {
        const value = secrets.get(reference);
        if (value === undefined) throw new SecretUnavailableError(`there is no secret ${reference}`);
        return value;
      },
    },
    folder,
    allowFile: true,
    knownHosts: join(folder, 'known_hosts'),
    egressAllow: [],
    environment: process.env,
    removeSchedule: async (_, id) => void removedSchedules.push(id),
    ...more,
  });
const runbook = (name: string, command = 'ls') =>
  `name: ${name}\nsteps:\n  - name: A\n    command: ${command}\n`;
const broken = 'name: broken\nsteps:\n  - name: A\n    command: echo "{{x}}"\n';
const actor = 'admin@example.com';
const addSource = async (settings: Partial<GitSourceSettings> = {}, environment = '') => {
  const { orgId } = database;
  const made = await database.db.write({ orgId }, (tx) =>
    createGitSource(tx, {
      orgId,
      environment,
      settings: {
        url: repository.url,
        branch: 'main',
        path: '',
        credential: null,
        intervalMs: 300_000,
        ...settings,
      },
      actor,
    }),
  );
  return made.id;
};
const sync = (sourceId: string, more: Partial<GitActivityDeps> = {}): Promise<GitSyncOutcome> =>
  new MockActivityEnvironment().run(activities(more).syncGitSource, { orgId: database.orgId, sourceId });
const failing = async (sourceId: string, more: Partial<GitActivityDeps> = {}) => {
  const error = await sync(sourceId, more).then(
    () => undefined,
    (thrown: Error & { type?: string; nonRetryable?: boolean }) => thrown,
  );
  return { type: error?.type, message: error?.message ?? 'it succeeded' };
};
const read = <T>(work: Parameters<typeof database.db.read<T>>[1]) =>
  database.db.read({ orgId: database.orgId }, work);
const names = async () => (await read(listRunbooks)).map(({ name, version }) => `${name} ${version}`);
const find = (name: string) => read((tx) => getRunbook(tx, name));
const standing = (id: string) => read((tx) => getGitSource(tx, id));
const imports = async (sourceId: string) =>
  (await read((tx) => listImports(tx, { sourceId, limit: 50 }))).items;

describe('a push', () => {
  it('is imported with commit, author and time; changed and removed files follow', async () => {
    const first = await repository.push({
      files: { 'a.yaml': runbook('a'), 'deep/er/b.yml': runbook('b'), 'README.md': '# no runbook' },
      subject: 'Add two runbooks',
    });
    const source = await addSource();
    expect(await sync(source)).toEqual({
      status: 'imported',
      commit: first,
      added: 2,
      changed: 0,
      removed: 0,
    });
    expect(await names()).toEqual(['a 1', 'b 1']);
    expect(await find('b')).toMatchObject({ file: 'deep/er/b.yml', sourceId: source, environment: '' });
    expect((await find('a'))?.versions[0]).toMatchObject({
      commit: first,
      author: 'Ana Núñez',
      committedAt: expect.any(Date),
    });
    expect(await sync(source)).toEqual({ status: 'unchanged', commit: first });

    const second = await repository.push({
      files: { 'a.yaml': runbook('a', 'pwd'), 'deep/er/b.yml': null, 'c.yaml': runbook('c') },
    });
    expect(await sync(source)).toMatchObject({
      status: 'imported',
      commit: second,
      added: 1,
      changed: 1,
      removed: 1,
    });
    expect(await names()).toEqual(['a 2', 'c 1']);
    expect((await find('b'))?.removedAt).toBeInstanceOf(Date);
    expect(await standing(source)).toMatchObject({
      importedCommit: second,
      checkedCommit: second,
      error: null,
      runbooks: 2,
      lastImport: { subject: 'Change', author: 'Ana Núñez', authorEmail: ana.email },
    });
    expect((await imports(source)).map(({ commit, changes }) => [commit, changes])).toEqual([
      [second, { added: ['c'], changed: ['a'], removed: ['b'] }],
      [first, { added: ['a', 'b'], changed: [], removed: [] }],
    ]);
  });

  it('that is broken changes nothing, says where it is wrong, and its author is to be told once', async () => {
    const good = await repository.push({ files: { 'a.yaml': runbook('a') } });
    const source = await addSource();
    await sync(source);
    const bad = await repository.push({
      files: { 'a.yaml': runbook('a', 'pwd'), 'broken.yaml': broken },
      author: { name: 'Ben', email: 'ben@example.com' },
    });
    const refused = await sync(source);
    expect(refused).toMatchObject({ status: 'refused', commit: bad, problems: 1, tell: 'ben@example.com' });
    expect(await names()).toEqual(['a 1']);
    expect(await standing(source)).toMatchObject({ importedCommit: good, checkedCommit: bad });
    const [last] = await imports(source);
    expect(last).toMatchObject({
      status: 'refused',
      problems: [
        { file: 'broken.yaml', line: 4, col: 20, message: expect.stringContaining('double quotes') },
      ],
    });
    // an activity that died before its outcome was known asks for the message again; one that was begun is not repeated
    expect(await sync(source)).toMatchObject({ tell: 'ben@example.com' });
    await database.owner.query(
      `insert into notifications (org_id, key, type, channel, destination, subject, status)
       values ($1, $2, 'runbook.import_refused', 'email', 'ben@example.com', 's', 'sent')`,
      [database.orgId, `git-import-refused:${source}:${bad}`],
    );
    expect(await sync(source)).toMatchObject({ status: 'refused', tell: null });
    await repository.push({ files: { 'broken.yaml': runbook('broken') } });
    expect(await sync(source)).toMatchObject({ status: 'imported', added: 1, changed: 1 });
  });

  it('that rewrites history is followed', async () => {
    await repository.push({ files: { 'a.yaml': runbook('a') } });
    const source = await addSource();
    await sync(source);
    await repository.push({ files: { 'b.yaml': runbook('b') }, orphan: true });
    expect(await sync(source)).toMatchObject({ status: 'imported', added: 1, removed: 1 });
    expect(await names()).toEqual(['b 1']);
  });

  it('of another branch changes nothing', async () => {
    const release = await repository.push({ files: { 'a.yaml': runbook('a') }, branch: 'release/eu' });
    await repository.push({ files: { 'b.yaml': runbook('b') } });
    const source = await addSource({ branch: 'release/eu' });
    expect(await sync(source)).toMatchObject({ status: 'imported', commit: release });
    expect(await names()).toEqual(['a 1']);
  });

  it('whose author wrote no address that somebody reads has nobody to tell', async () => {
    await repository.push({
      files: { 'a.yaml': broken },
      author: { name: 'Bot', email: '41898282+bot@users.noreply.github.com' },
    });
    expect(await sync(await addSource())).toMatchObject({ status: 'refused', tell: null });
  });
});

describe('what counts as a runbook', () => {
  it('is a plain YAML file below the path that is not hidden', async () => {
    await repository.push({
      files: {
        'ops/a.yaml': runbook('a'),
        'ops/.hidden/b.yaml': runbook('b'),
        'ops/link.yaml': { link: '/etc/passwd' },
        'opsx/c.yaml': runbook('c'),
        'd.yaml': broken,
      },
    });
    expect(await sync(await addSource({ path: 'ops' }))).toMatchObject({ status: 'imported', added: 1 });
    expect(await names()).toEqual(['a 1']);
  });

  it('is nothing whose path leads out of the repository', async () => {
    const blob = await repository.git(['hash-object', '-w', '--stdin'], runbook('escaped'));
    const good = await repository.git(['hash-object', '-w', '--stdin'], runbook('a'));
    const raw = (mode: string, name: string, id: string) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
    const treeOf = (...entries: Buffer[]) =>
      repository.git(['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'], Buffer.concat(entries));
    const inner = await treeOf(raw('100644', 'escaped.yaml', blob));
    const tree = await treeOf(
      raw('40000', '..', inner),
      raw('40000', '.git', inner),
      raw('100644', 'a.yaml', good),
    );
    const commit = await repository.git([
      '-c',
      'user.name=x',
      '-c',
      'user.email=x@example.com',
      'commit-tree',
      tree,
      '-m',
      'x',
    ]);
    await repository.git(['update-ref', 'refs/heads/main', commit]);
    expect(await sync(await addSource())).toMatchObject({ status: 'imported', added: 1 });
    expect(await names()).toEqual(['a 1']);
    expect(await readdir(folder)).toEqual([expect.stringMatching(/\.git$/)]);
  });

  it('is not larger than 256 KiB, is UTF-8 and has no NUL: the push is refused', async () => {
    await repository.push({
      files: {
        'good.yaml': runbook('good'),
        'huge.yaml': `${runbook('huge')}# ${'x'.repeat(300 * 1024)}`,
        'nul.yaml': `${runbook('nul')}# \0`,
      },
    });
    const source = await addSource();
    expect(await sync(source)).toMatchObject({ status: 'refused', problems: 2 });
    expect((await imports(source))[0]!.problems.map(({ file, message }) => `${file} ${message}`)).toEqual([
      expect.stringMatching(/^huge.yaml the file has 301 KiB, and a runbook at most 256 KiB/),
      expect.stringMatching(/^nul.yaml the file holds a NUL/),
    ]);
    expect(await names()).toEqual([]);
  });

  it('has a name of its own: a twin and a name that is taken refuse the push', async () => {
    const { orgId } = database;
    const parsed = parseRunbook(runbook('a'), 'a.yaml');
    if ('problems' in parsed) throw new Error('broken');
    await database.db.write({ orgId }, (tx) =>
      saveRunbook(tx, { orgId, file: 'a.yaml', source: runbook('a'), definition: parsed.definition }),
    );
    await repository.push({
      files: { 'a.yaml': runbook('a', 'pwd'), 'b.yaml': runbook('b'), 'c.yaml': runbook('b') },
    });
    const source = await addSource();
    expect(await sync(source)).toMatchObject({ status: 'refused', problems: 2 });
    expect((await imports(source))[0]!.problems.map(({ file, message }) => `${file}: ${message}`)).toEqual([
      "a.yaml: the name 'a' belongs to the file a.yaml of the runbook folder already; give this runbook another name, or take the other one away",
      "c.yaml: another file, b.yaml, has a runbook of the name 'b' too; give one of them another name",
    ]);
    expect(await find('a')).toMatchObject({ sourceId: null, version: 1 });
  });
});

it('is too large a branch: it is refused before it fills the disk', async () => {
  const noise = Array.from({ length: 60_000 }, () => Math.random().toString(36)).join('\n');
  await repository.push({ files: { 'a.yaml': runbook('a'), 'noise.bin': noise } });
  for (const url of [repository.url, http.urlOf('runbooks')]) {
    const source = await addSource({ url }, url.slice(0, 4));
    expect(await failing(source, { sizeLimit: 100_000 })).toEqual({
      type: 'GitRefused',
      message: expect.stringMatching(/larger than Holdfast reads/),
    });
    expect(await readdir(folder)).toEqual([]);
    expect(await sync(source)).toMatchObject({ status: 'imported' });
    await rm(join(folder, `${source}.git`), { recursive: true });
  }
});

describe('environments', () => {
  it('stand before the names of their runbooks, bind them to their alerts, and keep out of each other', async () => {
    await repository.push({ files: { 'a.yaml': runbook('restart') } });
    await repository.push({ files: { 'a.yaml': runbook('restart', 'pwd') }, branch: 'staging' });
    const nested = 'name: all\nsteps:\n  - name: A\n    type: runbook\n    runbook: restart\n';
    await repository.push({ files: { 'all.yaml': nested }, branch: 'staging' });
    const production = await addSource({}, 'production');
    const staging = await addSource({ branch: 'staging' }, 'staging');
    await sync(production);
    await sync(staging);
    expect(await names()).toEqual(['production:restart 1', 'staging:all 1', 'staging:restart 1']);
    const found = await find('staging:restart');
    expect(found).toMatchObject({ environment: 'staging', sourceId: staging });
    expect(found?.definition.execution.environments).toEqual(['staging']);
    const { orgId } = database;
    await database.db.write({ orgId }, (tx) => removeGitSource(tx, { orgId, id: staging, actor }));
    expect(await names()).toEqual(['production:restart 1']);
    expect(await sync(staging)).toEqual({ status: 'gone' });
    expect(removedSchedules).toEqual([staging]);
  });
});

describe('a pinned runbook', () => {
  it('keeps its version through imports until it is unpinned', async () => {
    const { orgId } = database;
    await repository.push({ files: { 'a.yaml': runbook('a') } });
    const source = await addSource();
    await sync(source);
    await repository.push({ files: { 'a.yaml': runbook('a', 'pwd') } });
    await sync(source);
    await database.db.write({ orgId }, (tx) => pinRunbook(tx, { orgId, name: 'a', version: 1, actor }));
    await repository.push({ files: { 'a.yaml': runbook('a', 'date') } });
    expect(await sync(source)).toMatchObject({ status: 'imported', changed: 1 });
    expect(await find('a')).toMatchObject({ version: 1, latestVersion: 3, source: runbook('a') });
    await database.db.write({ orgId }, (tx) => unpinRunbook(tx, { orgId, name: 'a', actor }));
    expect(await find('a')).toMatchObject({ version: 3, latestVersion: 3, source: runbook('a', 'date') });
  });
});

describe('a repository over http', () => {
  it('is read with the password that the secret holds, under the name in the URL', async () => {
    http.credential = { user: 'deploy', password: 'a-secret-token' };
    await repository.push({ files: { 'a.yaml': runbook('a') } });
    secrets.set('env:GIT_TOKEN', 'a-secret-token\n');
    const url = http.urlOf('runbooks').replace('//', '//deploy@');
    const source = await addSource({ url, credential: 'env:GIT_TOKEN' });
    expect(await sync(source)).toMatchObject({ status: 'imported', added: 1 });
    expect(http.requests.every(({ url: asked }) => !asked.includes('a-secret-token'))).toBe(true);
    // nothing of the secret is left on the disk
    const mirror = join(folder, `${source}.git`);
    expect(() => execFileSync('grep', ['-rE', 'a-secret-token|Authorization', mirror])).toThrow();
    expect(await readdir(join(mirror))).not.toContain('hooks');
  });

  it('that refuses the password says so, without telling it', async () => {
    http.credential = { user: 'git', password: 'right' };
    await repository.push({ files: { 'a.yaml': runbook('a') } });
    secrets.set('env:GIT_TOKEN', 'wrong-token');
    const url = http.urlOf('runbooks');
    for (const credential of ['env:GIT_TOKEN', null]) {
      const source = await addSource({ url, credential }, credential ? 'with' : 'without');
      const failure = await failing(source);
      expect(failure.type).toBe('GitRefused');
      expect(failure.message).toMatch(/asks for a credential, or refuses the one/);
      expect((await standing(source))?.error).toBe(failure.message);
      expect(failure.message).not.toContain('wrong-token');
    }
  });

  it('that is away shows an error, keeps what was imported, and recovers', async () => {
    await repository.push({ files: { 'a.yaml': runbook('a') } });
    const url = http.urlOf('runbooks');
    const source = await addSource({ url });
    await sync(source);
    http.respond = (_, response) => response.socket?.destroy();
    await repository.push({ files: { 'a.yaml': runbook('a', 'pwd') } });
    expect((await failing(source)).type).toBe('GitUnavailable');
    expect((await standing(source))?.error).toBeTruthy();
    expect(await names()).toEqual(['a 1']);
    http.respond = undefined;
    expect(await sync(source)).toMatchObject({ status: 'imported', changed: 1 });
    expect((await standing(source))?.error).toBeNull();
  });

  it('that sends the reader elsewhere is not followed', async () => {
    await repository.push({ files: { 'a.yaml': runbook('a') } });
    http.respond = (request, response) =>
      response.writeHead(301, { Location: `http://localhost:${http.port}${request.url}` }).end();
    secrets.set('env:GIT_TOKEN', 'token');
    const failure = await failing(
      await addSource({ url: http.urlOf('runbooks'), credential: 'env:GIT_TOKEN' }),
    );
    expect(failure).toEqual({ type: 'GitRefused', message: expect.stringMatching(/shows for cloning/) });
    expect(http.requests).toHaveLength(1);
  });
});

describe('the name of a host', () => {
  const names: Record<string, LookupAddress[]> = {
    'git.test': [{ address: '127.0.0.1', family: 4 }],
    'metadata.test': [
      { address: '10.0.0.1', family: 4 },
      { address: '169.254.169.254', family: 4 },
    ],
  };
  beforeEach(() => {
    vi.spyOn(dns, 'lookup').mockImplementation((async (name: string) => {
      const found = names[name];
      if (!found) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
      return found;
    }) as unknown as typeof dns.lookup);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('is looked up once: git connects to what was looked at', async () => {
    await repository.push({ files: { 'a.yaml': runbook('a') } });
    const source = await addSource({ url: `http://git.test:${http.port}/runbooks.git` });
    expect(await sync(source)).toMatchObject({ status: 'imported', added: 1 });
  });

  it('that leads to cloud metadata is refused before git is asked, unless that address is listed', async () => {
    const urls = [
      'https://metadata.test/a',
      'http://metadata.test/a',
      'git@metadata.test:a',
      'ssh://git@metadata.test/a',
    ];
    for (const [index, url] of urls.entries()) {
      const source = await addSource({ url }, `e${index}`);
      const failure = await failing(source);
      expect(failure).toEqual({
        type: 'GitRefused',
        message: expect.stringMatching(/metadata.test is at 169.254.169.254/),
      });
    }
    const listed = await addSource({ url: urls[2] as string }, 'listed');
    const failure = await failing(listed, { egressAllow: ['169.254.169.254'] });
    expect(failure.message).toMatch(/ssh needs a private key/);
  });

  it('that DNS does not know is said, and left to the proxy where there is one', async () => {
    const url = `http://unknown.test:${http.port}/runbooks.git`;
    const source = await addSource({ url });
    expect(await failing(source)).toMatchObject({ message: 'the name of the host is not known to DNS' });
    const environment = { ...process.env, http_proxy: `http://127.0.0.1:${http.port}` };
    await repository.push({ files: { 'a.yaml': runbook('a') } });
    expect(await sync(source, { environment })).toMatchObject({ status: 'imported' });
  });
});

describe('a repository over ssh', () => {
  it('is read with the key that the secret holds, from a host whose key is known', async (context) => {
    const sshd = await partOrSkip(context, () => startSshd());
    try {
      await repository.push({ files: { 'a.yaml': runbook('a') } });
      const url = `ssh://${sshd.user}@${sshd.host}:${sshd.port}${repository.folder}`;
      const source = await addSource({ url, credential: 'file:key' });
      secrets.set('file:key', sshd.key);
      expect((await failing(source)).message).toMatch(/host's key is not known/);
      const knownHosts = join(folder, 'known hosts');
      await writeFile(knownHosts, `[${sshd.host}]:${sshd.port} ${sshd.hostKey}\n`);
      expect(await sync(source, { knownHosts })).toMatchObject({ status: 'imported', added: 1 });
      expect((await readdir(folder)).sort()).toEqual([`${source}.git`, 'known hosts']);
      secrets.set('file:key', 'no key');
      expect((await failing(source, { knownHosts })).message).toMatch(/no private key|refuses the key/);
    } finally {
      await sshd.close();
    }
  });
});

describe('what somebody has to mend', () => {
  it('is told in words', async () => {
    await repository.push({ files: { 'a.yaml': runbook('a') } });
    const cases: [Partial<GitSourceSettings>, RegExp, Partial<GitActivityDeps>?][] = [
      [{ branch: 'gone' }, /branch is not there/],
      [{ path: 'no/such' }, /no folder 'no\/such' on the branch/],
      [{ path: 'a.yaml' }, /no folder 'a.yaml'/],
      [{ url: `${http.urlOf('other')}` }, /no repository at this URL/],
      [{ credential: 'env:NONE' }, /there is no secret env:NONE/],
      [{}, /HOLDFAST_GIT_ALLOW_FILE=on/, { allowFile: false }],
      [{ url: 'ext::sh' }, /begins with https/],
      [{ url: 'ssh://git@127.0.0.1/x' }, /ssh needs a private key/],
    ];
    for (const [index, [settings, words, deps]] of cases.entries()) {
      const failure = await failing(await addSource(settings, `e${index}`), deps);
      expect(failure).toEqual({ type: 'GitRefused', message: expect.stringMatching(words) });
    }
    expect(await names()).toEqual([]);
  });
});

it('reads anew what the source names after it was changed', async () => {
  const { orgId } = database;
  await repository.push({ files: { 'one/a.yaml': runbook('a'), 'two/b.yaml': runbook('b') } });
  const id = await addSource({ path: 'one' });
  await sync(id);
  const settings = {
    url: repository.url,
    branch: 'main',
    path: 'two',
    credential: null,
    intervalMs: 300_000,
  };
  await database.db.write({ orgId }, (tx) => changeGitSource(tx, { orgId, id, settings, actor }));
  expect(await sync(id)).toMatchObject({ status: 'imported', added: 1, removed: 1 });
  expect(await names()).toEqual(['b 1']);
});

it('is the same when several workers sync at once', async () => {
  await repository.push({ files: { 'a.yaml': runbook('a'), 'b.yaml': runbook('b') } });
  const id = await addSource();
  const folders = await Promise.all([1, 2, 3].map(() => temporaryFolder('mirrors')));
  const outcomes = await Promise.all(folders.map((each) => sync(id, { folder: each })));
  expect(outcomes.map(({ status }) => status)).toContain('imported');
  expect(await names()).toEqual(['a 1', 'b 1']);
  for (const each of folders) await rm(each, { recursive: true, force: true });
});

it('ends git at once when the worker is told to stop', async () => {
  http.respond = () => {}; // answers nothing
  const id = await addSource({ url: http.urlOf('runbooks') });
  const environment = new MockActivityEnvironment();
  const running = environment.run(activities().syncGitSource, { orgId: database.orgId, sourceId: id });
  await expect.poll(() => http.requests.length).toBe(1);
  environment.cancel('WORKER_SHUTDOWN');
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN');
  expect((await standing(id))?.error).toBeNull();
});
