import { sql } from 'kysely';
import { onCallSchedule } from '../domain/oncall/schedule.ts';
import type { Tx } from './database.ts';
import { storable } from './storable.ts';

/** A rotation whose shifts come from a calendar outside. */
export interface OnCallCalendar {
  schedule: string;
  rotation: string;
  url: string;
  /** IANA name, of times that name no zone. */
  timeZone: string;
}

/** Who was on call stays known for so long. */
const keptMs = 400 * 86_400_000;

/** Names that are shown of those that nobody here has. */
const mostUnmatched = 20;

/** By schedule and rotation. */
export async function listOnCallCalendars(tx: Tx): Promise<OnCallCalendar[]> {
  const rows = await tx
    .selectFrom('on_call_schedules')
    .select(['name', 'definition'])
    .where(sql<boolean>`jsonb_path_exists(definition, '$.rotations[*].calendar')`)
    .orderBy('name')
    .execute();
  return rows.flatMap(({ name: schedule, definition }) => {
    const { timeZone, rotations } = onCallSchedule.parse(definition);
    return rotations.flatMap((rotation) =>
      rotation.calendar === undefined
        ? []
        : [
            {
              schedule,
              rotation: rotation.name,
              url: rotation.calendar.url,
              timeZone: rotation.timeZone ?? timeZone,
            },
          ],
    );
  });
}

/** Epoch milliseconds, of one person none that overlap. */
export interface ReadShift {
  person: string;
  from: number;
  to: number;
}

/**
 * The shifts that end after `from` are these now; those of the year before stay as they were. Nothing happens where the rotation
 * reads another calendar meanwhile.
 */
export async function recordCalendar(
  tx: Tx,
  args: { orgId: string; calendar: OnCallCalendar; from: number; shifts: ReadShift[]; unmatched: string[] },
): Promise<void> {
  const { orgId, calendar, from, shifts } = args;
  if (!(await isStillRead(tx, calendar))) return;
  const { schedule, rotation, url } = calendar;
  await tx
    .deleteFrom('on_call_calendar_shifts')
    .where('schedule', '=', schedule)
    .where('rotation', '=', rotation)
    .where((eb) => eb.or([eb('ends_at', '>', new Date(from)), eb('ends_at', '<', new Date(from - keptMs))]))
    .execute();
  await sql`
    insert into on_call_calendar_shifts (org_id, schedule, rotation, person, starts_at, ends_at)
    select ${orgId}, ${schedule}, ${rotation}, s.person,
      to_timestamp(s."from" / 1000.0), to_timestamp(s."to" / 1000.0)
    from jsonb_to_recordset(${JSON.stringify(shifts)}::jsonb) as s (person text, "from" float8, "to" float8)
    on conflict (org_id, schedule, rotation, person, starts_at) do update set ends_at = excluded.ends_at`.execute(
    tx,
  );
  const outcome = {
    url,
    checked_at: sql<Date>`now()`,
    read_at: sql<Date>`now()`,
    error: null,
    shifts: shifts.length,
    unmatched: storable(args.unmatched.slice(0, mostUnmatched)),
  };
  await tx
    .insertInto('on_call_calendars')
    .values({ org_id: orgId, schedule, rotation, ...outcome })
    .onConflict((conflict) => conflict.columns(['org_id', 'schedule', 'rotation']).doUpdateSet(outcome))
    .execute();
}

/** It could not be read: the shifts stay as they were, and the health of the schedule says why. */
export async function recordCalendarFailure(
  tx: Tx,
  { orgId, calendar, error }: { orgId: string; calendar: OnCallCalendar; error: string },
): Promise<void> {
  if (!(await isStillRead(tx, calendar))) return;
  const { schedule, rotation, url } = calendar;
  const outcome = { url, checked_at: sql<Date>`now()`, error: storable(error) };
  await tx
    .insertInto('on_call_calendars')
    .values({ org_id: orgId, schedule, rotation, ...outcome })
    .onConflict((conflict) => conflict.columns(['org_id', 'schedule', 'rotation']).doUpdateSet(outcome))
    .execute();
}

/** Locks the schedule, so that nobody changes it while what was read is written. */
async function isStillRead(tx: Tx, { schedule, rotation, url }: OnCallCalendar): Promise<boolean> {
  const row = await tx
    .selectFrom('on_call_schedules')
    .select('definition')
    .where('name', '=', schedule)
    .forUpdate()
    .executeTakeFirst();
  if (!row) return false;
  const { rotations } = onCallSchedule.parse(row.definition);
  return rotations.some(({ name, calendar }) => name === rotation && calendar?.url === url);
}
