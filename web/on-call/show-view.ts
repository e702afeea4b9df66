import { formatDuration } from '../../domain/duration.ts';
import type { Directory } from '../../domain/escalation/resolve.ts';
import { gapsBetween, overlapsBetween, shiftsBetween } from '../../domain/oncall/on-call.ts';
import type { OnCallShift, Rotation, ScheduleFacts } from '../../domain/oncall/schedule.ts';
import { standingAt } from '../../domain/oncall/standing.ts';
import { dayMs, instantOf, timeOfDay, wallTimeAt, weekdayOf } from '../../domain/wall-clock.ts';
import { type Block, type Lane, scheduleDrawing, tints } from './drawing.ts';
import { nameOf, schedulePath, whoText } from './list-view.ts';
import { hoursText } from './schedule-form.ts';
import { dayText, momentText, offsetText } from './times.ts';

export interface ScheduleView {
  name: string;
  sentence: string;
  zone: string;
  zoneOffset: string;
  scheduleZone: string;
  scheduleZoneOffset: string;
  otherZone: boolean;
  weeks: { title: string; svg: string }[];
  navigation: { earlier: string; later: string; thisWeek: string | null; span: string };
  shifts: {
    who: string;
    shadow: boolean;
    by: string;
    from: string;
    to: string;
    scheduleFrom: string;
    scheduleTo: string;
  }[];
  gaps: { from: string; to: string; length: string; takeOver: string }[];
  overlaps: { from: string; to: string; who: string; rotations: string }[];
  rotations: { name: string; turns: string; people: string[]; facts: string[] }[];
}

export interface ScheduleInput {
  facts: ScheduleFacts;
  people: Directory['people'];
  /** The reader's. */
  zone: string;
  now: number;
  /** Of the URL: '2026-11-23', the first day that is shown; '' is this week's Monday. */
  week: string;
}

const weekDays = 7;
const weeksShown = 2;

export function scheduleView(input: ScheduleInput): ScheduleView {
  const { facts, people, zone, now } = input;
  const scheduleZone = facts.definition.timeZone;
  const { first, starts } = weeksOf(input);
  const [from, to] = [starts[0] ?? now, starts.at(-1) ?? now];
  const shifts = shiftsBetween(facts, from, to);
  const gaps = gapsBetween(shifts, from, to);
  const page = schedulePath(facts.name);
  const dayOf = (wall: number) => new Date(wall).toISOString().slice(0, 10);
  return {
    name: facts.name,
    sentence: sentenceOf(input),
    zone,
    zoneOffset: offsetText(zone, now),
    scheduleZone,
    scheduleZoneOffset: offsetText(scheduleZone, now),
    otherZone: zone !== scheduleZone,
    weeks: starts
      .slice(0, -1)
      .map((start, index) => weekDrawing(input, index, start, starts[index + 1] ?? to)),
    navigation: {
      earlier: `${page}?week=${dayOf(first - weekDays * dayMs)}`,
      later: `${page}?week=${dayOf(first + weekDays * dayMs)}`,
      thisWeek: from <= now && now < to ? null : page,
      span: `${dayText(zone, from)} to ${dayText(zone, to - 1)}`,
    },
    shifts: shifts.map((shift) => ({
      who: nameOf(people, shift.person),
      shadow: shift.shadow,
      by: shift.override === null ? shift.rotation : 'override',
      from: momentText(zone, shift.from),
      to: momentText(zone, shift.to),
      scheduleFrom: momentText(scheduleZone, shift.from),
      scheduleTo: momentText(scheduleZone, shift.to),
    })),
    // what is over calls for nothing any more; the drawing and the table have it
    gaps: gaps
      .filter((gap) => gap.to > now)
      .map((gap) => ({
        from: momentText(zone, gap.from),
        to: momentText(zone, gap.to),
        length: formatDuration(gap.to - gap.from),
        takeOver: `${page}/overrides/new?from=${gap.from}&to=${gap.to}`,
      })),
    overlaps: overlapsBetween(shifts).map((overlap) => ({
      from: momentText(zone, overlap.from),
      to: momentText(zone, overlap.to),
      who: whoText(people, overlap.people),
      rotations: overlap.rotations.filter((name) => name !== '').join(' and '),
    })),
    rotations: facts.definition.rotations.map((rotation) => rotationWords(rotation, scheduleZone, people)),
  };
}

/** The Monday that the URL names, or this week's, as wall time; and the instants at which weeks begin, with the end. */
function weeksOf({ zone, now, week }: ScheduleInput): { first: number; starts: number[] } {
  const named = /^\d{4}-\d{2}-\d{2}$/.test(week) ? Date.parse(`${week}T00:00Z`) : Number.NaN;
  const today = wallTimeAt(zone, now);
  const midnight = today - timeOfDay(today);
  const first = Number.isNaN(named) ? midnight - weekdayOf(midnight) * dayMs : named;
  return {
    first,
    starts: Array.from({ length: weeksShown + 1 }, (_, index) =>
      instantOf(zone, first + index * weekDays * dayMs),
    ),
  };
}

function weekDrawing(input: ScheduleInput, index: number, from: number, to: number) {
  const { facts, people, zone, now } = input;
  const tintOf = tintsOf(facts);
  const block = (shift: OnCallShift): Block => ({
    from: shift.from,
    to: shift.to,
    name: nameOf(people, shift.person),
    tint: tintOf(shift.person),
    override: shift.override !== null,
    shadow: shift.shadow,
  });
  const final = shiftsBetween(facts, from, to);
  const lanes: Lane[] = facts.definition.rotations.map((rotation) => ({
    name: laneName(rotation),
    blocks: shiftsBetween(alone(facts, rotation), from, to).map(block),
    gaps: [],
    final: false,
  }));
  lanes.push({ name: 'On call', blocks: final.map(block), gaps: gapsBetween(final, from, to), final: true });
  const title = `Week of ${dayText(zone, from)}`;
  const who = final.map((shift) => `${nameOf(people, shift.person)} until ${momentText(zone, shift.to)}`);
  const svg = scheduleDrawing({
    id: `week-${index + 1}`,
    title,
    description: who.length === 0 ? 'Nobody is on call.' : `On call: ${who.slice(0, 20).join('; ')}.`,
    from,
    to,
    now,
    zone,
    scheduleZone: facts.definition.timeZone,
    lanes,
  });
  return { title, svg };
}

/** A rotation as if there were no other, and no override. */
function alone(facts: ScheduleFacts, rotation: Rotation): ScheduleFacts {
  return { ...facts, overrides: [], definition: { ...facts.definition, rotations: [rotation] } };
}

function laneName({ name, shadow, priority }: Rotation): string {
  if (shadow) return `${name} (shadow)`;
  return priority > 0 ? `${name} (priority ${priority})` : name;
}

/** The same person has the same tint on every lane and in every week. */
function tintsOf({ definition, overrides, calendarShifts }: ScheduleFacts): (email: string) => number {
  const emails = [
    ...definition.rotations.flatMap(({ participants }) => participants.flat()),
    ...calendarShifts.map(({ person }) => person),
    ...overrides.map(({ person }) => person),
  ].map((email) => email.toLowerCase());
  const order = [...new Set(emails)];
  return (email) => Math.max(0, order.indexOf(email)) % tints;
}

function sentenceOf({ facts, people, now, zone }: ScheduleInput): string {
  const { shifts, until, next } = standingAt(facts, now);
  const emails = [...new Set(shifts.filter(({ shadow }) => !shadow).map(({ person }) => person))];
  const verb = (count: number) => (count === 1 ? 'is' : 'are');
  const then =
    next &&
    `${whoText(people, next.people)} ${verb(next.people.length)} next, from ${momentText(zone, next.from)}.`;
  if (emails.length === 0) return `Nobody is on call now. ${then ?? 'Nobody will be.'}`;
  const who = `${whoText(people, emails)} ${verb(emails.length)} on call`;
  if (until === null) return `${who}; nothing changes.`;
  if (!next) return `${who} until ${momentText(zone, until)}. Nobody is next.`;
  return `${who} until ${momentText(zone, until)}. ${then}`;
}

const units = { hour: 'hour', day: 'day', week: 'week', month: 'month' } as const;

function rotationWords(rotation: Rotation, scheduleZone: string, people: Directory['people']) {
  const { turn, priority, shadow, hours, timeZone, startsAt, endsAt, calendar } = rotation;
  const every = turn.every === 1 ? `every ${units[turn.unit]}` : `every ${turn.every} ${units[turn.unit]}s`;
  const time = startsAt.slice(11, 16);
  return {
    name: rotation.name,
    turns: calendar ? 'as a calendar says' : `${every}${turn.unit === 'hour' ? '' : ` at ${time}`}`,
    people: rotation.participants.map((together) => whoText(people, together)),
    facts: [
      ...(shadow ? ['shadow: told too, does not count as on call'] : []),
      ...(priority > 0 ? [`priority ${priority}`] : []),
      ...(timeZone !== undefined && timeZone !== scheduleZone ? [`by the clock of ${timeZone}`] : []),
      ...(hours ?? []).map((each) => `only ${hoursText(each)}`),
      ...(calendar ? [`calendar of ${new URL(calendar.url).host}`] : []),
      `since ${startsAt.replace('T', ' ').slice(0, 16)}${endsAt === undefined ? '' : `, until ${endsAt.replace('T', ' ').slice(0, 16)}`}`,
    ],
  };
}
