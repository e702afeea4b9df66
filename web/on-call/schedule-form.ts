import type { OnCallScheduleSettings } from '../../db/oncall.ts';
import { onCallSchedule, type Rotation, weekdays } from '../../domain/oncall/schedule.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { nameProblem } from '../settings/matching.ts';

/** What the form holds as it was typed. */
export interface ScheduleValues {
  name: string;
  timeZone: string;
  /** Slug; '': the whole organization's. */
  team: string;
  rotations: RotationValues[];
}

/** `participants` and `hours` have a line each. */
export interface RotationValues {
  name: string;
  participants: string;
  every: string;
  unit: string;
  startsAt: string;
  endsAt: string;
  hours: string;
  timeZone: string;
  priority: string;
  calendar: string;
  shadow: string;
}

const rotationFields = [
  'name',
  'participants',
  'every',
  'unit',
  'startsAt',
  'endsAt',
  'hours',
  'timeZone',
  'priority',
  'calendar',
  'shadow',
] as const satisfies (keyof RotationValues)[];

const mostRotations = 50;

export function scheduleValues(name: string, settings: OnCallScheduleSettings): ScheduleValues {
  return {
    name,
    timeZone: settings.timeZone,
    team: settings.team ?? '',
    rotations: settings.rotations.map((rotation) => ({
      name: rotation.name,
      participants: rotation.participants.map((together) => together.join(', ')).join('\n'),
      every: String(rotation.turn.every),
      unit: rotation.turn.unit,
      startsAt: rotation.startsAt.slice(0, 16),
      endsAt: rotation.endsAt?.slice(0, 16) ?? '',
      hours: (rotation.hours ?? []).map(hoursText).join('\n'),
      timeZone: rotation.timeZone ?? '',
      priority: String(rotation.priority),
      calendar: rotation.calendar?.url ?? '',
      shadow: rotation.shadow ? 'yes' : '',
    })),
  };
}

/** `startsAt`: local time of the first handoff, '2026-11-23T09:00'. */
export function newRotation(startsAt: string): RotationValues {
  return {
    name: '',
    participants: '',
    every: '1',
    unit: 'week',
    startsAt,
    endsAt: '',
    hours: '',
    timeZone: '',
    priority: '0',
    calendar: '',
    shadow: '',
  };
}

export function postedSchedule(body: unknown): ScheduleValues {
  const count = Math.min(mostRotations, Number(posted(body, 'rotations')) || 0);
  return {
    name: posted(body, 'name'),
    timeZone: posted(body, 'timeZone'),
    team: posted(body, 'team'),
    rotations: Array.from(
      { length: count },
      (_, r) =>
        Object.fromEntries(
          rotationFields.map((name) => [name, posted(body, `${name}.${r}`)]),
        ) as unknown as RotationValues,
    ),
  };
}

/** The values after a button for rotations was pressed: 'add-rotation', 'remove-rotation.1'; null for any other. */
export function withRotations(
  values: ScheduleValues,
  pressed: string,
  startsAt: string,
): ScheduleValues | null {
  const [act, at] = pressed.split('.');
  if (act === 'add-rotation') return { ...values, rotations: [...values.rotations, newRotation(startsAt)] };
  if (act !== 'remove-rotation') return null;
  return { ...values, rotations: values.rotations.filter((_, index) => index !== Number(at)) };
}

/** The schedule, or what is wrong by field: 'name', 'timeZone', 'participants.0', 'hours.1'… */
export function readSchedule(
  values: ScheduleValues,
): { definition: OnCallScheduleSettings } | { problems: Problems } {
  const problems: Problems = {};
  const wrongName =
    values.name === 'import' ? 'The name import is taken by a page.' : nameProblem(values.name);
  if (wrongName) problems.name = wrongName;
  const rotations = values.rotations.map((rotation, r) => rotationOf(rotation, r, problems));
  const parsed = onCallSchedule.safeParse({ timeZone: values.timeZone, rotations });
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      problems[scheduleFieldOf(path.map(String))] ??= sentence(message);
    }
  }
  if (!parsed.success || Object.keys(problems).length > 0) return { problems };
  return { definition: { ...parsed.data, team: values.team || null } };
}

/** 'rotations.1.participants.0.2' is wrong in the field 'participants.1', 'rotations' in how often the first hands over. */
export function scheduleFieldOf(path: string[]): string {
  const [first = 'name', index, name = 'name', part] = path;
  if (first !== 'rotations') return first;
  if (index === undefined) return 'every.0';
  return `${name === 'turn' ? (part ?? 'every') : name}.${index}`;
}

function rotationOf(values: RotationValues, r: number, problems: Problems) {
  const participants = linesOf(values.participants).map((line) => addressesOf(line));
  const unreadable = participants.flat().find((address) => !/^[^\s@]+@[^\s@]+$/.test(address));
  if (unreadable !== undefined) problems[`participants.${r}`] = `“${unreadable}” is no mail address.`;
  const hours = linesOf(values.hours).map((line) => {
    const read = hoursOf(line);
    if (!read) problems[`hours.${r}`] = `“${line}” is not of the kind mon-fri 09:00-17:00.`;
    return read;
  });
  return {
    name: values.name,
    participants,
    turn: { every: Number(values.every), unit: values.unit },
    startsAt: values.startsAt,
    ...(values.endsAt && { endsAt: values.endsAt }),
    ...(values.timeZone && { timeZone: values.timeZone }),
    ...(hours.length > 0 && { hours: hours.filter((each) => each !== undefined) }),
    ...(values.calendar && { calendar: { url: values.calendar } }),
    priority: Number(values.priority),
    shadow: values.shadow === 'yes',
  };
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function addressesOf(line: string): string[] {
  return line
    .split(',')
    .map((address) => address.trim().toLowerCase())
    .filter((address) => address !== '');
}

type Hours = NonNullable<Rotation['hours']>[number];

/** 'mon-fri 09:00-17:00', 'sat,sun 20:00-06:00'; undefined for anything else. */
function hoursOf(line: string): Hours | undefined {
  const [, dayText = '', from = '', to = ''] =
    /^([a-z,\s-]+?)\s+(\d\d:\d\d)\s*(?:-|to)\s*(\d\d:\d\d)$/i.exec(line) ?? [];
  const days = dayText
    .toLowerCase()
    .split(',')
    .flatMap((part) => daysOf(part.trim()) ?? ['unknown' as const]);
  if (from === '' || days.includes('unknown')) return undefined;
  return { days: weekdays.filter((day) => days.includes(day)), from, to };
}

/** 'mon', or 'mon-fri', also around the end of the week: 'sat-mon'. */
function daysOf(text: string) {
  const [first = '', last = first] = text.split('-').map((day) => day.trim());
  const [begin, end] = [first, last].map((day) => (weekdays as readonly string[]).indexOf(day));
  if (begin === undefined || end === undefined || begin < 0 || end < 0) return undefined;
  const count = ((end - begin + weekdays.length) % weekdays.length) + 1;
  return Array.from({ length: count }, (_, index) => weekdays[(begin + index) % weekdays.length] ?? 'mon');
}

/** 'mon-fri 09:00-17:00' */
export function hoursText({ days, from, to }: Hours): string {
  const [first, last] = [days[0], days.at(-1)];
  const inOrder = weekdays.filter((day) => days.includes(day));
  const range = first !== undefined && last !== undefined && days.length > 2 && daysOf(`${first}-${last}`);
  const named = range && range.join() === inOrder.join() ? `${first}-${last}` : inOrder.join(',');
  return `${named} ${from}-${to}`;
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.$/, '')}.`;
}

export interface ScheduleFormView {
  heading: string;
  action: string;
  cancel: string;
  deleteAction: string | null;
  name: Field;
  timeZone: Field;
  team: Field | null;
  rotations: {
    title: string;
    index: number;
    who: Field[];
    turns: Field[];
    limits: Field[];
    shadow: { id: string; name: string; checked: boolean };
  }[];
  count: number;
  people: { name: string; email: string }[];
  hasProblems: boolean;
}

export function scheduleFormView(
  values: ScheduleValues,
  problems: Problems,
  given: {
    existing: boolean;
    /** Whose schedules the visitor may change; with `organization` those of all, too. */
    teams: readonly { slug: string; name: string }[];
    organization: boolean;
    people: readonly { name: string; email: string }[];
  },
): ScheduleFormView {
  const own = `/on-call/${encodeURIComponent(values.name)}`;
  const top = { values: { name: values.name, timeZone: values.timeZone, team: values.team }, problems };
  return {
    heading: given.existing ? `Change ${values.name}` : 'New schedule',
    action: given.existing ? `${own}/edit` : '/on-call/new',
    cancel: given.existing ? own : '/on-call',
    deleteAction: given.existing ? `${own}/delete` : null,
    name: field('name', 'Name', { ...top, readonly: given.existing, hint: 'Letters, digits, - and _' }),
    timeZone: field('timeZone', 'Time zone', {
      ...top,
      hint: 'Such as Europe/Berlin: handoffs go by its clock',
    }),
    team:
      given.teams.length === 0
        ? null
        : field('team', 'Belongs to', {
            ...top,
            choices: [
              ...(given.organization ? [{ value: '', label: 'The whole organization' }] : []),
              ...given.teams.map(({ slug, name }) => ({ value: slug, label: name })),
            ],
          }),
    rotations: values.rotations.map((rotation, r) => rotationView(rotation, r, problems)),
    count: values.rotations.length,
    people: given.people.map(({ name, email }) => ({ name, email })),
    hasProblems: Object.keys(problems).length > 0,
  };
}

function rotationView(rotation: RotationValues, r: number, problems: Problems) {
  const values = Object.fromEntries(rotationFields.map((name) => [`${name}.${r}`, rotation[name]]));
  const one = (name: keyof RotationValues, label: string, more: object = {}) =>
    field(`${name}.${r}`, label, { values, problems, ...more });
  return {
    title: rotation.name || `Rotation ${r + 1}`,
    index: r,
    who: [
      one('name', 'Name'),
      one('participants', 'Who takes turns', {
        rows: Math.max(3, rotation.participants.split('\n').length),
        hint: 'A mail address a line, in the order of their turns; several on a line, with commas, are on call together',
      }),
    ],
    turns: [
      one('every', 'A turn lasts', { type: 'number' }),
      one('unit', 'Of', {
        choices: ['hour', 'day', 'week', 'month'].map((unit) => ({ value: unit, label: `${unit}s` })),
      }),
      one('startsAt', 'First handoff', { type: 'datetime-local' }),
      one('endsAt', 'Ends', { type: 'datetime-local', optional: true }),
    ],
    limits: [
      one('hours', 'Only at these times', {
        optional: true,
        rows: Math.max(2, rotation.hours.split('\n').length),
        hint: 'A line each, such as mon-fri 09:00-17:00',
      }),
      one('timeZone', 'Time zone of its own', { optional: true, hint: 'To follow the sun' }),
      one('priority', 'Priority', { type: 'number', hint: '0 to 100: the highest that has anybody answers' }),
      one('calendar', 'Shifts from a calendar', {
        optional: true,
        type: 'url',
        hint: 'Address of an iCalendar, instead of turns',
      }),
    ],
    shadow: { id: `field-shadow-${r}`, name: `shadow.${r}`, checked: rotation.shadow === 'yes' },
  };
}
