import { shiftsBetween } from '../domain/oncall/on-call.ts';
import { standingAt } from '../domain/oncall/standing.ts';
import { answeringAt } from '../domain/readiness/handoffs.ts';
import type { Severity } from '../domain/severity.ts';
import type { Tx } from './database.ts';
import { readScheduleFacts } from './oncall.ts';
import { listEscalationPolicies } from './policies.ts';
import { readReportSettings } from './report-audience.ts';

/** What a message about one handoff tells. */
export interface HandoffFacts {
  schedule: string;
  /** In which times are told: the person's, else the organization's, else the schedule's. */
  timeZone: string;
  at: Date;
  /** Who answers from then on, and who did until then: names. */
  now: string[];
  before: string[];
  /** When others answer; null: nothing changes for a long time. */
  until: Date | null;
  next: { from: Date; people: string[] } | null;
  /** Open incidents of the policies that page the schedule: the worst first, and how many there are in all. */
  incidents: OpenIncident[];
  incidentCount: number;
}

export interface OpenIncident {
  number: number;
  title: string;
  severity: Severity;
  service: string | null;
  openedAt: Date;
  acknowledgedBy: string | null;
}

const incidentsTold = 15;

/** Undefined when there is no such schedule any more. `person`: whose message it is, by mail address. */
export async function readHandoffFacts(
  tx: Tx,
  { schedule, at, person }: { schedule: string; at: Date; person: string },
): Promise<HandoffFacts | undefined> {
  const ms = at.getTime();
  const [facts] = await readScheduleFacts(tx, [schedule], { from: ms, to: ms });
  if (!facts) return undefined;
  const { until, next } = standingAt(facts, ms);
  const around = shiftsBetween(facts, ms - 1, ms + 1).filter(({ shadow }) => !shadow);
  const organization = (await readReportSettings(tx)).timeZone;
  const people = await tx.selectFrom('users').select(['email', 'name', 'time_zone as timeZone']).execute();
  const byEmail = new Map(people.map((each) => [each.email.toLowerCase(), each]));
  const named = (emails: readonly string[]) => emails.map((email) => byEmail.get(email)?.name ?? email);
  return {
    schedule,
    timeZone: byEmail.get(person.toLowerCase())?.timeZone ?? organization ?? facts.definition.timeZone,
    at,
    now: named(answeringAt(around, ms)),
    before: named(answeringAt(around, ms - 1)),
    until: until === null ? null : new Date(until),
    next: next && { from: new Date(next.from), people: named(next.people) },
    ...(await readOpenIncidents(tx, schedule)),
  };
}

/** Of the users with these mail addresses who are not disabled: id by address, lower case. */
export async function findUserIds(tx: Tx, emails: readonly string[]): Promise<Map<string, string>> {
  if (emails.length === 0) return new Map();
  const rows = await tx
    .selectFrom('users')
    .select(['id', 'email'])
    .where('email', 'in', emails)
    .where('disabled_at', 'is', null)
    .execute();
  return new Map(rows.map(({ id, email }) => [email.toLowerCase(), id]));
}

async function readOpenIncidents(
  tx: Tx,
  schedule: string,
): Promise<Pick<HandoffFacts, 'incidents' | 'incidentCount'>> {
  const policies = (await listEscalationPolicies(tx)).flatMap(({ name, definition }) =>
    definition.levels.some(({ targets }) =>
      targets.some((target) => target.type === 'schedule' && target.name === schedule),
    )
      ? [name]
      : [],
  );
  if (policies.length === 0) return { incidents: [], incidentCount: 0 };
  const open = tx
    .selectFrom('incidents')
    .where('escalation_policy', 'in', policies)
    .where('resolved_at', 'is', null)
    .where('closed_at', 'is', null);
  const { count } = await open
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  const incidents = await open
    .select([
      'number',
      'title',
      'severity',
      'service',
      'opened_at as openedAt',
      'acknowledged_by as acknowledgedBy',
    ])
    .orderBy('severity_rank')
    .orderBy('number', 'desc')
    .limit(incidentsTold)
    .execute();
  return { incidents, incidentCount: Number(count) };
}
