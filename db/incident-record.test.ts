import { afterAll, beforeAll, expect, test } from 'vitest';
import { slaPolicy } from '../domain/policies.ts';
import { slaCalendar } from '../domain/sla/calendar.ts';
import { startClocks } from '../domain/sla/clock.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { standing } from '../test/harness/incident-standing.ts';
import { type IncidentRecord, recordIncident } from './incident-record.ts';
import { putSlaCalendar } from './sla-calendars.ts';
import { putSlaPolicy } from './sla-policies.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

async function openIncident(number: number): Promise<string> {
  const { rows } = await database.owner.query<{ id: string }>(
    `insert into incidents (org_id, number, title, severity, severity_rank)
     values ($1, $2, 'x', 'critical', 1) returning id`,
    [database.orgId, number],
  );
  return rows[0]!.id;
}

async function record(
  incidentId: string,
  seq: number,
  given: Partial<IncidentRecord['standing']>,
): Promise<void> {
  const { orgId } = database;
  const written = { orgId, incidentId, seq, deadlines: [], entries: [], standing: standing(given) };
  await database.db.write({ orgId }, (tx) => recordIncident(tx, written));
}

test('keeps when an incident was acknowledged first, also when it is reopened and acknowledged again', async () => {
  const incidentId = await openIncident(1);
  const acknowledgedAfter = async (seq: number, acknowledged: IncidentRecord['standing']['acknowledged']) => {
    await record(incidentId, seq, { acknowledged });
    const { rows: read } = await database.owner.query(
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

test('keeps with a clock the calendar by which it began, until another policy takes it over', async () => {
  const { db, orgId, owner } = database;
  const by = { orgId, actor: 'ana@example.com' };
  const calendar = (to: string) =>
    slaCalendar.parse({ timeZone: 'UTC', hours: { mon: [{ from: '09:00', to }] } });
  const openUntil = (to: string) =>
    db.write({ orgId }, (tx) => putSlaCalendar(tx, { ...by, name: 'office', definition: calendar(to) }));
  const policy = (name: string, order: number, of: object) => {
    const definition = slaPolicy.parse({ order, acknowledgeWithin: '5m', resolveWithin: '30m', ...of });
    return db.write({ orgId }, (tx) => putSlaPolicy(tx, { ...by, name, definition }));
  };
  await openUntil('17:00');
  await policy('office hours', 1, { calendar: 'office' });
  await policy('always', 2, {});
  const incidentId = await openIncident(2);
  const calendarsAfter = async (seq: number, name: string) => {
    const times = { policy: name, acknowledgeMs: 300_000, resolveMs: 1_800_000 };
    await record(incidentId, seq, { clocks: startClocks(times, 0) });
    const { rows } = await owner.query('select calendar from sla_clocks where incident_id = $1', [
      incidentId,
    ]);
    return rows.map((row) => row.calendar);
  };
  expect(await calendarsAfter(1, 'office hours')).toEqual([calendar('17:00'), calendar('17:00')]);
  await openUntil('18:00');
  expect(await calendarsAfter(2, 'office hours')).toEqual([calendar('17:00'), calendar('17:00')]);
  expect(await calendarsAfter(3, 'always')).toEqual([{}, {}]);
  expect(await calendarsAfter(4, 'office hours')).toEqual([calendar('18:00'), calendar('18:00')]);
});
