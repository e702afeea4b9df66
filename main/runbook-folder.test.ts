import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createGitSource, removeGitSource } from '../db/git-sources.ts';
import { getRunbook, listRunbookProblems, listRunbooks, saveRunbook } from '../db/runbooks.ts';
import { parseRunbook } from '../domain/runbook/parse.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { type RunbookFolder, type RunbookFolderOptions, startRunbookFolder } from './runbook-folder.ts';

let database: TestDatabase;
let directory: string;
const started: RunbookFolder[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-runbooks-'));
  await database.owner.query(
    'delete from runbook_versions; delete from runbooks; delete from runbook_problems',
  );
});
afterEach(async () => {
  for (const folder of started.splice(0)) await folder.stop();
  await rm(directory, { recursive: true, force: true });
});

const logger = { debug() {}, info() {}, warn() {}, error() {} };
const start = async (options: Partial<RunbookFolderOptions> = {}) => {
  const folder = await startRunbookFolder({ db: database.db, directory, logger, debounceMs: 20, ...options });
  started.push(folder);
  return folder;
};
const put = (file: string, command = 'ls', name = file.replace(/\.ya?ml$/, '')) =>
  writeFile(join(directory, file), `name: ${name}\nsteps:\n  - name: A\n    command: ${command}\n`);
const names = async () =>
  (await database.db.read({ orgId: database.orgId }, listRunbooks)).map(
    ({ name, version }) => `${name} ${version}`,
  );
const problems = async () =>
  (await database.db.read({ orgId: database.orgId }, listRunbookProblems)).map(
    ({ file, line, col, message }) => `${file}:${line}:${col} ${message}`,
  );

it('reads YAML files, also in sub-folders, and nothing else', async () => {
  await put('a.yaml');
  await put('b.yml');
  await writeFile(join(directory, 'README.md'), '# no runbook');
  await mkdir(join(directory, 'team'));
  await mkdir(join(directory, '.git'));
  await put('team/c.yaml', 'ls', 'c');
  await put('.git/d.yaml', 'ls', 'd');
  await start();
  expect(await names()).toEqual(['a 1', 'b 1', 'c 1']);
});

it('follows changes: new, edited, renamed and removed files', async () => {
  await put('a.yaml');
  await start();
  await put('b.yaml');
  await expect.poll(names).toEqual(['a 1', 'b 1']);
  await put('a.yaml', 'pwd');
  await expect.poll(names).toEqual(['a 2', 'b 1']);
  await rename(join(directory, 'b.yaml'), join(directory, 'other.yaml'));
  await rm(join(directory, 'a.yaml'));
  await expect.poll(names).toEqual(['b 1']);
});

it('keeps the last good version of a broken file, says where it is wrong, and forgets it when it is mended', async () => {
  await put('a.yaml');
  await start();
  await put('a.yaml', 'echo "{{x}}"');
  await expect
    .poll(problems)
    .toEqual([expect.stringMatching(/^a\.yaml:4:20 a variable inside double quotes/)]);
  expect(await names()).toEqual(['a 1']);
  const kept = await database.db.read({ orgId: database.orgId }, (tx) => getRunbook(tx, 'a'));
  expect(kept?.definition.steps[0]?.action).toMatchObject({ form: { shell: 'ls' } });
  await put('a.yaml', 'echo {{x}}');
  await expect.poll(names).toEqual(['a 2']);
  expect(await problems()).toEqual([]);
});

it('takes the first of two files with the same name and reports the other', async () => {
  await put('a.yaml');
  await put('b.yaml', 'pwd', 'a');
  await start();
  expect(await names()).toEqual(['a 1']);
  expect(await problems()).toEqual([
    expect.stringMatching(/^b\.yaml:1:1 another file, a\.yaml, has a runbook of the name 'a'/),
  ]);
});

it('removes nothing when the folder is away, and says so', async () => {
  await put('a.yaml');
  await start();
  const away = `${directory}-away`;
  await rename(directory, away);
  const folder = await start({ directory });
  await folder.reload();
  expect(await names()).toEqual(['a 1']);
  expect(await problems()).toEqual([
    expect.stringMatching(/cannot be read .* make it, or set HOLDFAST_RUNBOOKS_DIR/),
  ]);
  await rename(away, directory);
  await folder.reload();
  expect(await problems()).toEqual([]);
});

it('finds changes that the system does not report, by looking now and then', async () => {
  await start({ pollMs: 50, debounceMs: 1_000_000 });
  await put('a.yaml');
  await expect.poll(names).toEqual(['a 1']);
});

it('is the same when several processes load at once', async () => {
  for (const name of ['a', 'b', 'c']) await put(`${name}.yaml`);
  await Promise.all(Array.from({ length: 6 }, () => start()));
  expect(await names()).toEqual(['a 1', 'b 1', 'c 1']);
});

it('leaves the runbooks of a Git source alone, and takes a name over once it is free', async () => {
  const { db, orgId } = database;
  const source = 'name: a\nsteps:\n  - name: A\n    command: pwd\n';
  const parsed = parseRunbook(source, 'ops/a.yaml');
  if ('problems' in parsed) throw new Error('broken');
  const settings = {
    url: 'https://git.example.com/r.git',
    branch: 'main',
    path: '',
    credential: null,
    intervalMs: 60_000,
  };
  const sourceId = await db.write({ orgId }, async (tx) => {
    const made = await createGitSource(tx, { orgId, environment: '', settings, actor: 'me' });
    const commit = { id: 'c0ffee', author: 'Ana', committedAt: '2026-11-21T00:00:00Z' };
    const origin = { sourceId: made.id, teamId: null, environment: '', commit };
    await saveRunbook(tx, { orgId, file: 'ops/a.yaml', source, definition: parsed.definition, origin });
    return made.id;
  });
  await put('a.yaml');
  await put('b.yaml');
  const folder = await start();
  expect(await names()).toEqual(['a 1', 'b 1']);
  expect(await problems()).toEqual([
    "a.yaml:1:7 the name 'a' belongs to the file ops/a.yaml of the Git source https://git.example.com/r.git already; give one of them another name",
  ]);
  await rm(join(directory, 'b.yaml'));
  await folder.reload();
  expect(await names()).toEqual(['a 1']);
  await db.write({ orgId }, (tx) => removeGitSource(tx, { orgId, id: sourceId, actor: 'me' }));
  await folder.reload();
  expect(await names()).toEqual(['a 2']);
  expect(await problems()).toEqual([]);
});

it('keeps the last good version of a runbook that calls one which nobody has', async () => {
  const calling = (name: string) =>
    `name: all\nsteps:\n  - name: A\n    type: runbook\n    runbook: ${name}\n`;
  await put('a.yaml');
  await writeFile(join(directory, 'all.yaml'), calling('a'));
  const folder = await start();
  expect(await names()).toEqual(['a 1', 'all 1']);
  await writeFile(join(directory, 'all.yaml'), calling('gone'));
  await folder.reload();
  expect(await names()).toEqual(['a 1', 'all 1']);
  expect(await problems()).toEqual([expect.stringMatching(/^all.yaml:5:14 there is no runbook 'gone'/)]);
});
