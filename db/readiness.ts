import { sql } from 'kysely';
import { notificationChannel } from '../domain/notification-channel.ts';
import type { EscalationTarget } from '../domain/policies.ts';
import { withoutAddressesBut } from '../domain/private-address.ts';
import {
  peopleOnCall,
  type ReadinessFacts,
  type ReadinessFinding,
  readinessDays,
  readinessOf,
} from '../domain/readiness/readiness.ts';
import type { Database, Scope, Tx } from './database.ts';
import { readDirectory } from './directory.ts';
import { listEscalationPolicies } from './policies.ts';

/** Messages that failed longer ago say nothing of today. */
const failuresDays = 30;

/**
 * What could keep a page from reaching somebody in the next 14 days from `now` (epoch milliseconds), the worst first:
 * all of it, or with `teamId` what concerns the schedules of that team.
 */
export async function readReadiness(
  tx: Tx,
  { now, teamId }: { now: number; teamId: string | null },
): Promise<ReadinessFinding[]> {
  const findings = readinessOf(await readReadinessFacts(tx, now), now);
  return teamId === null ? findings : ofTeam(findings, await readScheduleTeams(tx), teamId);
}

/**
 * The same for somebody who looks: what concerns policies for those of the whole organization, what concerns schedules
 * for those who see them. It is read past the reader's teams, since a policy may page a schedule of another.
 */
export async function readReadinessFor(
  db: Pick<Database, 'read'>,
  scope: Scope,
  now: number,
): Promise<ReadinessFinding[]> {
  const { orgId, teamIds = '*' } = scope;
  return await db.read({ orgId }, async (tx) => {
    const findings = await readReadiness(tx, { now, teamId: null });
    if (teamIds === '*') return findings;
    const teams = await readScheduleTeams(tx);
    return findings.filter(({ schedule }) => {
      const team = schedule === null ? undefined : teams.get(schedule);
      return schedule !== null && (team === undefined || teamIds.includes(team));
    });
  });
}

/** `teams`: id by the name of the schedule. */
export function ofTeam(
  findings: readonly ReadinessFinding[],
  teams: ReadonlyMap<string, string>,
  teamId: string,
): ReadinessFinding[] {
  return findings.filter(({ schedule }) => schedule !== null && teams.get(schedule) === teamId);
}

/** All that says whether pages of the next 14 days reach somebody, in a fixed number of queries. */
export async function readReadinessFacts(tx: Tx, now: number): Promise<ReadinessFacts> {
  const policies = await listEscalationPolicies(tx);
  const directory = await readDirectory(tx, 'all', { at: now, to: now + readinessDays * 86_400_000 });
  const onCall = [...peopleOnCall(directory.schedules.values(), now).keys()];
  return {
    directory,
    policies: policies.map(({ name, definition }) => ({
      name,
      levels: definition.levels.map(({ targets }) => targets),
    })),
    ruleTargets: await readRuleTargets(tx),
    channels: await readChannels(tx),
    inSlack: await readInSlack(tx),
    failures: await readFailures(tx, onCall, new Date(now - failuresDays * 86_400_000)),
    calendarProblems: await readCalendarProblems(tx),
  };
}

/** The team of each schedule that has one: id by the schedule's name. */
export async function readScheduleTeams(tx: Tx): Promise<Map<string, string>> {
  const rows = await tx
    .selectFrom('on_call_schedules')
    .select(['name', 'team_id as teamId'])
    .where('team_id', 'is not', null)
    .execute();
  return new Map(rows.flatMap(({ name, teamId }) => (teamId === null ? [] : [[name, teamId] as const])));
}

export interface Admin {
  userId: string;
  email: string;
  /** Null: of the whole organization. */
  teamId: string | null;
}

/** Who can mend what is wrong: Admins and Owners who can sign in, those of the organization first. */
export async function listAdmins(tx: Tx): Promise<Admin[]> {
  return await tx
    .selectFrom('memberships as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select(['u.id as userId', 'u.email', 'm.team_id as teamId'])
    .where('m.role', 'in', ['admin', 'owner'])
    .where('u.disabled_at', 'is', null)
    .orderBy(sql`m.team_id is not null`)
    .orderBy('u.email')
    .execute();
}

async function readRuleTargets(tx: Tx): Promise<EscalationTarget[]> {
  const { rows } = await sql<{ target: EscalationTarget }>`
    select jsonb_array_elements(definition -> 'targets') as target from notification_rules
    where coalesce((definition ->> 'enabled')::boolean, true)`.execute(tx);
  return rows.map(({ target }) => target);
}

async function readChannels(tx: Tx): Promise<ReadinessFacts['channels']> {
  const rows = await tx.selectFrom('notification_channels').select(['name', 'definition', 'error']).execute();
  return new Map(
    rows.map(({ name, definition, error }) => {
      const channel = notificationChannel.parse(definition);
      return [name, { error, bot: channel.type === 'slack' && channel.token !== undefined }];
    }),
  );
}

async function readInSlack(tx: Tx): Promise<Set<string>> {
  const rows = await tx
    .selectFrom('user_identities as i')
    .innerJoin('users as u', 'u.id', 'i.user_id')
    .select('u.email')
    .where('i.provider', '=', 'slack')
    .execute();
  return new Set(rows.map(({ email }) => email.toLowerCase()));
}

/** Of the last message that each of these people was sent by each way, those that failed. */
async function readFailures(
  tx: Tx,
  people: readonly string[],
  since: Date,
): Promise<ReadinessFacts['failures']> {
  const { rows } = await sql<{ person: string; method: string; error: string | null }>`
    select p.person, last.method, last.error
    from unnest(${people}::text[]) as p (person)
    cross join lateral (
      select distinct on (cause ->> 'method') cause ->> 'method' as method, status, error
      from notifications n
      where n.person = p.person and cause ->> 'method' is not null and created_at > ${since}
        and status in ('sent', 'failed')
      order by cause ->> 'method', id desc) last
    where last.status = 'failed'`.execute(tx);
  return new Map(
    rows.map(({ person, method, error }) => [
      `${person} ${method}`,
      // everybody reads it, and servers repeat the address that was written to
      error === null ? 'no reason given' : withoutAddressesBut(person, error),
    ]),
  );
}

async function readCalendarProblems(tx: Tx): Promise<ReadinessFacts['calendarProblems']> {
  return await tx
    .selectFrom('on_call_calendars')
    .select(['schedule', 'rotation', 'error', 'unmatched'])
    .where((eb) => eb.or([eb('error', 'is not', null), eb(sql`cardinality(unmatched)`, '>', 0)]))
    .orderBy('schedule')
    .orderBy('rotation')
    .execute();
}
