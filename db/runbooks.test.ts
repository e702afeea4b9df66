import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseRunbook } from '../domain/runbook/parse.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import {
  getRunbook,
  getRunbookVersion,
  listEnabledDefinitions,
  listRunbookProblems,
  listRunbooks,
  removeRunbooksExcept,
  saveRunbook,
  saveRunbookProblems,
} from './runbooks.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query(
    'delete from executions; delete from runbook_versions; delete from runbooks; delete from audit_log',
  );
});

const sourceOf = (name: string, command = 'ls') => `name: ${name}\nsteps: [{name: A, command: ${command}}]\n`;
const save = (name: string, command?: string, file = `${name}.yaml`) => {
  const source = sourceOf(name, command);
  const parsed = parseRunbook(source, file);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { orgId } = database;
  return database.db.write({ orgId }, (tx) =>
    saveRunbook(tx, { orgId, file, source, definition: parsed.definition }),
  );
};
const read = <T>(work: Parameters<typeof database.db.read<T>>[1]) =>
  database.db.read({ orgId: database.orgId }, work);
const audit = async () =>
  (await database.owner.query<{ action: string }>('select action from audit_log order by id')).rows.map(
    ({ action }) => action,
  );

describe('keeping a runbook', () => {
  it('makes a version only when the source changed', async () => {
    expect(await save('a')).toEqual({ version: 1, changed: true, added: true });
    expect(await save('a')).toEqual({ version: 1, changed: false, added: false });
    expect(await save('a', 'pwd')).toEqual({ version: 2, changed: true, added: false });
    expect(await save('a', 'ls')).toEqual({ version: 3, changed: true, added: false });
    expect((await read((tx) => getRunbook(tx, 'a')))?.versions.map(({ version }) => version)).toEqual([
      3, 2, 1,
    ]);
    expect((await read((tx) => getRunbookVersion(tx, { name: 'a', version: 2 })))?.source).toContain('pwd');
    expect(await audit()).toEqual(['runbook.added', 'runbook.changed', 'runbook.changed']);
  });

  it('marks those without a file as removed, keeps those whose file is broken, and restores', async () => {
    await save('gone');
    await save('broken');
    await save('there');
    const { orgId } = database;
    const removed = await database.db.write({ orgId }, (tx) =>
      removeRunbooksExcept(tx, { orgId, names: ['there'], keptFiles: ['broken.yaml'] }),
    );
    expect(removed).toEqual(['gone']);
    expect((await read(listRunbooks)).map(({ name }) => name)).toEqual(['broken', 'there']);
    expect((await read(listEnabledDefinitions)).map(({ name }) => name)).toEqual(['broken', 'there']);
    expect((await read((tx) => getRunbook(tx, 'gone')))?.removedAt).toBeInstanceOf(Date);
    expect(await save('gone')).toEqual({ version: 1, changed: false, added: true });
    expect(await read(listRunbooks)).toHaveLength(3);
  });

  it('is hidden from other organizations', async () => {
    await save('a');
    expect(await database.db.read({ orgId: randomUUID() }, listRunbooks)).toEqual([]);
  });
});

describe('reading runbooks', () => {
  it('tells the success rate and the last runs', async () => {
    await save('a');
    const run = (status: string, minutesAgo: number, finished = true) =>
      database.owner.query(
        `insert into executions (org_id, runbook, runbook_version, requested_by, mode, target, inputs, status, workflow_id, created_at, started_at, finished_at)
         values ($1, 'a', 1, 'me', 'manual', 't', '{}', $2, 'w', now() - make_interval(mins => $3), now(), $4)`,
        [database.orgId, status, minutesAgo, finished ? new Date() : null],
      );
    await run('succeeded', 50);
    await run('succeeded', 40);
    await run('rolled_back', 30);
    await run('failed', 20);
    await run('running', 10, false);
    const [runbook] = await read(listRunbooks);
    expect(runbook).toMatchObject({
      name: 'a',
      version: 1,
      file: 'a.yaml',
      runs: { finished: 4, succeeded: 2, successRate: 0.5 },
      lastRun: { status: 'running', target: 't', requestedBy: 'me', incidentNumber: null },
    });
    const detail = await read((tx) => getRunbook(tx, 'a'));
    expect(detail?.lastRuns.map(({ status }) => status)).toEqual([
      'running',
      'failed',
      'rolled_back',
      'succeeded',
      'succeeded',
    ]);
    expect(await read((tx) => getRunbook(tx, 'b'))).toBeUndefined();
  });

  it('has no success rate before anything ran', async () => {
    await save('a');
    expect((await read(listRunbooks))[0]).toMatchObject({
      runs: { finished: 0, successRate: null },
      lastRun: null,
    });
  });
});

it('keeps the time at which a problem was found while it stays', async () => {
  const { orgId } = database;
  const put = (problems: { file: string; line: number; col: number; message: string }[]) =>
    database.db.write({ orgId }, (tx) => saveRunbookProblems(tx, { orgId, problems }));
  const first = { file: 'a.yaml', line: 2, col: 3, message: 'wrong' };
  await put([first, first]);
  const [before] = await read(listRunbookProblems);
  await put([first, { ...first, line: 1 }]);
  expect(await read(listRunbookProblems)).toEqual([
    { ...first, line: 1, foundAt: expect.any(Date) },
    { ...first, foundAt: before!.foundAt },
  ]);
  await put([]);
  expect(await read(listRunbookProblems)).toEqual([]);
});
