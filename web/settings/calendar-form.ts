import type { Named } from '../../db/named-configuration.ts';
import { type Weekday, weekdays } from '../../domain/oncall/schedule.ts';
import { previewCalendar, type SlaCalendar, slaCalendar } from '../../domain/sla/calendar.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { nameProblem } from './matching.ts';

export const calendarBase = '/settings/sla-calendars';

const dayNames: Record<Weekday, string> = {
  mon: 'Monday',
  tue: 'Tuesday',
  wed: 'Wednesday',
  thu: 'Thursday',
  fri: 'Friday',
  sat: 'Saturday',
  sun: 'Sunday',
};

export type CalendarValues = Record<'name' | 'timeZone' | 'holidays' | Weekday, string>;

export const newCalendarValues: CalendarValues = {
  name: '',
  timeZone: 'UTC',
  mon: '09:00-17:00',
  tue: '09:00-17:00',
  wed: '09:00-17:00',
  thu: '09:00-17:00',
  fri: '09:00-17:00',
  sat: '',
  sun: '',
  holidays: '',
};

export function calendarValues(name: string, calendar: SlaCalendar): CalendarValues {
  const hours = weekdays.map((day) => [day, hoursText(calendar.hours[day])]);
  const holidays = calendar.holidays.map(({ from, to, name: called }) =>
    [from, ...(to === undefined ? [] : ['to', to]), ...(called ? [called] : [])].join(' '),
  );
  const { timeZone } = calendar;
  return {
    ...newCalendarValues,
    ...Object.fromEntries(hours),
    name,
    timeZone,
    holidays: holidays.join('\n'),
  };
}

export function postedCalendar(body: unknown): CalendarValues {
  const names = Object.keys(newCalendarValues);
  return { ...newCalendarValues, ...Object.fromEntries(names.map((name) => [name, posted(body, name)])) };
}

export function readCalendar(values: CalendarValues): { definition: SlaCalendar } | { problems: Problems } {
  const problems: Problems = {};
  const hours: SlaCalendar['hours'] = {};
  for (const day of weekdays) {
    const read = readHours(values[day]);
    if ('problem' in read) problems[day] = read.problem;
    else if (read.hours.length > 0) hours[day] = read.hours;
  }
  const holidays = readHolidays(values.holidays);
  if ('problem' in holidays) problems.holidays = holidays.problem;
  const parsed = slaCalendar.safeParse({
    timeZone: values.timeZone,
    hours,
    holidays: 'holidays' in holidays ? holidays.holidays : [],
  });
  for (const { path, message } of parsed.error?.issues ?? []) {
    const [first, second] = path.map(String);
    problems[(first === 'hours' ? (second ?? 'mon') : first) ?? 'timeZone'] ??= sentenceOf(message);
  }
  return parsed.success && Object.keys(problems).length === 0 ? { definition: parsed.data } : { problems };
}

/** Checked apart: a calendar as edited can be tried before it has a name. */
export function calendarNameProblem(values: CalendarValues): Problems {
  const wrong = nameProblem(values.name);
  return wrong ? { name: wrong } : {};
}

/** '09:00-12:00, 13:00-17:00'; empty: closed. */
function readHours(text: string): { hours: { from: string; to: string }[] } | { problem: string } {
  const stretches = text.split(',').map((one) => one.trim());
  const hours: { from: string; to: string }[] = [];
  for (const stretch of stretches) {
    if (stretch === '') continue;
    const match = /^(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})$/.exec(stretch);
    if (!match?.[1] || !match[2]) return { problem: `Write times such as 09:00-17:00, not “${stretch}”.` };
    hours.push({ from: match[1].padStart(5, '0'), to: match[2].padStart(5, '0') });
  }
  return { hours };
}

const holidayLine = /^(\d{4}-\d{2}-\d{2})(?:\s+to\s+(\d{4}-\d{2}-\d{2}))?(?:\s+(.+))?$/;

/** A line each: '2026-12-24 to 2026-12-26 Christmas'. */
function readHolidays(text: string): { holidays: SlaCalendar['holidays'] } | { problem: string } {
  const holidays: SlaCalendar['holidays'] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const [, from, to, name] = holidayLine.exec(line) ?? [];
    if (from === undefined) {
      return { problem: `“${line}” is no holiday: write 2026-12-25 Christmas, or 2026-12-24 to 2026-12-26.` };
    }
    holidays.push({ from, ...(to === undefined ? {} : { to }), ...(name === undefined ? {} : { name }) });
  }
  return { holidays };
}

const sentenceOf = (message: string): string => `${message[0]?.toUpperCase() ?? ''}${message.slice(1)}.`;

const hoursText = (hours: { from: string; to: string }[] | undefined): string =>
  (hours ?? []).map(({ from, to }) => `${from}-${to}`).join(', ');

export interface CalendarFormView {
  heading: string;
  action: string;
  tryAction: string;
  deleteAction: string | null;
  name: Field;
  timeZone: Field;
  days: Field[];
  holidays: Field;
}

export function calendarFormView(
  values: CalendarValues,
  problems: Problems,
  existing: boolean,
): CalendarFormView {
  const given = { values, problems };
  const own = `${calendarBase}/${encodeURIComponent(values.name)}`;
  return {
    heading: existing ? values.name : 'New calendar',
    action: existing ? own : `${calendarBase}/new`,
    tryAction: existing ? `${own}/try` : `${calendarBase}/new/try`,
    deleteAction: existing ? `${own}/delete` : null,
    name: field('name', 'Name', { ...given, readonly: existing, hint: 'Letters, digits, - and _' }),
    timeZone: field('timeZone', 'Time zone', { ...given, hint: 'Such as Europe/Berlin' }),
    days: weekdays.map((day) => field(day, dayNames[day], { ...given, optional: true })),
    holidays: field('holidays', 'Holidays', {
      ...given,
      optional: true,
      rows: 5,
      hint: 'One per line, such as 2026-12-25 Christmas, or 2026-12-24 to 2026-12-26 Year’s end',
    }),
  };
}

/** The coming two weeks as rows; days on which it is closed say why. */
export function calendarPreviewRows(calendar: SlaCalendar, now: number) {
  return previewCalendar(calendar, now).map(({ date, open, holiday, note }) => {
    const day = new Date(`${date}T00:00:00Z`);
    return {
      date,
      day: dayNames[weekdays[(day.getUTCDay() + 6) % 7] ?? 'mon'],
      open: open.length > 0 ? hoursText(open).replaceAll('-', '–') : 'closed',
      why: [holiday === null ? null : holiday || 'holiday', note].filter(Boolean).join('; '),
      closed: open.length === 0,
    };
  });
}

export function calendarRow({ name, definition }: Named<SlaCalendar>, policies: string[]) {
  const days = weekdays.filter((day) => (definition.hours[day]?.length ?? 0) > 0);
  const byHours = Map.groupBy(days, (day) => hoursText(definition.hours[day]));
  const open = [...byHours].map(([hours, open]) => `${open.map(shortDay).join(', ')} ${hours}`).join('; ');
  return {
    name,
    href: `${calendarBase}/${encodeURIComponent(name)}`,
    open: `${open} (${definition.timeZone})`,
    holidays: definition.holidays.length === 0 ? 'none' : String(definition.holidays.length),
    policies: policies.length === 0 ? 'none' : policies.join(', '),
  };
}

const shortDay = (day: Weekday): string => dayNames[day].slice(0, 3);
