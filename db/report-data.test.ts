import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slaPolicy } from '../domain/policies.ts';
import { slaCalendar } from '../domain/sla/calendar.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { readSlaFacts, type SlaFactsQuery } from './report-data.ts';
import { putSlaCalendar } from './sla-calendars.ts';
import { putSlaPolicy } from './sla-policies.ts';

const week: SlaFactsQuery = {
  periods: [
    { from: new Date('2026-11-09T00:00:00Z'), to: new Date('2026-11-16T00:00:00Z') },
    { from: new Date('2026-11-02T00:00:00Z'), to: new Date('2026-11-09T00:00:00Z') },
  ],
  teamId: null,
  serviceLimit: 20,
  timeZone: 'Europe/Berlin',
  breachLimit: 2,
  alertLimit: 2,
  destinationLimit: 1,
};

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
  await seed(test);
});
afterAll(() => test.close());

const facts = () => test.db.read({ orgId: test.orgId }, (tx) => readSlaFacts(tx, week));

describe('readSlaFacts', () => {
  it('counts a clock in the period in which it was decided', async () => {
    const { clocks, previousClocks } = await facts();
    expect(clocks).toEqual([
      { policy: 'Critical', kind: 'acknowledge', met: 2, breached: 1 },
      { policy: 'Critical', kind: 'resolve', met: 0, breached: 2 },
    ]);
    expect(previousClocks).toEqual([{ policy: 'Critical', kind: 'acknowledge', met: 1, breached: 0 }]);
  });

  it('lists the newest breaches up to the limit, counts all, and says when what was due was done', async () => {
    const { breaches, breachTotal } = await facts();
    expect(breachTotal).toBe(3);
    expect(breaches.map((breach) => [breach.incident, breach.kind, breach.endedAt])).toEqual([
      [3, 'resolve', null],
      [2, 'resolve', '2026-11-11T12:00:00.000Z'],
    ]);
  });

  it('measures the times from opening, false positives aside', async () => {
    const { acknowledge, resolve, previousAcknowledge } = await facts();
    // 2, 4 and 30 minutes
    expect(acknowledge).toEqual({ count: 3, meanMs: 720_000, medianMs: 240_000 });
    // 20 minutes and 2 hours; the false positive of 10 minutes does not count
    expect(resolve).toEqual({ count: 2, meanMs: 4_200_000, medianMs: 4_200_000 });
    expect(previousAcknowledge.count).toBe(1);
  });

  it('takes the clocks of a false positive as neither kept nor breached', async () => {
    const { owner, orgId, db } = test;
    await owner.query(`update incidents set status = 'false_positive' where number in (1, 2)`);
    const { rows } = await owner.query<{ id: string }>(
      `insert into teams (org_id, slug, name) values ($1, 'everybody', 'Everybody') returning id`,
      [orgId],
    );
    for (const teamId of [null, rows[0]!.id]) {
      await owner.query('update incidents set team_id = $1', [teamId]);
      const judged = await db.read({ orgId }, (tx) => readSlaFacts(tx, { ...week, teamId }));
      expect(judged.clocks).toEqual([
        { policy: 'Critical', kind: 'acknowledge', met: 1, breached: 0 },
        { policy: 'Critical', kind: 'resolve', met: 0, breached: 1 },
      ]);
      expect(judged.breaches.map(({ incident }) => incident)).toEqual([3]);
      expect(judged).toMatchObject({ breachTotal: 1, reasons: [{ reason: null, count: 1 }] });
      expect(judged.services).toEqual([{ service: 'checkout', met: 1, breached: 1 }]);
      expect(judged.course.map(({ met, breached }) => [met, breached])).toEqual([
        [1, 0],
        [1, 1],
      ]);
    }
    await owner.query(`update incidents set team_id = null`);
    await owner.query(`update incidents set status = 'resolved' where number in (1, 2)`);
  });

  it('names the noisiest alerts by episodes', async () => {
    const { noisiest } = await facts();
    expect(noisiest).toEqual([
      { name: 'DiskFull', service: 'db', episodes: 3, occurrences: 30, incidents: 1 },
      { name: 'HighCpu', service: 'api', episodes: 1, occurrences: 4, incidents: 1 },
    ]);
  });

  it('counts sent pages by person and hour of the day there', async () => {
    const { pages } = await facts();
    const byName = Object.fromEntries(pages.map((page) => [page.destination, page.byHour]));
    // 02:00 UTC is 03:00 in Berlin in November
    expect(byName['ana@example.com']![3]).toBe(2);
    expect(byName['ana@example.com']!.reduce((sum, count) => sum + count)).toBe(2);
    expect(byName.others![15]).toBe(1);
  });

  it('counts what came in, what came of it, and what is still open at the end', async () => {
    const { counts } = await facts();
    expect(counts).toEqual({
      alerts: 5,
      incidents: 4,
      resolved: 2,
      falsePositives: 1,
      open: 1,
      notifications: 4,
      executions: 2,
      executionsSucceeded: 1,
    });
  });

  it('counts what people said of breaches, by service and by period', async () => {
    const { breaches, reasons, services, course } = await facts();
    expect(reasons).toEqual([
      { reason: null, count: 2 },
      { reason: 'complex_cause', count: 1 },
    ]);
    expect(breaches[1]).toMatchObject({ incident: 2, reason: 'complex_cause', note: 'two at once' });
    expect(services).toEqual([{ service: 'checkout', met: 2, breached: 3 }]);
    expect(
      course.map(({ from, met, breached, acknowledge }) => [from, met, breached, acknowledge.count]),
    ).toEqual([
      ['2026-11-02T00:00:00.000Z', 1, 0, 1],
      ['2026-11-09T00:00:00.000Z', 2, 3, 3],
    ]);
  });

  it('takes an incident for a runbook’s that ended by itself after one had succeeded', async () => {
    const { automation } = await facts();
    expect(automation).toEqual({ resolved: 2, byRunbook: 1, medianMs: 1_200_000, othersMedianMs: 7_200_000 });
  });

  it('counts for a team what is the team’s alone', async () => {
    const { rows } = await test.owner.query<{ id: string }>(
      `insert into teams (org_id, slug, name) values ($1, 'red', 'Red') returning id`,
      [test.orgId],
    );
    const teamId = rows[0]!.id;
    await test.owner.query(`update incidents set team_id = $1 where number = 2`, [teamId]);
    const objective = {
      objectivePercent: 99,
      windowDays: 30,
      indicator: { type: 'error_ratio', errorRatio: 'x[$window]' },
    };
    await test.owner.query(
      `insert into slos (org_id, name, team_id, definition) values ($1, 'reds', $2, $3), ($1, 'everybody', null, $3)`,
      [test.orgId, teamId, JSON.stringify(objective)],
    );
    const own = await test.db.read({ orgId: test.orgId }, (tx) => readSlaFacts(tx, { ...week, teamId }));
    expect(own.clocks).toEqual([
      { policy: 'Critical', kind: 'acknowledge', met: 0, breached: 1 },
      { policy: 'Critical', kind: 'resolve', met: 0, breached: 1 },
    ]);
    expect(own.breaches.map(({ incident }) => incident)).toEqual([2, 2]);
    expect(own.counts).toMatchObject({ incidents: 1, resolved: 1, alerts: 1 });
    expect(own).toMatchObject({
      noisiest: [{ name: 'HighCpu', service: 'api', episodes: 1, occurrences: 4, incidents: 1 }],
      services: [{ service: 'checkout', met: 0, breached: 2 }],
      pages: [],
      slos: [{ name: 'reds' }],
    });
    await test.owner.query(`update incidents set team_id = null`);
  });

  it('measures to the first acknowledgement of what was reopened, and leaves out what was merged away', async () => {
    const { owner, orgId, db } = test;
    await owner.query(
      `insert into incidents (org_id, number, title, severity, severity_rank, status, opened_at,
         first_acknowledged_at, acknowledged_at, resolved_at, merged_into)
       values
         ($1, 20, 'again', 'critical', 0, 'resolved', '2026-09-01T10:00Z', '2026-09-01T10:05Z', '2026-09-01T10:45Z',
          '2026-09-01T11:00Z', null),
         ($1, 21, 'back', 'critical', 0, 'investigating', '2026-09-02T10:00Z', '2026-09-02T10:05Z', null, null, null),
         ($1, 22, 'merged', 'critical', 0, 'resolved', '2026-09-03T10:00Z', null, null, '2026-09-03T10:01Z', 20)`,
      [orgId],
    );
    const periods = ['2026-08-31', '2026-08-24'].map((day) => {
      const from = new Date(`${day}T00:00:00Z`);
      return { from, to: new Date(from.getTime() + 7 * 86_400_000) };
    });
    const then = await db.read({ orgId }, (tx) => readSlaFacts(tx, { ...week, periods }));
    expect(then.acknowledge).toEqual({ count: 2, meanMs: 300_000, medianMs: 300_000 });
    expect(then.resolve).toEqual({ count: 1, meanMs: 3_600_000, medianMs: 3_600_000 });
    expect(then.course.at(-1)).toMatchObject({ acknowledge: then.acknowledge, resolve: then.resolve });
    expect(then.automation.resolved).toBe(1);
    expect(then.counts).toMatchObject({ incidents: 2, resolved: 1, open: 1 });
    await owner.query('delete from incidents where number between 20 and 22');
  });

  it('says how late it was in the time that the calendar of the SLA is open', async () => {
    const { owner, orgId, db } = test;
    const office = {
      timeZone: 'UTC',
      hours: { tue: [{ from: '09:00', to: '10:15' }], wed: [{ from: '09:00', to: '10:15' }] },
    };
    const policy = { order: 1, acknowledgeWithin: '5m', resolveWithin: '30m', calendar: 'office' };
    await db.write({ orgId }, async (tx) => {
      const by = { orgId, actor: 'ana@example.com' };
      await putSlaCalendar(tx, { ...by, name: 'office', definition: slaCalendar.parse(office) });
      await putSlaPolicy(tx, { ...by, name: 'Critical', definition: slaPolicy.parse(policy) });
    });
    const { breaches } = await db.read({ orgId }, (tx) => readSlaFacts(tx, { ...week, breachLimit: 10 }));
    // #2 opened on a Wednesday at 10:00: acknowledged at 10:30, and due at 10:05
    expect(breaches.map(({ incident, kind, lateMs }) => [incident, kind, lateMs])).toEqual([
      [3, 'resolve', null],
      [2, 'resolve', 0],
      [2, 'acknowledge', 10 * 60_000],
    ]);
    // they opened before it was edited: one by other hours, and one when the policy had none
    const keep = async (kind: string, calendar: object) =>
      await owner.query(
        `update sla_clocks set calendar = $1 from incidents i where i.id = incident_id and number = 2 and kind = $2`,
        [JSON.stringify(calendar), kind],
      );
    await keep('acknowledge', {
      timeZone: 'UTC',
      hours: { wed: [{ from: '09:00', to: '10:07' }] },
      holidays: [],
    });
    await keep('resolve', {});
    const { breaches: kept } = await db.read({ orgId }, (tx) =>
      readSlaFacts(tx, { ...week, breachLimit: 10 }),
    );
    expect(kept.map(({ lateMs }) => lateMs)).toEqual([null, 90 * 60_000, 2 * 60_000]);
    await owner.query('update sla_clocks set calendar = null');
    await owner.query(`delete from sla_policies where name = 'Critical'`);
    const { breaches: always } = await db.read({ orgId }, (tx) =>
      readSlaFacts(tx, { ...week, breachLimit: 10 }),
    );
    expect(always.map(({ lateMs }) => lateMs)).toEqual([null, 90 * 60_000, 25 * 60_000]);
  });

  it('sees nothing of another organization', async () => {
    const { rows } = await test.owner.query<{ org_id: string }>(
      `insert into organizations (slug, name) values ('other', 'Other') returning org_id`,
    );
    const other = await test.db.read({ orgId: rows[0]!.org_id }, (tx) => readSlaFacts(tx, week));
    expect(other.clocks).toEqual([]);
    expect(other.counts.alerts).toBe(0);
    expect(other.acknowledge).toEqual({ count: 0, meanMs: null, medianMs: null });
  });
});

async function seed({ owner, orgId }: TestDatabase): Promise<void> {
  const incident = async (
    number: number,
    opened: string,
    acknowledged: string | null,
    resolved: string | null,
    status = 'resolved',
  ) => {
    const { rows } = await owner.query<{ id: string }>(
      `insert into incidents (org_id, number, title, severity, severity_rank, service, opened_at,
         acknowledged_at, resolved_at, closed_at, status)
       values ($1, $2, 'down', 'critical', 0, 'checkout', $3, $4, $5, $5, $6) returning id`,
      [orgId, number, opened, acknowledged, resolved, resolved ? status : 'created'],
    );
    return rows[0]!.id;
  };
  const clock = (id: string, kind: string, state: string, due: string, ended: string | null) =>
    owner.query(
      `insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state, ended_at)
       values ($1, $2, $3, 'Critical', $4, $4, $4, $5, $6)`,
      [orgId, id, kind, due, state, ended],
    );

  const before = await incident(9, '2026-11-05T10:00Z', '2026-11-05T10:05Z', '2026-11-05T10:30Z');
  await clock(before, 'acknowledge', 'met', '2026-11-05T10:05Z', '2026-11-05T10:04Z');
  const first = await incident(1, '2026-11-10T10:00Z', '2026-11-10T10:02Z', '2026-11-10T10:20Z');
  await clock(first, 'acknowledge', 'met', '2026-11-10T10:05Z', '2026-11-10T10:02Z');
  const second = await incident(2, '2026-11-11T10:00Z', '2026-11-11T10:30Z', '2026-11-11T12:00Z');
  await clock(second, 'acknowledge', 'breached', '2026-11-11T10:05Z', '2026-11-11T10:05Z');
  await clock(second, 'resolve', 'breached', '2026-11-11T10:30Z', '2026-11-11T10:30Z');
  await owner.query(
    `update sla_clocks set breach_reason = 'complex_cause', breach_note = 'two at once'
     where incident_id = $1 and kind = 'resolve'`,
    [second],
  );
  const third = await incident(3, '2026-11-12T10:00Z', '2026-11-12T10:04Z', null);
  await clock(third, 'acknowledge', 'met', '2026-11-12T10:05Z', '2026-11-12T10:04Z');
  await clock(third, 'resolve', 'breached', '2026-11-12T10:30Z', null);
  const fourth = await incident(4, '2026-11-13T10:00Z', null, '2026-11-13T10:10Z', 'false_positive');
  await clock(fourth, 'acknowledge', 'running', '2026-11-13T10:05Z', null);
  // after the period
  const fifth = await incident(5, '2026-11-16T00:00Z', '2026-11-16T00:01Z', null);
  await clock(fifth, 'acknowledge', 'met', '2026-11-16T00:05Z', '2026-11-16T00:01Z');

  const { rows: integrations } = await owner.query<{ id: string }>(
    `insert into integrations (org_id, kind, name, key_hash) values ($1, 'alertmanager', 'am', '\\x01') returning id`,
    [orgId],
  );
  const alert = (name: string, service: string, occurrences: number, incidentId: string) =>
    owner.query(
      `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service,
         labels, annotations, starts_at, received_at, occurrences, incident_id)
       values ($1, $2, $3, 'resolved', $3, 'critical', 0, $4, '{}', '{}', now(), '2026-11-10T10:00Z', $5, $6)`,
      [orgId, integrations[0]!.id, name, service, occurrences, incidentId],
    );
  for (let i = 0; i < 3; i++) await alert('DiskFull', 'db', 10, first);
  await alert('HighCpu', 'api', 4, second);
  await alert('Once', 'api', 1, third);

  const page = (to: string, at: string, type = 'escalation.page', status = 'sent') =>
    owner.query(
      `insert into notifications (org_id, key, type, channel, destination, subject, status, created_at)
       values ($1, gen_random_uuid(), $2, 'email', $3, 's', $4, $5)`,
      [orgId, type, to, status, at],
    );
  await page('#operations', '2026-11-10T02:00Z');
  await owner.query(`update notifications set person = 'ana@example.com' where destination = '#operations'`);
  await page('ana@example.com', '2026-11-11T02:30Z');
  await page('ben@example.com', '2026-11-11T14:00Z');
  await page('ben@example.com', '2026-11-11T14:00Z', 'escalation.page', 'failed');
  await page('ben@example.com', '2026-11-11T14:00Z', 'incident.resolved');

  await owner.query(`update incidents set resolved_by = 'Holdfast' where number = 1`);
  for (const status of ['succeeded', 'rolled_back']) {
    await owner.query(
      `insert into executions (org_id, runbook, runbook_version, requested_by, mode, target, inputs, status,
         created_at, finished_at, incident_id, workflow_id)
       values ($1, 'r', 1, 'ana', 'manual', 't', '{}', $2, '2026-11-10T10:00Z', '2026-11-10T10:15Z', $3, 'w')`,
      [orgId, status, first],
    );
  }
}
