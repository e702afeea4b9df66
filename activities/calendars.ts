import type { Database } from '../db/database.ts';
import { listPeople } from '../db/identity.ts';
import {
  listOnCallCalendars,
  type OnCallCalendar,
  type ReadShift,
  recordCalendar,
  recordCalendarFailure,
} from '../db/oncall-calendars.ts';
import { eventLabel, type KnownPerson, peopleFinder } from '../domain/oncall/calendar-people.ts';
import { union } from '../domain/oncall/interval.ts';
import { dayMs } from '../domain/wall-clock.ts';
import { downloadCalendar } from './calendars/download.ts';
import { CalendarError, type CalendarEvent } from './calendars/events.ts';
import type { CalendarReader } from './calendars/reader.ts';
import { EgressRules } from './steps/egress.ts';

export interface CalendarActivityDeps {
  db: Pick<Database, 'read' | 'write'>;
  /** HOLDFAST_EGRESS_ALLOW. */
  egressAllow: readonly string[];
  /** Made with `createCalendarReader`. */
  readEvents: CalendarReader;
  /** Epoch milliseconds. */
  clock(): number;
}

export interface CalendarsOutcome {
  read: number;
  failed: number;
}

export type CalendarActivities = ReturnType<typeof createCalendarActivities>;

/** Shifts are read from so long ago until so far ahead; what is older stays as it was read last. */
const daysBack = 7;
const daysAhead = 366;
/** Calendars that are fetched at once. */
const atOnce = 4;

/** Reads the calendars that say who is on call. */
export function createCalendarActivities(deps: CalendarActivityDeps) {
  const { db } = deps;
  const egress = new EgressRules(deps.egressAllow);

  async function readOne(orgId: string, calendar: OnCallCalendar, people: KnownPerson[]): Promise<boolean> {
    const today = deps.clock() - (deps.clock() % dayMs);
    const span = { from: today - daysBack * dayMs, to: today + daysAhead * dayMs };
    try {
      const text = await downloadCalendar(calendar.url, egress);
      const events = await deps.readEvents(orgId, { text, timeZone: calendar.timeZone, ...span });
      const { shifts, unmatched } = shiftsOf(events, people);
      await db.write({ orgId }, (tx) =>
        recordCalendar(tx, { orgId, calendar, from: span.from, shifts, unmatched }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof CalendarError)) throw error;
      await db.write({ orgId }, (tx) => recordCalendarFailure(tx, { orgId, calendar, error: error.message }));
      return false;
    }
  }

  return {
    /** Each calendar of the organization once. One that cannot be read keeps its shifts, and delays no other for long. */
    async readOnCallCalendars({ orgId }: { orgId: string }): Promise<CalendarsOutcome> {
      const { calendars, people } = await db.read({ orgId }, async (tx) => ({
        calendars: await listOnCallCalendars(tx),
        people: (await listPeople(tx)).filter(({ disabledAt }) => disabledAt === null),
      }));
      const outcome = { read: 0, failed: 0 };
      for (let first = 0; first < calendars.length; first += atOnce) {
        const some = calendars.slice(first, first + atOnce);
        const done = await Promise.all(some.map((calendar) => readOne(orgId, calendar, people)));
        outcome.read += done.filter((read) => read).length;
        outcome.failed += done.filter((read) => !read).length;
      }
      return outcome;
    },
  };
}

/** Each person's shifts, none overlapping, and what events name that is nobody here, each once. */
function shiftsOf(
  events: readonly CalendarEvent[],
  people: readonly KnownPerson[],
): { shifts: ReadShift[]; unmatched: string[] } {
  const peopleOf = peopleFinder(people);
  const times = new Map<string, CalendarEvent[]>();
  const unmatched = new Set<string>();
  for (const event of events) {
    const found = peopleOf(event);
    if (found.length === 0) unmatched.add(eventLabel(event));
    for (const person of found) {
      const own = times.get(person);
      if (own) own.push(event);
      else times.set(person, [event]);
    }
  }
  const shifts = [...times].flatMap(([person, own]) => union(own).map((time) => ({ person, ...time })));
  return { shifts, unmatched: [...unmatched] };
}
