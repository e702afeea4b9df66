import { afterAll, beforeAll, expect, test } from 'vitest';
import { addAlertmanager, takeAlert } from '../test/harness/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { observeAlert } from './correlation.ts';
import type { Tx } from './database.ts';
import { closeLostIncident } from './lost-workflows.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.db.write({ orgId: database.orgId }, work);

test('an incident whose workflow was lost is closed after its alerts are locked, as everybody locks them', async () => {
  const { orgId, owner } = database;
  await takeAlert(database, await addAlertmanager(database));
  const { rows: alerts } = await owner.query('select id, version from alerts');
  const { incident } = await write((tx) => observeAlert(tx, { orgId, alertId: alerts[0].id, before: null }));
  const intake = await owner.connect();
  await intake.query('begin');
  await intake.query('select 1 from alerts for update');
  const closing = write((tx) => closeLostIncident(tx, { orgId, incidentId: incident.id, how: 'TERMINATED' }));
  await expect
    .poll(async () => {
      const { rows } = await owner.query(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows[0].n;
    })
    .toBe(1);
  await intake.query('select 1 from incidents for update nowait');
  await intake.query('commit');
  intake.release();
  expect(await closing).toBe(true);
  const { rows } = await owner.query('select version from alerts');
  expect(rows).toEqual([{ version: alerts[0].version + 1 }]);
});

test.each([
  ['judged', null, 'met'],
  ['left paused where it was merged into another', 7, 'paused'],
])('a clock that is paused when the workflow is lost is %s', async (_, mergedInto, state) => {
  const { orgId, owner } = database;
  const { rows } = await owner.query(
    `with i as (
       insert into incidents (org_id, number, title, severity, severity_rank, merged_into)
       values ($1, $2, 'down', 'critical', 0, $3) returning id)
     insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state)
     select $1, id, 'resolve', 'office', now(), now() + interval '1 h', now() + interval '2 h', 'paused' from i
     returning incident_id`,
    [orgId, mergedInto === null ? 50 : 51, mergedInto],
  );
  const incidentId = rows[0].incident_id;
  expect(await write((tx) => closeLostIncident(tx, { orgId, incidentId, how: 'TERMINATED' }))).toBe(true);
  const { rows: clocks } = await owner.query('select state from sla_clocks where incident_id = $1', [
    incidentId,
  ]);
  expect(clocks).toEqual([{ state }]);
});
