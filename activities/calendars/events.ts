import ICAL from 'ical.js';
import { instantOf, isTimeZone, type WallTime } from '../../domain/wall-clock.ts';

export interface CalendarQuestion {
  /** iCalendar (RFC 5545). */
  text: string;
  /** IANA name: of times that name no zone, where the calendar names none either. */
  timeZone: string;
  /** Epoch milliseconds. */
  from: number;
  to: number;
}

/** One occurrence of an event. */
export interface CalendarEvent {
  summary: string;
  /** Mail addresses of who takes part; rooms and those who declined are left out. */
  attendees: string[];
  organizer: string | null;
  /** Epoch milliseconds, half-open. */
  from: number;
  to: number;
}

/** What was read is no calendar, or one that asks for too much: `message` says so. */
export class CalendarError extends Error {
  override name = 'CalendarError';
}

const mostEvents = 5_000;

/**
 * The events that touch [from, to), recurring ones by their rules, by the clock of the zone that each names. Throws
 * CalendarError.
 *
 * @param mostOccurrences that are looked at, of all events together; looking at so many takes a second or two
 */
export function readEvents(
  { text, timeZone, from, to }: CalendarQuestion,
  mostOccurrences = 50_000,
): CalendarEvent[] {
  const calendar = parse(text);
  const named = calendar.getFirstPropertyValue('x-wr-timezone');
  const zone = typeof named === 'string' && isTimeZone(named) ? named : timeZone;
  const components = calendar.getAllSubcomponents('vevent').filter((event) => event.hasProperty('dtstart'));
  const exceptions = Map.groupBy(
    components.filter((event) => event.hasProperty('recurrence-id')),
    uidOf,
  );
  const found: CalendarEvent[] = [];
  let looked = 0;
  for (const component of components) {
    if (component.hasProperty('recurrence-id')) continue;
    const own = exceptions.get(uidOf(component)) ?? [];
    for (const occurrence of occurrencesOf(component, own, zone)) {
      if (++looked > mostOccurrences) throw new CalendarError('its events repeat too often to be read');
      if (occurrence.from >= to) break;
      if (occurrence.to <= from || occurrence.to <= occurrence.from || isCancelled(occurrence.of)) continue;
      found.push({ ...wordsOf(occurrence.of), from: occurrence.from, to: occurrence.to });
      if (found.length > mostEvents) throw new CalendarError(`it has more than ${mostEvents} events a year`);
    }
  }
  return found.sort((a, b) => a.from - b.from);
}

function parse(text: string): ICAL.Component {
  try {
    const parsed = ICAL.parse(text);
    const component = new ICAL.Component(parsed);
    if (component.name === 'vcalendar') return component;
  } catch (error) {
    throw new CalendarError(`it is no iCalendar: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new CalendarError('it is no iCalendar: it does not begin with BEGIN:VCALENDAR');
}

interface Occurrence {
  of: ICAL.Component;
  from: number;
  to: number;
}

/** In the order of time, but for those that an exception has moved; without end where a rule has none. */
function* occurrencesOf(
  component: ICAL.Component,
  exceptions: ICAL.Component[],
  zone: string,
): Generator<Occurrence> {
  const event = new ICAL.Event(component, { exceptions: exceptions.map((one) => new ICAL.Event(one)) });
  if (!event.isRecurring()) {
    yield { of: component, ...timesOf(component, event.startDate, event.endDate, zone) };
    return;
  }
  // by the clock on the wall: a shift from nine to nine stays one when the clocks change in between
  const length = digitsOf(event.endDate) - digitsOf(event.startDate);
  const occurrences = event.iterator();
  for (let start = occurrences.next(); start; start = occurrences.next()) {
    const { item, startDate, endDate } = event.getOccurrenceDetails(start);
    if (item.component === component) {
      const begins = instantIn(component, startDate, zone);
      const sameZone = event.startDate.zone.tzid === event.endDate.zone.tzid;
      const ends = sameZone
        ? instantIn(component, startDate, zone, length)
        : instantIn(component, endDate, zone, 0, 'dtend');
      yield { of: component, from: begins, to: ends };
    } else {
      yield { of: item.component, ...timesOf(item.component, startDate, endDate, zone) };
    }
  }
}

function timesOf(component: ICAL.Component, start: ICAL.Time, end: ICAL.Time, zone: string) {
  const endProperty = component.hasProperty('dtend') ? 'dtend' : 'dtstart';
  return {
    from: instantIn(component, start, zone),
    to: instantIn(component, end, zone, 0, endProperty),
  };
}

/** The instant at which clocks show `time` and `later` milliseconds more. */
function instantIn(
  component: ICAL.Component,
  time: ICAL.Time,
  zone: string,
  later = 0,
  property: 'dtstart' | 'dtend' = 'dtstart',
): number {
  const wall = digitsOf(time) + later;
  if (time.zone === ICAL.Timezone.utcTimezone) return wall;
  const named = component.getFirstProperty(property)?.getFirstParameter('tzid');
  if (!time.isDate && named && isTimeZone(named)) return instantOf(named, wall);
  // a zone of the calendar's own making, as some programs write them: it says its offsets itself
  if (!time.isDate && time.zone !== ICAL.Timezone.localTimezone) {
    const moved = time.clone();
    moved.adjust(0, 0, 0, later / 1000);
    return moved.toUnixTime() * 1000;
  }
  return instantOf(zone, wall);
}

function digitsOf(time: ICAL.Time): WallTime {
  const midnight = Date.UTC(time.year, time.month - 1, time.day);
  if (time.isDate) return midnight;
  return midnight + ((time.hour * 60 + time.minute) * 60 + time.second) * 1000;
}

function wordsOf(component: ICAL.Component): Pick<CalendarEvent, 'summary' | 'attendees' | 'organizer'> {
  const attendees = component.getAllProperties('attendee').filter((attendee) => {
    const [kind, answer] = [attendee.getFirstParameter('cutype'), attendee.getFirstParameter('partstat')];
    return kind !== 'ROOM' && kind !== 'RESOURCE' && answer !== 'DECLINED';
  });
  const organizer = component.getFirstProperty('organizer');
  return {
    summary: String(component.getFirstPropertyValue('summary') ?? ''),
    attendees: attendees.flatMap((attendee) => addressOf(attendee) ?? []),
    organizer: (organizer && addressOf(organizer)) ?? null,
  };
}

/** EMAIL (RFC 7986) where there is one, else the address of a 'mailto:'. */
function addressOf(property: ICAL.Property): string | undefined {
  const email = property.getFirstParameter('email');
  if (email) return email;
  return /^mailto:(.+)$/i.exec(String(property.getFirstValue() ?? ''))?.[1]?.trim();
}

function isCancelled(component: ICAL.Component): boolean {
  return String(component.getFirstPropertyValue('status') ?? '').toUpperCase() === 'CANCELLED';
}

function uidOf(component: ICAL.Component): string {
  return String(component.getFirstPropertyValue('uid') ?? '');
}
