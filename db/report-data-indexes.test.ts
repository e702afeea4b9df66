import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reportPeriods } from '../domain/reports/period.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { readSlaFacts } from './report-data.ts';

/** A year of a busy organization: the report of one week must not read the other fifty-one. */
const year = { incidents: 50_000, alerts: 100_000, notifications: 100_000 };

/** Has every other incident. */
const teamId = '00000000-0000-4000-a000-000000000000';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
  const { orgId } = test;
  const owner = await test.owner.connect();
  // without triggers, which would look up what each row refers to
  await owner.query('set session_replication_role = replica');
  const spread = (n: number) => `timestamptz '2026-11-16' - interval '365 days' * (g.n::float8 / ${n})`;
  await owner.query(`insert into teams (org_id, id, slug, name) values ($1, $2, 'red', 'Red')`, [
    orgId,
    teamId,
  ]);
  await owner.query(
    `insert into incidents (org_id, team_id, number, title, severity, severity_rank, opened_at, acknowledged_at,
       resolved_at, closed_at, status)
     select $1, case when n % 2 = 0 then $2::uuid end, n, 'down', 'critical', 0, at, at + interval '2 minutes',
       at + interval '1 hour', at + interval '1 hour', 'resolved'
     from (select g.n, ${spread(year.incidents)} as at from generate_series(1, ${year.incidents}) g(n)) i`,
    [orgId, teamId],
  );
  await owner.query(
    `insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state, ended_at)
     select org_id, id, kind, 'Critical', opened_at, opened_at, opened_at + interval '5 minutes',
       case when number % 10 = 0 then 'breached' else 'met' end, acknowledged_at
     from incidents, unnest(array['acknowledge', 'resolve']) kind`,
  );
  const { rows } = await owner.query<{ id: string }>(
    `insert into integrations (org_id, kind, name, key_hash) values ($1, 'alertmanager', 'am', '\\x01') returning id`,
    [orgId],
  );
  await owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, labels,
       annotations, starts_at, received_at, incident_id)
     select $1, $2, n::text, 'resolved', 'Alert' || n % 50, 'critical', 0, '{}', '{}', at, at, i.id
     from (select g.n, ${spread(year.alerts)} as at from generate_series(1, ${year.alerts}) g(n)) a
       join incidents i on i.number = (a.n + 1) / 2`,
    [orgId, rows[0]!.id],
  );
  await owner.query(
    `insert into notifications (org_id, key, type, channel, destination, subject, status, created_at)
     select $1, n::text, 'escalation.page', 'email', 'p' || n % 80 || '@example.com', 's', 'sent', at
     from (select g.n, ${spread(year.notifications)} as at from generate_series(1, ${year.notifications}) g(n)) a`,
    [orgId],
  );
  await owner.query('reset session_replication_role');
  await owner.query('analyze');
  owner.release();
}, 120_000);
afterAll(() => test.close());

it.each([
  ['the organization', null, 1],
  ['a team', teamId, 2],
])('reads a week of %s out of a year by indexes, in well under a second', async (_, of, parts) => {
  const { facts, scans, milliseconds } = await test.db.read({ orgId: test.orgId }, async (tx) => {
    const startedAt = performance.now();
    const facts = await readSlaFacts(tx, {
      periods: reportPeriods(Date.parse('2026-11-16T00:00:00Z'), {
        span: 'week',
        timeZone: 'UTC',
        count: 8,
      }).map(({ from, to }) => ({ from: new Date(from), to: new Date(to) })),
      teamId: of,
      serviceLimit: 20,
      timeZone: 'UTC',
      breachLimit: 200,
      alertLimit: 10,
      destinationLimit: 50,
    });
    const milliseconds = performance.now() - startedAt;
    const { rows } = await sql<{ relname: string; seq_scan: number }>`
      select relname, seq_scan from pg_stat_xact_user_tables
      where relname in ('incidents', 'sla_clocks', 'alerts', 'notifications', 'executions')`.execute(tx);
    return {
      facts,
      milliseconds,
      scans: rows.filter((row) => row.seq_scan > 0 && row.relname !== 'executions'),
    };
  });
  expect(facts.counts.incidents).toBeGreaterThan(900 / parts);
  expect(facts.counts.alerts).toBeGreaterThan(1800 / parts);
  expect(facts.breachTotal).toBeGreaterThan(150 / parts);
  expect(facts.pages.length).toBe(of === null ? 51 : 0);
  expect(facts.breaches.length).toBeLessThanOrEqual(200);
  expect(scans).toEqual([]);
  expect(milliseconds).toBeLessThan(3000);
});
