import { sql } from 'kysely';
import type { ClockCount, Counts, SlaFacts, Times } from '../domain/reports/sla.ts';
import { type BusinessCalendar, pausesAfter } from '../domain/sla/business-time.ts';
import { businessCalendar, type SlaCalendar, slaCalendar } from '../domain/sla/calendar.ts';
import { runningMs } from '../domain/sla/clock.ts';
import { burnWords } from '../domain/slo/evaluate.ts';
import { objectiveText } from '../domain/slo/slo.ts';
import type { Tx } from './database.ts';
import { countByReason, countByService, readAutomation, readCourse } from './report-breakdown.ts';
import {
  firstAcknowledged,
  judged,
  ofTeam,
  outage,
  owned,
  ownedAlert,
  type Period,
  timesOf,
} from './report-scope.ts';
import { listSlaCalendars } from './sla-calendars.ts';
import { listSlaPolicies } from './sla-policies.ts';
import { listStandingSlos, type StandingSlo } from './slos.ts';

export interface SlaFactsQuery {
  /** The period itself, then those before it, newest first; at least two. */
  periods: readonly Period[];
  /** Null: of the whole organization. */
  teamId: string | null;
  /** IANA name: the hours of pages are hours of the day there. */
  timeZone: string;
  /** Rows at most in each list; the totals count everything. */
  breachLimit: number;
  alertLimit: number;
  destinationLimit: number;
  serviceLimit: number;
}

/**
 * What the SLA report says, aggregated by the database: a fixed number of statements, however much happened.
 * A clock belongs to the period in which it was decided: met when it ended, breached when it was due. Those of false
 * positives belong to none.
 */
export async function readSlaFacts(tx: Tx, query: SlaFactsQuery): Promise<SlaFacts> {
  const { teamId, periods } = query;
  const [period, previous] = periods;
  if (!period || !previous) throw new RangeError('a report has a period and one before it');
  const breaches = await readBreaches(tx, period, teamId, query.breachLimit);
  return {
    clocks: await countClocks(tx, period, teamId),
    previousClocks: await countClocks(tx, previous, teamId),
    breaches: breaches.items,
    breachTotal: breaches.total,
    acknowledge: await timesToAcknowledge(tx, period, teamId),
    previousAcknowledge: await timesToAcknowledge(tx, previous, teamId),
    resolve: await timesToResolve(tx, period, teamId),
    previousResolve: await timesToResolve(tx, previous, teamId),
    noisiest: await noisiestAlerts(tx, period, teamId, query.alertLimit),
    pages: await pagesByHour(tx, { ...query, period, limit: query.destinationLimit }),
    counts: await countAll(tx, period, teamId),
    previousCounts: await countAll(tx, previous, teamId),
    services: await countByService(tx, period, { teamId, limit: query.serviceLimit }),
    reasons: await countByReason(tx, period, teamId),
    course: await readCourse(tx, periods, teamId),
    automation: await readAutomation(tx, period, teamId),
    // the organization's report has everybody's
    slos: (await listStandingSlos(tx))
      .filter((slo) => teamId === null || slo.teamId === teamId)
      .map(reportedSlo),
  };
}

function reportedSlo({ name, definition, state }: StandingSlo): SlaFacts['slos'][number] {
  const { budgetLeft, burnRate } = state;
  return {
    name,
    objective: objectiveText(definition),
    budgetLeft,
    burn: burnWords(definition, burnRate, budgetLeft),
  };
}

async function countClocks(tx: Tx, { from, to }: Period, teamId: string | null): Promise<ClockCount[]> {
  const { rows } = await sql<ClockCount>`
    select policy, kind, sum(met)::int as met, sum(breached)::int as breached from (
      select policy, kind, 1 as met, 0 as breached from sla_clocks
      where state = 'met' and ended_at >= ${from} and ended_at < ${to}
        ${judged(sql.ref('sla_clocks.incident_id'), teamId)}
      union all
      select policy, kind, 0, 1 from sla_clocks
      where state = 'breached' and due_at >= ${from} and due_at < ${to}
        ${judged(sql.ref('sla_clocks.incident_id'), teamId)}
    ) decided
    group by policy, kind
    order by policy, kind`.execute(tx);
  return rows;
}

async function readBreaches(
  tx: Tx,
  { from, to }: Period,
  teamId: string | null,
  limit: number,
): Promise<{ items: SlaFacts['breaches']; total: number }> {
  let query = tx
    .selectFrom('sla_clocks as c')
    .innerJoin('incidents as i', 'i.id', 'c.incident_id')
    .select([
      'i.number',
      'i.title',
      'i.service',
      'i.severity',
      'i.resolved_at',
      'c.policy',
      'c.kind',
      'c.started_at',
      'c.due_at',
      'c.ended_at',
      'c.calendar',
      'c.breach_reason',
      'c.breach_note',
    ])
    .select([sql<number>`count(*) over ()`.as('total'), firstAcknowledged.as('acknowledged')])
    .where('c.state', '=', 'breached')
    .where('i.status', '<>', 'false_positive')
    .where('c.due_at', '>=', from)
    .where('c.due_at', '<', to)
    .orderBy('c.due_at', 'desc')
    .orderBy('i.number', 'desc')
    .limit(limit);
  if (teamId !== null) query = query.where('i.team_id', '=', teamId);
  const rows = await query.execute();
  const calendars = await calendarsOfPolicies(tx);
  const calendarOf = ({ policy, calendar }: (typeof rows)[number]) =>
    calendar === null ? calendars.get(policy) : openingOf(calendar);
  const items = rows.map((row) => {
    // a breached clock may end with the breach: what was due was done when the incident says so
    const done = row.kind === 'acknowledge' ? (row.acknowledged ?? row.resolved_at) : row.resolved_at;
    return {
      incident: row.number,
      title: row.title,
      service: row.service,
      severity: row.severity,
      policy: row.policy,
      kind: row.kind,
      startedAt: row.started_at.toISOString(),
      dueAt: row.due_at.toISOString(),
      endedAt: done?.toISOString() ?? null,
      lateMs: done && openBetween(calendarOf(row), row.due_at.getTime(), done.getTime()),
      reason: row.breach_reason,
      note: row.breach_note,
    };
  });
  return { items, total: rows[0]?.total ?? 0 };
}

/** Undefined: always. */
function openingOf(calendar: SlaCalendar | Record<string, never>): BusinessCalendar | undefined {
  return calendar.hours === undefined ? undefined : businessCalendar(slaCalendar.parse(calendar));
}

/** By policy, as they are now, for clocks that began before theirs was kept with them; of those that go by one. */
async function calendarsOfPolicies(tx: Tx): Promise<Map<string, BusinessCalendar>> {
  const calendars = new Map(
    (await listSlaCalendars(tx)).map(({ name, definition }) => [name, businessCalendar(definition)]),
  );
  if (calendars.size === 0) return calendars;
  return new Map(
    (await listSlaPolicies(tx)).flatMap(({ name, definition }) => {
      const calendar = calendars.get(definition.calendar);
      return calendar ? [[name, calendar]] : [];
    }),
  );
}

/** Running time: what a clock would have counted on. */
function openBetween(calendar: BusinessCalendar | undefined, from: number, to: number): number {
  return runningMs(from, to, calendar ? pausesAfter(calendar, from, to) : []);
}

async function timesToAcknowledge(tx: Tx, { from, to }: Period, teamId: string | null): Promise<Times> {
  const { rows } = await sql<Times>`
    select ${timesOf(firstAcknowledged)} from incidents
    where ${firstAcknowledged} >= ${from} and ${firstAcknowledged} < ${to} ${owned(teamId)}`.execute(tx);
  return rows[0] ?? { count: 0, meanMs: null, medianMs: null };
}

async function timesToResolve(tx: Tx, { from, to }: Period, teamId: string | null): Promise<Times> {
  const { rows } = await sql<Times>`
    select ${timesOf(sql.ref('resolved_at'))} from incidents
    where resolved_at >= ${from} and resolved_at < ${to} and ${outage} ${owned(teamId)}`.execute(tx);
  return rows[0] ?? { count: 0, meanMs: null, medianMs: null };
}

async function noisiestAlerts(
  tx: Tx,
  { from, to }: Period,
  teamId: string | null,
  limit: number,
): Promise<SlaFacts['noisiest']> {
  const { rows } = await sql<SlaFacts['noisiest'][number]>`
    select name, service, count(*)::int as episodes, sum(occurrences)::int as occurrences,
      count(distinct incident_id)::int as incidents
    from alerts
    where received_at >= ${from} and received_at < ${to} ${ownedAlert(teamId)}
    group by name, service
    order by episodes desc, occurrences desc, name, service
    limit ${limit}`.execute(tx);
  return rows;
}

/** The busiest people first, and channels by their destination; those beyond the limit together as 'others'. */
export async function pagesByHour(
  tx: Tx,
  args: { period: Period; teamId: string | null; timeZone: string; limit: number },
): Promise<SlaFacts['pages']> {
  const { from, to } = args.period;
  const { rows } = await sql<{ destination: string; hour: number; pages: number }>`
    with pages as (
      select coalesce(person, destination) as destination,
        extract(hour from created_at at time zone ${args.timeZone})::int as hour
      from notifications
      where created_at >= ${from} and created_at < ${to} and type = 'escalation.page' and status = 'sent'
        ${ofTeam(sql.ref('notifications.incident_id'), args.teamId)}
    ),
    busiest as (
      select destination from pages group by destination order by count(*) desc, destination limit ${args.limit}
    )
    select coalesce(b.destination, 'others') as destination, p.hour, count(*)::int as pages
    from pages p left join busiest b using (destination)
    group by 1, 2`.execute(tx);
  const byDestination = new Map<string, number[]>();
  for (const row of rows) {
    const hours = byDestination.get(row.destination) ?? new Array<number>(24).fill(0);
    hours[row.hour] = row.pages;
    byDestination.set(row.destination, hours);
  }
  return [...byDestination].map(([destination, byHour]) => ({ destination, byHour }));
}

async function countAll(tx: Tx, { from, to }: Period, teamId: string | null): Promise<Counts> {
  const own = owned(teamId);
  const { rows } = await sql<Counts>`
    select
      (select count(*) from alerts
       where received_at >= ${from} and received_at < ${to} ${ownedAlert(teamId)})::int as alerts,
      -- what was merged into another incident is that incident's outage
      (select count(*) from incidents
       where opened_at >= ${from} and opened_at < ${to} and merged_into is null ${own})::int as incidents,
      (select count(*) from incidents
       where resolved_at >= ${from} and resolved_at < ${to} and ${outage} ${own})::int as resolved,
      (select count(*) from incidents
       where resolved_at >= ${from} and resolved_at < ${to} and status = 'false_positive' ${own})::int
        as "falsePositives",
      -- open then: opened before, and not resolved by then
      (select count(*) from incidents
       where opened_at < ${to} and resolved_at >= ${to} and merged_into is null ${own})::int
        + (select count(*) from incidents where closed_at is null and resolved_at is null and opened_at < ${to} ${own})::int
        as open,
      (select count(*) from notifications
       where created_at >= ${from} and created_at < ${to} and status = 'sent'
         ${ofTeam(sql.ref('notifications.incident_id'), teamId)})::int as notifications,
      (select count(*) from executions where created_at >= ${from} and created_at < ${to} ${own})::int as executions,
      (select count(*) from executions
       where created_at >= ${from} and created_at < ${to} and status = 'succeeded' ${own})::int
        as "executionsSucceeded"`.execute(tx);
  const [counts] = rows;
  if (!counts) throw new Error('a select without a from clause answered no row');
  return counts;
}
