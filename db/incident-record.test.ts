import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { type IncidentRecord, recordIncident } from './incident-record.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('keeps when an incident was acknowledged first, also when it is reopened and acknowledged again', async () => {
  const { db, orgId, owner } = database;
  const { rows } = await owner.query<{ id: string }>(
    `insert into incidents (org_id, number, title, severity, severity_rank)
     values ($1, 1, 'x', 'critical', 1) returning id`,
    [orgId],
  );
  const incidentId = rows[0]!.id;
  const acknowledgedAfter = async (seq: number, acknowledged: IncidentRecord['standing']['acknowledged']) => {
    const standing: IncidentRecord['standing'] = {
      status: 'investigating',
      acknowledged,
      assignedTo: null,
      snoozedUntil: null,
      silencedUntil: null,
      openings: 1,
      escalationFrom: 0,
      resolved: null,
      clocks: [],
      escalationPolicy: null,
      cause: null,
    };
    const record = { orgId, incidentId, seq, deadlines: [], entries: [], standing };
    await db.write({ orgId }, (tx) => recordIncident(tx, record));
    const { rows: read } = await owner.query(
      'select acknowledged_at as last, first_acknowledged_at as first from incidents where id = $1',
      [incidentId],
    );
    return [read[0].first?.getTime() ?? null, read[0].last?.getTime() ?? null];
  };
  expect(await acknowledgedAfter(1, null)).toEqual([null, null]);
  expect(await acknowledgedAfter(2, { at: 5_000, by: 'ana' })).toEqual([5_000, 5_000]);
  expect(await acknowledgedAfter(3, null)).toEqual([5_000, null]);
  expect(await acknowledgedAfter(4, { at: 9_000, by: 'ben' })).toEqual([5_000, 9_000]);
});
