import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { learnCalls, learnFromAlerts, learnServices } from './observed-topology.ts';
import { readGraph } from './topology.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query('truncate services, service_dependencies');
});

const learn = (...alerts: { service: string | null; labels: Record<string, string> }[]) =>
  database.db.write({ orgId: database.orgId }, (tx) =>
    learnFromAlerts(tx, { orgId: database.orgId, alerts }),
  );
const graph = () => database.db.read({ orgId: database.orgId }, readGraph);

describe('what alerts teach', () => {
  test('services and calls, once each, also when they come a hundred times', async () => {
    const alert = { service: 'web', labels: { destination_service: 'reviews.shop.svc.cluster.local' } };
    await learn(...Array(100).fill(alert), { service: null, labels: {} });
    await learn(alert);
    expect(await graph()).toEqual([{ from: 'web', to: 'reviews' }]);
    const { rows } = await database.owner.query(
      `select d.observed_in, d.calls, array(select name from services order by name) as services
       from service_dependencies d`,
    );
    expect(rows).toEqual([{ observed_in: 'labels', calls: 0, services: ['reviews', 'web'] }]);
  });

  test('a service that people declared keeps its kind, another gets the one that says more', async () => {
    await database.owner.query(
      `insert into services (org_id, name, kind, declared) values ($1, 'pool', 'infrastructure', true)`,
      [database.orgId],
    );
    await database.db.write({ orgId: database.orgId }, (tx) =>
      learnServices(tx, {
        orgId: database.orgId,
        services: [
          { name: 'pool', kind: 'database' },
          { name: 'pg', kind: 'database' },
          { name: 'pg', kind: 'service' },
        ],
      }),
    );
    const { rows } = await database.owner.query('select name, kind from services order by name');
    expect(rows).toEqual([
      { name: 'pg', kind: 'database' },
      { name: 'pool', kind: 'infrastructure' },
    ]);
  });

  test('names from outside do not grow without end, and those that are there stay up to date', async () => {
    await database.owner.query(
      `insert into services (org_id, name, last_seen_at)
       select $1, 'id-' || n, now() - interval '1 day' from generate_series(1, 10000) n`,
      [database.orgId],
    );
    await learn({ service: 'one-more', labels: {} }, { service: 'id-7', labels: {} });
    const { rows } = await database.owner.query(
      `select count(*) as count, count(*) filter (where last_seen_at > now() - interval '1 hour') as seen from services`,
    );
    expect(rows).toEqual([{ count: 10_000, seen: 1 }]);
  });
});

describe('the graph', () => {
  test('has what was declared or seen within the week, and nothing of another organization', async () => {
    const { rows } = await database.owner.query<{ org_id: string }>(
      `insert into organizations (slug, name) values ('other', 'Other') returning org_id`,
    );
    await database.owner.query(
      `insert into service_dependencies (org_id, caller, callee, declared, last_seen_at) values
       ($1, 'declared', 'db', true, null),
       ($1, 'seen', 'db', false, now() - interval '6 days'),
       ($1, 'gone', 'db', false, now() - interval '8 days'),
       ($2, 'foreign', 'db', true, null)`,
      [database.orgId, rows[0]!.org_id],
    );
    expect(await graph()).toEqual([
      { from: 'declared', to: 'db' },
      { from: 'seen', to: 'db' },
    ]);
  });

  test('calls do not grow without end either, and those that are there go on counting', async () => {
    await database.owner.query(
      `insert into service_dependencies (org_id, caller, callee, observed_in, calls, last_seen_at)
       select $1, 'id-' || n, 'db', 'traces', 1, now() from generate_series(1, 20000) n`,
      [database.orgId],
    );
    await database.db.write({ orgId: database.orgId }, (tx) =>
      learnCalls(tx, {
        orgId: database.orgId,
        calls: ['one-more', 'id-7'].map((caller) => ({ caller, callee: 'db', calls: 3, errors: 0 })),
        observedIn: 'traces',
      }),
    );
    const { rows } = await database.owner.query(
      'select count(*) as count, sum(calls) as calls from service_dependencies',
    );
    expect(rows).toEqual([{ count: 20_000, calls: '20003' }]);
  });

  test('calls are added up, and a service does not call itself', async () => {
    const call = { caller: 'web', callee: 'api', calls: 2, errors: 1 };
    const add = () =>
      database.db.write({ orgId: database.orgId }, (tx) =>
        learnCalls(tx, {
          orgId: database.orgId,
          calls: [call, call, { ...call, callee: 'web' }],
          observedIn: 'traces',
        }),
      );
    await add();
    await add();
    const { rows } = await database.owner.query(
      'select caller, callee, calls, errors from service_dependencies',
    );
    expect(rows).toEqual([{ caller: 'web', callee: 'api', calls: 8, errors: 4 }]);
  });
});
