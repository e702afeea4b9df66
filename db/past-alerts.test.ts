import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { listPastAlerts } from './past-alerts.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('of alerts that came in one batch the later ones are the newer', async () => {
  const { db, orgId, owner } = database;
  const { rows } = await owner.query(
    `insert into integrations (org_id, kind, name, key_hash) values ($1, 'alertmanager', 'am', '\\x01') returning id`,
    [orgId],
  );
  await owner.query(
    `insert into alerts (id, org_id, integration_id, fingerprint, status, name, severity, severity_rank, labels,
       annotations, starts_at)
     overriding system value
     select n, $1, $2, n::text, 'firing', 'alert ' || n, 'low', 3, '{}', '{}', now() from unnest(array[3, 1, 5, 2, 4]) n`,
    [orgId, rows[0].id],
  );
  const latest = await db.read({ orgId }, (tx) => listPastAlerts(tx, { since: new Date(0), limit: 3 }));
  expect(latest.map(({ name }) => name)).toEqual(['alert 5', 'alert 4', 'alert 3']);
});
