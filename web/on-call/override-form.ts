import { z } from 'zod';
import type { NewOverride } from '../../db/oncall-overrides.ts';
import { timeZone } from '../../domain/time-zone.ts';
import { instantOf, parseWallTime } from '../../domain/wall-clock.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';

/** What the form holds as it was typed; times are local in `zone`. */
export interface OverrideValues {
  person: string;
  /** '': everybody. */
  insteadOf: string;
  startsAt: string;
  endsAt: string;
  zone: string;
  reason: string;
}

const localTime = z.iso.datetime({ local: true, offset: false });
const longestMs = 366 * 24 * 3_600_000;

export function postedOverride(body: unknown): OverrideValues {
  return {
    person: posted(body, 'person'),
    insteadOf: posted(body, 'insteadOf'),
    startsAt: posted(body, 'startsAt'),
    endsAt: posted(body, 'endsAt'),
    zone: posted(body, 'zone'),
    reason: posted(body, 'reason'),
  };
}

/** The override, or what is wrong by field. `now` is epoch milliseconds. */
export function readOverride(
  values: OverrideValues,
  now: number,
): { override: NewOverride } | { problems: Problems } {
  const problems: Problems = {};
  if (values.person === '') problems.person = 'Say who takes over.';
  if (values.person !== '' && values.person === values.insteadOf)
    problems.insteadOf = 'Nobody takes over from themselves.';
  if (!timeZone.safeParse(values.zone).success)
    problems.startsAt = 'The time zone is gone: open the form again.';
  const [from, to] = (['startsAt', 'endsAt'] as const).map((name) => {
    if (problems.startsAt === undefined && localTime.safeParse(values[name]).success) {
      return instantOf(values.zone, parseWallTime(values[name]));
    }
    problems[name] ??= 'Write a date and a time.';
    return Number.NaN;
  });
  if (from !== undefined && to !== undefined) {
    if (to <= from) problems.endsAt = 'The end must lie after the start.';
    else if (to <= now) problems.endsAt = 'This is over already.';
    else if (to - from > longestMs) problems.endsAt = 'At most a year: change a rotation instead.';
  }
  if (values.reason.length > 500) problems.reason = 'Write at most 500 characters.';
  if (Object.keys(problems).length > 0 || from === undefined || to === undefined) return { problems };
  return {
    override: {
      person: values.person,
      insteadOf: values.insteadOf || null,
      startsAt: new Date(from),
      endsAt: new Date(to),
      reason: values.reason,
    },
  };
}

export interface OverrideFormView {
  action: string;
  cancel: string;
  schedule: string;
  zone: string;
  person: Field;
  insteadOf: Field;
  startsAt: Field;
  endsAt: Field;
  reason: Field;
  /** To send to whoever is asked to take over: it opens this form for them. */
  askLink: string;
  hasProblems: boolean;
}

export function overrideFormView(
  values: OverrideValues,
  problems: Problems,
  given: {
    schedule: string;
    page: string;
    publicUrl: string;
    people: readonly { name: string; email: string; disabledAt: Date | null }[];
    participants: readonly string[];
  },
): OverrideFormView {
  const typed = { values: { ...values }, problems };
  const named = personName(given.people);
  const query = new URLSearchParams({
    startsAt: values.startsAt,
    endsAt: values.endsAt,
    zone: values.zone,
    insteadOf: values.insteadOf,
  });
  return {
    action: `${given.page}/overrides/new`,
    cancel: given.page,
    schedule: given.schedule,
    zone: values.zone,
    person: field('person', 'Who takes over', {
      ...typed,
      choices: given.people
        .filter(({ disabledAt }) => disabledAt === null)
        .map(({ email }) => ({ value: email, label: named(email) })),
    }),
    insteadOf: field('insteadOf', 'Instead of', {
      ...typed,
      choices: [
        { value: '', label: 'Everybody who is on call then' },
        ...given.participants.map((email) => ({ value: email, label: named(email) })),
      ],
    }),
    startsAt: field('startsAt', 'From', { ...typed, type: 'datetime-local', hint: `In ${values.zone}` }),
    endsAt: field('endsAt', 'Until', { ...typed, type: 'datetime-local', hint: `In ${values.zone}` }),
    reason: field('reason', 'Why', { ...typed, optional: true }),
    askLink: `${given.publicUrl}${given.page}/overrides/new?${query}`,
    hasProblems: Object.keys(problems).length > 0,
  };
}

/** By name; with the address where two have the same one, and by the address alone who has none. */
export function personName(people: readonly { name: string; email: string }[]): (email: string) => string {
  return (address) => {
    const person = people.find(({ email }) => email.toLowerCase() === address.toLowerCase());
    if (!person?.name) return address;
    const { name, email } = person;
    return people.some((other) => other.name === name && other !== person) ? `${name} (${email})` : name;
  };
}
