import { sql } from 'kysely';
import { onCallAt } from '../domain/oncall/on-call.ts';
import { type Severity, severities } from '../domain/severity.ts';
import type { Tx } from './database.ts';
import { listPeople } from './identity.ts';
import { readScheduleFacts } from './oncall.ts';
import { judged } from './report-scope.ts';

/** What a channel is told of a day or a week. */
export interface ChatSummary {
  /** The worst first; severities without any are left out. */
  open: { severity: Severity; count: number; unacknowledged: number }[];
  /** The worst and oldest of them. */
  worst: {
    number: number;
    title: string;
    service: string | null;
    severity: Severity;
    openedAt: Date;
    /** By name. */
    acknowledgedBy: string | null;
  }[];
  opened: number;
  resolved: number;
  /** Of the resolved. */
  falsePositives: number;
  breaches: number;
  /** By schedule; nobody: a gap. */
  onCall: { schedule: string; people: { name: string; until: Date }[] }[];
  /** Those that end first. */
  waiting: { id: string; runbook: string; target: string; expiresAt: Date }[];
  waitingTotal: number;
}

/** Rows at most in each list; the totals count everything. */
const shownAtMost = 10;

/** A fixed number of statements, however much happened. */
export async function readChatSummary(
  tx: Tx,
  { from, to, now }: { from: Date; to: Date; now: number },
): Promise<ChatSummary> {
  const people = await listPeople(tx);
  const nameOf = (email: string) =>
    people.find((person) => person.email === email.toLowerCase())?.name || email;
  const schedules = await readScheduleFacts(tx, 'all', { from: now, to: now });
  return {
    open: await openBySeverity(tx),
    worst: (await worstOpen(tx)).map((row) => ({
      ...row,
      acknowledgedBy: row.acknowledgedBy === null ? null : nameOf(row.acknowledgedBy),
    })),
    ...(await countsBetween(tx, from, to)),
    onCall: schedules.map((facts) => ({
      schedule: facts.name,
      people: onCallAt(facts, now)
        .filter(({ shadow }) => !shadow)
        .map((shift) => ({ name: nameOf(shift.person), until: new Date(shift.to) })),
    })),
    ...(await waitingApprovals(tx)),
  };
}

async function openBySeverity(tx: Tx): Promise<ChatSummary['open']> {
  const rows = await tx
    .selectFrom('incidents')
    .select(['severity', (eb) => eb.fn.countAll<number>().as('count')])
    .select(sql<number>`count(*) filter (where acknowledged_at is null)`.as('unacknowledged'))
    .where('resolved_at', 'is', null)
    .groupBy('severity')
    .execute();
  return rows.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
}

async function worstOpen(tx: Tx): Promise<ChatSummary['worst']> {
  return await tx
    .selectFrom('incidents')
    .select([
      'number',
      'title',
      'service',
      'severity',
      'opened_at as openedAt',
      'acknowledged_by as acknowledgedBy',
    ])
    .where('resolved_at', 'is', null)
    .orderBy('severity_rank')
    .orderBy('opened_at')
    .limit(shownAtMost)
    .execute();
}

/** Of what was merged into another incident only that one counts. */
async function countsBetween(
  tx: Tx,
  from: Date,
  to: Date,
): Promise<Pick<ChatSummary, 'opened' | 'resolved' | 'falsePositives' | 'breaches'>> {
  const { rows } = await sql<Pick<ChatSummary, 'opened' | 'resolved' | 'falsePositives' | 'breaches'>>`
    select
      (select count(*) from incidents
        where opened_at >= ${from} and opened_at < ${to} and merged_into is null) as opened,
      ended.resolved, ended.false_positives as "falsePositives",
      (select count(*) from sla_clocks
        where state = 'breached' and due_at >= ${from} and due_at < ${to}
          ${judged(sql.ref('sla_clocks.incident_id'), null)}) as breaches
    from (
      select count(*) as resolved, count(*) filter (where status = 'false_positive') as false_positives
      from incidents where resolved_at >= ${from} and resolved_at < ${to} and merged_into is null
    ) ended`.execute(tx);
  return rows[0] ?? { opened: 0, resolved: 0, falsePositives: 0, breaches: 0 };
}

async function waitingApprovals(tx: Tx): Promise<Pick<ChatSummary, 'waiting' | 'waitingTotal'>> {
  const rows = await tx
    .selectFrom('approvals as a')
    .innerJoin('executions as e', 'e.id', 'a.execution_id')
    .select(['a.id', 'a.runbook', 'e.target', 'a.expires_at as expiresAt'])
    .select(sql<number>`count(*) over ()`.as('total'))
    .where('a.status', '=', 'pending')
    .orderBy('a.expires_at')
    .limit(shownAtMost)
    .execute();
  return {
    waiting: rows.map(({ total: _, ...row }) => row),
    waitingTotal: rows[0]?.total ?? 0,
  };
}
