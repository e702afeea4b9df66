import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ChangeReport } from '../domain/changes/report.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import {
  createChangeSource,
  listChangeSources,
  noteSourceSpoke,
  removeChangeSource,
} from './change-sources.ts';
import {
  type ChangeOrigin,
  candidateChanges,
  confirmationHistory,
  recordChange,
  recordManualChange,
} from './changes.ts';
import { changeFrequency, changeNames, countChanges, getChange, listChanges } from './changes-read.ts';
import { readCorrelationContext } from './correlation-context.ts';
import type { Tx } from './database.ts';

let database: TestDatabase;
const minute = 60_000;
const start = Date.now() - 60 * minute;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(() =>
  database.owner.query(
    'delete from incident_changes; delete from changes; delete from change_sources; delete from services; delete from incidents; delete from service_dependencies; delete from audit_log',
  ),
);

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.db.write({ orgId: database.orgId }, work);

let counter = 0;
const record = async (change: Partial<ChangeReport> = {}, origin: Partial<ChangeOrigin> = {}) => {
  const report: ChangeReport = {
    externalId: `change-${++counter}`,
    type: 'deployment',
    status: 'succeeded',
    service: 'payment',
    environment: 'production',
    title: 'Deploy',
    version: 'v1',
    previousVersion: null,
    author: 'ana',
    url: null,
    at: start,
    begins: false,
    data: {},
    ...change,
  };
  const { id } = await write(async (tx) =>
    recordChange(tx, {
      orgId: database.orgId,
      origin: { source: 'generic', sourceId: null, teamId: null, ...origin },
      report,
      context: await readCorrelationContext(tx),
    }),
  );
  return id;
};
const read = async (id: number) => {
  const change = await write((tx) => getChange(tx, id));
  if (!change) throw new Error('no change');
  return change;
};
const incident = async (number: number, service: string, openedAt = start + 15 * minute) => {
  const { rows } = await database.owner.query<{ id: string }>(
    `insert into incidents (org_id, number, title, severity, severity_rank, service, labels, opened_at)
     values ($1, $2, 'Broken', 'critical', 0, $3, '{}', $4) returning id`,
    [database.orgId, number, service, new Date(openedAt)],
  );
  const id = rows[0]!.id;
  await database.owner.query('insert into incident_keys (org_id, key, incident_id) values ($1, $2, $3)', [
    database.orgId,
    `service=${service}`,
    id,
  ]);
  return id;
};
const unread = async () =>
  (await database.owner.query('select number from incidents where feed_unread order by number')).rows.map(
    ({ number }) => number,
  );
const judge = (incidentId: string, changeId: number, verdict: string | null) =>
  database.owner.query(
    `insert into incident_changes (org_id, incident_id, change_id, score, reasons, verdict, judged_by, judged_at)
     values ($1, $2, $3, 0.8, '["near"]', $4, 'ana', now())`,
    [database.orgId, incidentId, changeId, verdict],
  );

test('messages about one change are one change, whatever their order', async () => {
  const externalId = 'run-1';
  const id = await record({ externalId, status: 'started', at: start });
  expect(await record({ externalId, status: 'succeeded', at: start + 5 * minute })).toBe(id);
  expect(await record({ externalId, status: 'started', at: start, begins: true })).toBe(id);
  expect(await read(id)).toMatchObject({ status: 'succeeded', at: new Date(start) });
  expect(await record({ externalId, status: 'rolled_back', at: start + 9 * minute })).toBe(id);
  expect(await record({ externalId, status: 'succeeded' })).toBe(id);
  expect((await read(id)).status).toBe('rolled_back');
});

test('a change that only waited takes effect when it begins', async () => {
  const externalId = 'run-2';
  const id = await record({ externalId, status: 'started', at: start });
  await record({ externalId, status: 'started', at: start + 30 * minute, begins: true });
  await record({ externalId, status: 'succeeded', at: start + 35 * minute });
  expect((await read(id)).at).toEqual(new Date(start + 30 * minute));
});

test('times that are missing or lie in the future are those of arrival', async () => {
  const before = Date.now() - 5000;
  for (const at of [null, Date.now() + 60 * minute]) {
    const stored = (await read(await record({ at }))).at.getTime();
    expect(stored).toBeGreaterThan(before);
    expect(stored).toBeLessThan(Date.now() + 5000);
  }
});

test('the version before is that of the last change of the same service, environment and type', async () => {
  await record({ version: 'v1', at: start - 9 * minute });
  await record({ version: 'v1.1', status: 'failed', at: start - 8 * minute });
  await record({ version: 'abc', type: 'code', at: start - 7 * minute });
  await record({ version: 'v9', environment: 'staging', at: start - 6 * minute });
  const id = await record({ version: 'v2', at: start });
  expect((await read(id)).previousVersion).toBe('v1');
  expect((await read(await record({ version: 'v3', previousVersion: 'v0' }))).previousVersion).toBe('v0');
});

test('bringing the version before back says that the last one was rolled back', async () => {
  await record({ version: 'v1', at: start - 30 * minute });
  const bad = await record({ version: 'v2', at: start - 20 * minute });
  const staging = await record({ version: 'v2', environment: 'staging', previousVersion: 'v1' });
  const back = await record({ version: 'v1', at: start - 10 * minute });
  expect((await read(bad)).status).toBe('rolled_back');
  expect((await read(staging)).status).toBe('succeeded');
  expect(await read(back)).toMatchObject({ status: 'succeeded', previousVersion: 'v2' });
  expect((await read(await record({ version: 'v3' }))).previousVersion).toBe('v1');
});

test('a change marks the open incidents unread that it may be behind, and no others', async () => {
  await database.owner.query(
    `insert into service_dependencies (org_id, caller, callee, declared) values ($1, 'checkout', 'payment', true)`,
    [database.orgId],
  );
  await incident(1, 'Payment');
  await incident(2, 'checkout');
  await incident(3, 'search');
  await incident(4, 'payment', start - 10 * minute);
  await incident(5, 'payment', start + 130 * minute);
  const closed = await incident(6, 'payment');
  await database.owner.query('update incidents set closed_at = now() where id = $1', [closed]);
  await record({ service: 'payment' });
  expect(await unread()).toEqual([1, 2]);
  await record({ service: null });
  expect(await unread()).toEqual([1, 2, 3]);
});

test('candidates are those of the window and of these services in any case, and those that name none', async () => {
  const wanted = [await record({ service: 'Payment' }), await record({ service: null, title: 'Firewall' })];
  await record({ service: 'search' });
  await record({ at: start - 3 * 60 * minute });
  const window = { from: new Date(start - 120 * minute), to: new Date(start + minute) };
  const incidentId = await incident(1, 'payment');
  const found = await write((tx) =>
    candidateChanges(tx, { incidentId, ...window, services: ['payment', 'checkout'] }),
  );
  expect(found.map(({ id }) => id).sort()).toEqual(wanted.sort());
  expect(found[0]?.at).toBe(start);
});

test('what people said of changes is counted by service, shown with them and listed as risky', async () => {
  const [first, second, third] = [await record(), await record(), await record({ service: 'search' })];
  const one = await incident(1, 'payment');
  await judge(one, first, 'confirmed');
  await judge(one, second, 'dismissed');
  await judge(one, third, null);
  const other = await incident(2, 'payment');
  const services = ['payment', 'search'];
  const history = await write((tx) => confirmationHistory(tx, { incidentId: other, services }));
  expect(history).toEqual(new Map([['payment', { confirmed: 1, dismissed: 1 }]]));
  expect(await write((tx) => confirmationHistory(tx, { incidentId: one, services }))).toEqual(new Map());
  expect(await read(first)).toMatchObject({
    confirmed: 1,
    incidents: [{ number: 1, verdict: 'confirmed', judgedBy: 'ana', reasons: ['near'] }],
  });
  const failed = await record({ status: 'failed' });
  const risky = await write((tx) => listChanges(tx, { risky: true, limit: 10 }));
  expect(risky.items.map(({ id }) => id)).toEqual([failed, first]);
  expect(await write((tx) => changeFrequency(tx, { since: new Date(start - minute), limit: 5 }))).toEqual([
    { service: 'payment', changes: 3, failed: 1, confirmed: 1 },
    { service: 'search', changes: 1, failed: 0, confirmed: 0 },
  ]);
});

test('the list filters, counts and turns its pages', async () => {
  const ids = [];
  for (let index = 0; index < 5; index++) ids.push(await record({ at: start + index }));
  await record({ environment: 'staging' });
  const filter = { environment: 'production', type: ['deployment' as const], service: 'payment' };
  const first = await write((tx) => listChanges(tx, { ...filter, limit: 3 }));
  const second = await write((tx) => listChanges(tx, { ...filter, limit: 3, cursor: first.nextCursor! }));
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids.reverse());
  expect(second.nextCursor).toBeUndefined();
  expect(await write((tx) => countChanges(tx, filter, 100))).toBe(5);
  expect(await write((tx) => countChanges(tx, {}, 4))).toBe(4);
  expect(await write(changeNames)).toEqual({
    services: ['payment'],
    environments: ['production', 'staging'],
  });
});

test('a change by hand has its audit entry, and text that PostgreSQL refuses is mended', async () => {
  const report: ChangeReport = {
    ...(await read(await record())),
    externalId: 'm',
    at: null,
    begins: false,
    data: {},
  };
  const { id } = await write(async (tx) =>
    recordManualChange(tx, {
      orgId: database.orgId,
      context: await readCorrelationContext(tx),
      report: { ...report, title: 'Raise\u0000 it \ud800' },
      actor: 'ana@example.com',
    }),
  );
  expect(await read(id)).toMatchObject({ source: 'manual', title: 'Raise it \ufffd' });
  const { rows } = await database.owner.query('select action, actor, subject from audit_log');
  expect(rows).toEqual([{ action: 'change.recorded', actor: 'ana@example.com', subject: `change:${id}` }]);
});

test('a source is removed with its name free again; its changes stay', async () => {
  const make = () =>
    write((tx) =>
      createChangeSource(tx, {
        orgId: database.orgId,
        kind: 'github',
        name: 'acme',
        team: null,
        mapping: { services: { a: 'b' }, environment: null, deploys: [], fields: {} },
        actor: 'ana',
      }),
    );
  const { id } = await make();
  await expect(make()).rejects.toThrow(/called acme already/);
  expect(await write((tx) => noteSourceSpoke(tx, id))).toBe(true);
  expect(await write(listChangeSources)).toMatchObject([
    { name: 'acme', changes: 0, lastSeenAt: expect.any(Date) },
  ]);
  await write((tx) => removeChangeSource(tx, { orgId: database.orgId, id, actor: 'ana' }));
  expect(await write(listChangeSources)).toEqual([]);
  expect(await write((tx) => noteSourceSpoke(tx, id))).toBe(false);
  await make();
});

test("a change is its source's team's, else the one's that owns its service; others are told only that it was", async () => {
  const { owner, orgId } = database;
  const { rows } = await owner.query<{ id: string }>(
    `insert into teams (org_id, slug, name, match) values
       ($1, 'cart', 'Cart', '{"service": "cart*"}'), ($1, 'money', 'Money', '{}') returning id`,
    [orgId],
  );
  const [cart, money] = rows.map(({ id }) => id);
  await owner.query(`insert into services (org_id, name, team_id) values ($1, 'payment', $2)`, [
    orgId,
    money,
  ]);
  const teamOf = async (id: number) => (await read(id)).teamId;
  const paid = await record({ service: 'Payment' });
  expect(await teamOf(paid)).toBe(money);
  expect(await teamOf(await record({ service: 'cart-api' }))).toBe(cart);
  expect(await teamOf(await record({ service: 'payment' }, { teamId: cart! }))).toBe(cart);
  expect(await teamOf(await record({ service: 'search' }))).toBeNull();
  expect(await teamOf(await record({ service: null }))).toBeNull();
  const seen = await database.db.read({ orgId, teamIds: [cart!] }, (tx) => listChanges(tx, { limit: 9 }));
  expect(seen.items.map(({ service }) => service).sort()).toEqual(['cart-api', null, 'payment', 'search']);

  const window = { from: new Date(start - minute), to: new Date(start + minute), services: ['payment'] };
  for (const [index, [team, hidden]] of [
    [null, true],
    [cart, true],
    [money, false],
  ].entries()) {
    const incidentId = await incident(10 + index, 'payment');
    await owner.query('update incidents set team_id = $1 where id = $2', [team, incidentId]);
    const found = await write((tx) => candidateChanges(tx, { incidentId, ...window }));
    expect(found.find(({ id }) => id === paid)?.ofOtherTeam).toBe(hidden);
  }
});
