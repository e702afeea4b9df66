import { type Weekday, weekdays } from '../../domain/oncall/schedule.ts';
import { dayNames } from '../../domain/safety/business-hours.ts';
import { field, type Problems } from './fields.ts';

/** Boxes to tick, each with an id of its own. */
export function ticks<T extends string>(
  name: string,
  all: readonly T[],
  ticked: readonly string[],
  labelOf: (value: T) => string,
) {
  return all.map((value) => ({
    id: `field-${name}-${value.replaceAll('.', '-')}`,
    name,
    value,
    label: labelOf(value),
    checked: ticked.includes(value),
  }));
}

/** The part of a form that says a time which comes back every week: which days, from when to when, where. */
export function weeklyHours(
  days: readonly string[],
  given: { values: Record<string, string>; problems: Problems },
) {
  return {
    days: ticks('days', weekdays, days, (day: Weekday) => dayNames[weekdays.indexOf(day)] ?? day),
    daysProblem: given.problems.days ?? null,
    hours: [
      field('from', 'From', { ...given, type: 'time', optional: true }),
      field('to', 'To', {
        ...given,
        type: 'time',
        optional: true,
        hint: 'Not later than from: on the next day',
      }),
      field('timeZone', 'Time zone', { ...given, hint: 'Such as Europe/Berlin' }),
    ],
  };
}
