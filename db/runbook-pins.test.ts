import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseRunbook } from '../domain/runbook/parse.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { pinRunbook, unpinRunbook } from './runbook-pins.ts';
import { getRunbook, listEnabledDefinitions, saveRunbook } from './runbooks.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query('delete from runbook_versions; delete from runbooks; delete from audit_log');
});

const actor = 'ana@example.com';
const write = <T>(work: Parameters<typeof database.db.write<T>>[1]) =>
  database.db.write({ orgId: database.orgId }, work);
const save = (command: string) => {
  const source = `name: a\nsteps: [{name: A, command: ${command}}]\n`;
  const parsed = parseRunbook(source, 'a.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return write((tx) =>
    saveRunbook(tx, { orgId: database.orgId, file: 'a.yaml', source, definition: parsed.definition }),
  );
};
const pin = (version: number, name = 'a') =>
  write((tx) => pinRunbook(tx, { orgId: database.orgId, name, version, actor }));
const unpin = () => write((tx) => unpinRunbook(tx, { orgId: database.orgId, name: 'a', actor }));
const inForce = async () => {
  const { db, orgId } = database;
  const runbook = (await db.read({ orgId }, (tx) => getRunbook(tx, 'a')))!;
  const [definition] = await db.read({ orgId }, listEnabledDefinitions);
  return {
    version: runbook.version,
    latest: runbook.latestVersion,
    runs: /command: (\w+)/.exec(runbook.source)?.[1],
    matched: JSON.stringify(definition).includes(/command: (\w+)/.exec(runbook.source)![1]!),
    pinnedBy: runbook.pinnedBy,
  };
};

it('puts an earlier version in force until it is unpinned; new versions are only added meanwhile', async () => {
  await save('ls');
  await save('pwd');
  expect(await pin(1)).toBe(true);
  expect(await inForce()).toEqual({ version: 1, latest: 2, runs: 'ls', matched: true, pinnedBy: actor });
  expect(await save('date')).toEqual({ version: 3, changed: true, added: false });
  // what is in force now is not what the file says: saving the file again makes no version of it
  expect(await save('date')).toEqual({ version: 3, changed: false, added: false });
  expect(await inForce()).toMatchObject({ version: 1, latest: 3, runs: 'ls' });
  expect(await unpin()).toBe(true);
  expect(await inForce()).toEqual({ version: 3, latest: 3, runs: 'date', matched: true, pinnedBy: null });
  expect(await unpin()).toBe(false);
  const audit = await database.owner.query('select actor, action, data from audit_log order by id');
  expect(audit.rows.filter(({ action }) => /pin/.test(action))).toEqual([
    { actor, action: 'runbook.pinned', data: { version: 1, before: 2 } },
    { actor, action: 'runbook.unpinned', data: { version: 3, before: 1 } },
  ]);
});

it('makes a version of a file that goes back to an earlier text, also while that one is pinned', async () => {
  await save('ls');
  await save('pwd');
  await pin(1);
  expect(await save('ls')).toMatchObject({ version: 3, changed: true });
  expect(await inForce()).toMatchObject({ version: 1, latest: 3 });
});

it('pins neither a runbook nor a version that is not there', async () => {
  await save('ls');
  expect(await pin(2)).toBe(false);
  expect(await pin(1, 'b')).toBe(false);
  expect(await inForce()).toMatchObject({ version: 1, pinnedBy: null });
});
