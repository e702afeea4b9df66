import { sql } from 'kysely';
import type { ClockCount, Counts, SlaFacts, Times } from '../domain/reports/sla.ts';
import type { Tx } from './database.ts';

/** A period: from `from`, inclusive, to `to`, exclusive. */
export interface Period {
  from: Date;
  to: Date;
}

export interface SlaFactsQuery {
  period: Period;
  /** IANA name: the hours of pages are hours of the day there. */
  timeZone: string;
  /** Rows at most in each list; the totals count everything. */
  breachLimit: number;
  alertLimit: number;
  destinationLimit: number;
}

/**
 * What the SLA report says, aggregated by the database: a fixed number of statements, however much happened.
 * A clock belongs to the period in which it was decided: met when it ended, breached when it was due.
 */
export async function readSlaFacts(tx: Tx, query: SlaFactsQuery): Promise<SlaFacts> {
  const { period } = query;
  const previous = periodBefore(period);
  const breaches = await readBreaches(tx, period, query.breachLimit);
  return {
    clocks: await countClocks(tx, period),
    previousClocks: await countClocks(tx, previous),
    breaches: breaches.items,
    breachTotal: breaches.total,
    acknowledge: await timesToAcknowledge(tx, period),
    previousAcknowledge: await timesToAcknowledge(tx, previous),
    resolve: await timesToResolve(tx, period),
    previousResolve: await timesToResolve(tx, previous),
    noisiest: await noisiestAlerts(tx, period, query.alertLimit),
    pages: await pagesByHour(tx, period, query.timeZone, query.destinationLimit),
    counts: await countAll(tx, period),
    previousCounts: await countAll(tx, previous),
  };
}

/** The period of equal length that ends where this one begins. */
export function periodBefore(period: Period): Period {
  const length = period.to.getTime() - period.from.getTime();
  return { from: new Date(period.from.getTime() - length), to: period.from };
}

async function countClocks(tx: Tx, { from, to }: Period): Promise<ClockCount[]> {
  const { rows } = await sql<ClockCount>`
    select policy, kind, sum(met)::int as met, sum(breached)::int as breached from (
      select policy, kind, 1 as met, 0 as breached from sla_clocks
      where state = 'met' and ended_at >= ${from} and ended_at < ${to}
      union all
      select policy, kind, 0, 1 from sla_clocks
      where state = 'breached' and due_at >= ${from} and due_at < ${to}
    ) decided
    group by policy, kind
    order by policy, kind`.execute(tx);
  return rows;
}

async function readBreaches(
  tx: Tx,
  { from, to }: Period,
  limit: number,
): Promise<{ items: SlaFacts['breaches']; total: number }> {
  const rows = await tx
    .selectFrom('sla_clocks as c')
    .innerJoin('incidents as i', 'i.id', 'c.incident_id')
    .select([
      'i.number',
      'i.title',
      'i.service',
      'i.severity',
      'i.acknowledged_at',
      'i.resolved_at',
      'c.policy',
      'c.kind',
      'c.started_at',
      'c.due_at',
      'c.ended_at',
    ])
    .select(sql<number>`count(*) over ()`.as('total'))
    .where('c.state', '=', 'breached')
    .where('c.due_at', '>=', from)
    .where('c.due_at', '<', to)
    .orderBy('c.due_at', 'desc')
    .orderBy('i.number', 'desc')
    .limit(limit)
    .execute();
  const items = rows.map((row) => {
    // a breached clock may end with the breach: what was due was done when the incident says so
    const done = row.kind === 'acknowledge' ? (row.acknowledged_at ?? row.resolved_at) : row.resolved_at;
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
    };
  });
  return { items, total: rows[0]?.total ?? 0 };
}

async function timesToAcknowledge(tx: Tx, { from, to }: Period): Promise<Times> {
  const { rows } = await sql<Times>`
    select ${timesOf('acknowledged_at')} from incidents
    where acknowledged_at >= ${from} and acknowledged_at < ${to}`.execute(tx);
  return rows[0] ?? { count: 0, meanMs: null, medianMs: null };
}

/** False positives were no outage, so they do not make the time to resolve look short. */
async function timesToResolve(tx: Tx, { from, to }: Period): Promise<Times> {
  const { rows } = await sql<Times>`
    select ${timesOf('resolved_at')} from incidents
    where resolved_at >= ${from} and resolved_at < ${to} and status <> 'false_positive'`.execute(tx);
  return rows[0] ?? { count: 0, meanMs: null, medianMs: null };
}

function timesOf(column: 'acknowledged_at' | 'resolved_at') {
  const ms = sql`(extract(epoch from ${sql.ref(column)} - opened_at) * 1000)::double precision`;
  return sql`count(*)::int as count, avg(${ms}) as "meanMs",
    percentile_cont(0.5) within group (order by ${ms}) as "medianMs"`;
}

async function noisiestAlerts(tx: Tx, { from, to }: Period, limit: number): Promise<SlaFacts['noisiest']> {
  const { rows } = await sql<SlaFacts['noisiest'][number]>`
    select name, service, count(*)::int as episodes, sum(occurrences)::int as occurrences,
      count(distinct incident_id)::int as incidents
    from alerts
    where received_at >= ${from} and received_at < ${to}
    group by name, service
    order by episodes desc, occurrences desc, name, service
    limit ${limit}`.execute(tx);
  return rows;
}

/** The busiest destinations first; those beyond the limit together as 'others'. */
async function pagesByHour(
  tx: Tx,
  { from, to }: Period,
  timeZone: string,
  limit: number,
): Promise<SlaFacts['pages']> {
  const { rows } = await sql<{ destination: string; hour: number; pages: number }>`
    with pages as (
      select destination, extract(hour from created_at at time zone ${timeZone})::int as hour
      from notifications
      where created_at >= ${from} and created_at < ${to} and type = 'escalation.page' and status = 'sent'
    ),
    busiest as (
      select destination from pages group by destination order by count(*) desc, destination limit ${limit}
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

async function countAll(tx: Tx, { from, to }: Period): Promise<Counts> {
  const { rows } = await sql<Counts>`
    select
      (select count(*) from alerts where received_at >= ${from} and received_at < ${to})::int as alerts,
      (select count(*) from incidents where opened_at >= ${from} and opened_at < ${to})::int as incidents,
      (select count(*) from incidents
       where resolved_at >= ${from} and resolved_at < ${to} and status <> 'false_positive')::int as resolved,
      (select count(*) from incidents
       where resolved_at >= ${from} and resolved_at < ${to} and status = 'false_positive')::int
        as "falsePositives",
      -- open then: opened before, and not resolved by then
      (select count(*) from incidents where opened_at < ${to} and resolved_at >= ${to})::int
        + (select count(*) from incidents where closed_at is null and resolved_at is null and opened_at < ${to})::int
        as open,
      (select count(*) from notifications
       where created_at >= ${from} and created_at < ${to} and status = 'sent')::int as notifications,
      (select count(*) from executions where created_at >= ${from} and created_at < ${to})::int as executions,
      (select count(*) from executions
       where created_at >= ${from} and created_at < ${to} and status = 'succeeded')::int
        as "executionsSucceeded"`.execute(tx);
  const [counts] = rows;
  if (!counts) throw new Error('a select without a from clause answered no row');
  return counts;
}
