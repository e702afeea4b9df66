import { sql } from 'kysely';
import { type OnCallSchedule, onCallSchedule, type ScheduleFacts } from '../domain/oncall/schedule.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { type Change, type Named, named, put, remove } from './named-configuration.ts';
import { InUseError, UnknownReferenceError } from './policies.ts';
import { teamIdOf } from './teams.ts';

/** As it is written: with the team that it belongs to, by slug; null: the whole organization's. */
export type OnCallScheduleSettings = OnCallSchedule & { team: string | null };

// ---- the schedules ----

/** By name. */
export async function listOnCallSchedules(tx: Tx): Promise<Named<OnCallScheduleSettings>[]> {
  const rows = await schedules(tx).orderBy('name').execute();
  return rows.map(settingsOf);
}

export async function getOnCallSchedule(
  tx: Tx,
  name: string,
): Promise<Named<OnCallScheduleSettings> | undefined> {
  const row = await schedules(tx).where('name', '=', name).executeTakeFirst();
  return row && settingsOf(row);
}

/**
 * Throws UnknownReferenceError for a team that there is not, for a participant who is no user, and for a name that
 * another team's schedule has. What was read from
 * calendars stays for the rotations that keep theirs.
 */
export async function putOnCallSchedule(tx: Tx, change: Change<OnCallScheduleSettings>): Promise<void> {
  const { team, ...definition } = change.definition;
  await requirePeople(
    tx,
    definition.rotations.flatMap(({ participants }, r) =>
      participants.flatMap((together, p) =>
        together.map((address, a) => ({ address, field: `rotations.${r}.participants.${p}.${a}` })),
      ),
    ),
  );
  const before = await getOnCallSchedule(tx, change.name);
  await put(tx, 'on_call_schedules', { ...change, definition }, { team_id: await teamIdOf(tx, team) }).catch(
    refuseHidden,
  );
  if (before && before.definition.team !== team) {
    await recordAudit(tx, {
      orgId: change.orgId,
      actor: change.actor,
      action: 'on-call-schedule.team_changed',
      subject: `on-call-schedule:${change.name}`,
      data: { before: before.definition.team, after: team },
    });
  }
  await forgetOtherCalendars(tx, change.name, definition);
}

/** There is one of this name that the scope does not see: row-level security refuses to replace it (42501). */
function refuseHidden(error: unknown): never {
  if (!(error instanceof Error && 'code' in error && error.code === '42501')) throw error;
  throw new UnknownReferenceError('name', 'another team has a schedule of this name: take another one');
}

/** With its overrides and feeds. False when there was none. Throws InUseError while a policy or rule names it. */
export async function deleteOnCallSchedule(tx: Tx, change: Omit<Change<never>, 'definition'>) {
  const users = await usersOf(tx, change.name);
  if (users.length > 0) {
    throw new InUseError(`the schedule is a target of ${users.join(', ')}: take it out there first`);
  }
  return await remove(tx, 'on_call_schedules', change);
}

function schedules(tx: Tx) {
  return named(tx, 'on_call_schedules').select((eb) =>
    eb
      .selectFrom('teams')
      .select('teams.slug')
      .whereRef('teams.id', '=', 'on_call_schedules.team_id')
      .as('team'),
  );
}

function settingsOf({
  team,
  ...row
}: Named<object> & { team: string | null }): Named<OnCallScheduleSettings> {
  return { ...row, definition: { ...onCallSchedule.parse(row.definition), team } };
}

/**
 * Throws UnknownReferenceError with the field of the first address that is no user's. Whoever was disabled may stay in
 * the turns, where the health of the schedule names them: a person who left does not make a schedule unwritable.
 */
export async function requirePeople(
  tx: Tx,
  addresses: readonly { address: string; field: string }[],
): Promise<void> {
  if (addresses.length === 0) return;
  const wanted = [...new Set(addresses.map(({ address }) => address.toLowerCase()))];
  const rows = await tx.selectFrom('users').select('email').where('email', 'in', wanted).execute();
  const known = new Set(rows.map(({ email }) => email.toLowerCase()));
  const unknown = addresses.find(({ address }) => !known.has(address.toLowerCase()));
  if (unknown) {
    throw new UnknownReferenceError(
      unknown.field,
      `there is no user '${unknown.address}': add them at /api/v1/users first`,
    );
  }
}

/** Shifts of a rotation that is gone, or that reads another calendar now, say nothing any more. */
async function forgetOtherCalendars(tx: Tx, schedule: string, { rotations }: OnCallSchedule): Promise<void> {
  const kept = rotations.flatMap(({ name, calendar }) => (calendar ? [{ name, url: calendar.url }] : []));
  await sql`
    with gone as (
      delete from on_call_calendars c
      where c.schedule = ${schedule} and not exists (
        select 1 from jsonb_to_recordset(${JSON.stringify(kept)}::jsonb) as k (name text, url text)
        where k.name = c.rotation and k.url = c.url)
      returning c.rotation)
    delete from on_call_calendar_shifts s
    where s.schedule = ${schedule} and s.rotation in (select rotation from gone)`.execute(tx);
}

/** Such as "the escalation policy 'default'". */
async function usersOf(tx: Tx, schedule: string): Promise<string[]> {
  const { rows } = await sql<{ kind: string; name: string }>`
    select kind, name from (
      select 'escalation policy' as kind, name, definition from escalation_policies
      union all
      select 'notification rule', name, definition from notification_rules) configured
    where jsonb_path_exists(definition, '$.**.targets[*] ? (@.type == "schedule" && @.name == $name)',
      jsonb_build_object('name', ${schedule}::text))
    order by kind, name`.execute(tx);
  return rows.map(({ kind, name }) => `the ${kind} '${name}'`);
}

// ---- what says who is on call ----

/** Overrides and shifts of calendars are read so much further: a shift that somebody is in is shown whole. */
const aroundMs = 60 * 24 * 3_600_000;

/**
 * What says who is on call from `from` to `to` (epoch milliseconds), of the schedules of these names, or of 'all' that
 * this scope sees; by name. Names that there are not are left out.
 */
export async function readScheduleFacts(
  tx: Tx,
  names: readonly string[] | 'all',
  span: { from: number; to: number },
): Promise<ScheduleFacts[]> {
  const stored = await readStoredSchedules(tx, names, span);
  return stored.map((row) => ({ ...row, definition: onCallSchedule.parse(row.definition) }));
}

/** As `readScheduleFacts`, for whoever has to go on where one cannot be read. */
export async function readStoredSchedules(
  tx: Tx,
  names: readonly string[] | 'all',
  { from, to }: { from: number; to: number },
): Promise<(Omit<ScheduleFacts, 'definition'> & { definition: unknown })[]> {
  if (names.length === 0) return [];
  const [begin, end] = [new Date(from - aroundMs), new Date(to + aroundMs)];
  const { rows } = await sql<Omit<ScheduleFacts, 'definition'> & { definition: unknown }>`
    select s.name, s.definition,
      coalesce((
        select jsonb_agg(jsonb_build_object('id', o.id, 'person', o.person, 'insteadOf', o.instead_of,
          'from', (extract(epoch from o.starts_at) * 1000)::bigint, 'to', (extract(epoch from o.ends_at) * 1000)::bigint)
          order by o.created_at, o.id)
        from on_call_overrides o
        where o.org_id = s.org_id and o.schedule = s.name and o.ends_at > ${begin} and o.starts_at < ${end}),
        '[]') as overrides,
      coalesce((
        select jsonb_agg(jsonb_build_object('rotation', c.rotation, 'person', c.person,
          'from', (extract(epoch from c.starts_at) * 1000)::bigint, 'to', (extract(epoch from c.ends_at) * 1000)::bigint)
          order by c.starts_at, c.person)
        from on_call_calendar_shifts c
        where c.org_id = s.org_id and c.schedule = s.name and c.ends_at > ${begin} and c.starts_at < ${end}),
        '[]') as "calendarShifts"
    from on_call_schedules s
    where ${names === 'all' ? sql`true` : sql`s.name = any(${[...names]})`}
    order by s.name`.execute(tx);
  return rows;
}

// ---- what is wrong with it ----

export interface CalendarHealth {
  rotation: string;
  url: string;
  /** Null: it was not read yet. */
  checkedAt: Date | null;
  /** When what is known of it was read. */
  readAt: Date | null;
  /** Why the newest reading failed; the shifts before it stay. */
  error: string | null;
  shifts: number;
  /** What events name that is nobody here. */
  unmatched: string[];
}

export interface ScheduleHealth {
  calendars: CalendarHealth[];
  /** Who takes turns and was disabled: mail addresses. */
  disabled: string[];
}

/** Undefined when there is no such schedule. */
export async function readScheduleHealth(tx: Tx, name: string): Promise<ScheduleHealth | undefined> {
  const schedule = await getOnCallSchedule(tx, name);
  if (!schedule) return undefined;
  const { rotations } = schedule.definition;
  const readings = await tx
    .selectFrom('on_call_calendars')
    .select(['rotation', 'checked_at as checkedAt', 'read_at as readAt', 'error', 'shifts', 'unmatched'])
    .where('schedule', '=', name)
    .execute();
  const byRotation = new Map(readings.map((reading) => [reading.rotation, reading]));
  const people = [...new Set(rotations.flatMap(({ participants }) => participants.flat()))];
  const disabled = await tx
    .selectFrom('users')
    .select('email')
    .where('email', '=', sql<string>`any(${people.map((one) => one.toLowerCase())})`)
    .where('disabled_at', 'is not', null)
    .orderBy('email')
    .execute();
  return {
    calendars: rotations.flatMap(({ name: rotation, calendar }) => {
      if (!calendar) return [];
      const unread = { checkedAt: null, readAt: null, error: null, shifts: 0, unmatched: [] };
      return [{ ...unread, ...byRotation.get(rotation), rotation, url: calendar.url }];
    }),
    disabled: disabled.map(({ email }) => email),
  };
}
