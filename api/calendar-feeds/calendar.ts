import { createHash } from 'node:crypto';
import ical, { ICalEventTransparency } from 'ical-generator';
import type { FeedOf } from '../../db/calendar-feeds.ts';
import type { Database, Tx } from '../../db/database.ts';
import { listPeople } from '../../db/identity.ts';
import { readScheduleFacts } from '../../db/oncall.ts';
import { oneLine } from '../../domain/markup.ts';
import { shiftsBetween } from '../../domain/oncall/on-call.ts';
import type { OnCallShift } from '../../domain/oncall/schedule.ts';

const dayMs = 86_400_000;
const daysBack = 30;
const daysAhead = 90;
/** How often a program should ask again. */
const refreshSeconds = 15 * 60;

interface NamedShift extends OnCallShift {
  schedule: string;
}

/**
 * The shifts of a schedule, or of one person in all of them, as iCalendar (RFC 5545); undefined where the schedule is
 * gone or the person was disabled. The same shifts give the same text all day (UTC), so that its ETag holds.
 */
export async function readCalendarText(
  db: Pick<Database, 'read'>,
  { orgId, of }: { orgId: string; of: FeedOf },
  { now, publicUrl }: { now: number; publicUrl: string },
): Promise<string | undefined> {
  const today = now - (now % dayMs);
  const span = { from: today - daysBack * dayMs, to: today + daysAhead * dayMs };
  return await db.read({ orgId }, async (tx) => {
    const people = await listPeople(tx);
    if ('schedule' in of) {
      const names = new Map(people.map(({ email, name }) => [email.toLowerCase(), name]));
      const shifts = await shiftsOf(tx, [of.schedule], span);
      if (!shifts) return undefined;
      return calendarText({
        name: `On call: ${of.schedule}`,
        shifts,
        titleOf: ({ person, shadow }) =>
          `${names.get(person) ?? person}${shadow ? ' (shadow)' : ''}: ${of.schedule}`,
        stamp: today,
        publicUrl,
      });
    }
    const person = people.find(({ userId }) => userId === of.userId);
    if (!person || person.disabledAt !== null) return undefined;
    const shifts = (await shiftsOf(tx, 'all', span)) ?? [];
    return calendarText({
      name: `On call: ${person.name}`,
      shifts: shifts.filter((shift) => shift.person === person.email.toLowerCase()),
      titleOf: ({ schedule, shadow }) => `${shadow ? 'Shadow' : 'On call'}: ${schedule}`,
      stamp: today,
      publicUrl,
    });
  });
}

/** Undefined where none of the schedules exists. */
async function shiftsOf(
  tx: Tx,
  schedules: readonly string[] | 'all',
  span: { from: number; to: number },
): Promise<NamedShift[] | undefined> {
  const facts = await readScheduleFacts(tx, schedules, span);
  if (facts.length === 0) return undefined;
  return facts.flatMap((one) =>
    shiftsBetween(one, span.from, span.to).map((shift) => ({ ...shift, schedule: one.name })),
  );
}

function calendarText(args: {
  name: string;
  shifts: readonly NamedShift[];
  titleOf(shift: NamedShift): string;
  /** Epoch milliseconds. */
  stamp: number;
  publicUrl: string;
}): string {
  const calendar = ical({
    // what is made of it stands in the text as it is: a line break would begin a property
    name: oneLine(args.name, 200),
    prodId: { company: 'Holdfast', product: 'on-call', language: 'EN' },
    ttl: refreshSeconds,
  });
  for (const shift of args.shifts) {
    calendar.createEvent({
      id: uidOf(shift, args.publicUrl),
      stamp: new Date(args.stamp),
      start: new Date(shift.from),
      end: new Date(shift.to),
      summary: args.titleOf(shift),
      description: shift.rotation === '' ? 'Override' : `Rotation: ${shift.rotation}`,
      url: `${args.publicUrl}/on-call/${encodeURIComponent(shift.schedule)}`,
      // on call is not busy: meetings go on
      transparency: ICalEventTransparency.TRANSPARENT,
    });
  }
  return calendar.toString();
}

/** The same shift has the same one whenever it is asked for, whose it is now notwithstanding. */
function uidOf({ schedule, rotation, person, from }: NamedShift, publicUrl: string): string {
  const of = createHash('sha256')
    .update(JSON.stringify([schedule, rotation, person, from]))
    .digest('hex');
  return `${of.slice(0, 32)}@${new URL(publicUrl).hostname}`;
}
