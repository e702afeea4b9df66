import { formatDuration } from '../../domain/duration.ts';
import type { Directory } from '../../domain/escalation/resolve.ts';
import { gapsBetween, onCallAt, shiftsBetween } from '../../domain/oncall/on-call.ts';
import type { OnCallShift, ScheduleFacts } from '../../domain/oncall/schedule.ts';
import { standingAt } from '../../domain/oncall/standing.ts';

/** How far ahead gaps and handoffs are looked for. */
export const aheadMs = 14 * 24 * 3_600_000;

export interface ScheduleRow {
  name: string;
  href: string;
  timeZone: string;
  now: { name: string; until: string; override: boolean }[];
  shadows: string[];
  next: { who: string; at: string } | null;
  gaps: { at: string; length: string }[];
  moreGaps: number;
}

export const schedulePath = (name: string): string => `/on-call/${encodeURIComponent(name)}`;

const gapsShown = 2;

export function scheduleRows(directory: Pick<Directory, 'schedules' | 'people'>, now: number): ScheduleRow[] {
  const { schedules, people } = directory;
  return [...schedules.values()].map((facts) => scheduleRow(facts, people, now));
}

function scheduleRow(facts: ScheduleFacts, people: Directory['people'], now: number): ScheduleRow {
  const { shifts: holding, next } = standingAt(facts, now);
  const gaps = gapsBetween(shiftsBetween(facts, now, now + aheadMs), now, now + aheadMs);
  return {
    name: facts.name,
    href: schedulePath(facts.name),
    timeZone: facts.definition.timeZone,
    now: holding
      .filter(({ shadow }) => !shadow)
      .map((shift) => ({
        name: nameOf(people, shift.person),
        until: iso(shift.to),
        override: shift.override !== null,
      })),
    shadows: holding.filter(({ shadow }) => shadow).map(({ person }) => nameOf(people, person)),
    next: next && { who: whoText(people, next.people), at: iso(next.from) },
    gaps: gaps
      .slice(0, gapsShown)
      .map(({ from, to }) => ({ at: iso(from), length: formatDuration(to - from) })),
    moreGaps: Math.max(0, gaps.length - gapsShown),
  };
}

export interface OwnShift {
  schedule: string;
  href: string;
  from: string;
  to: string;
  now: boolean;
  shadow: boolean;
}

const ownShiftsShown = 5;

/** Of one person, in all schedules, the next first. */
export function ownShifts(schedules: Directory['schedules'], email: string, now: number): OwnShift[] {
  const own = [...schedules.values()].flatMap((facts) =>
    shiftsBetween(facts, now, now + aheadMs)
      .filter(({ person }) => person === email.toLowerCase())
      .map((shift) => ({ facts, shift })),
  );
  return own
    .sort((a, b) => a.shift.from - b.shift.from)
    .slice(0, ownShiftsShown)
    .map(({ facts, shift }) => ({
      schedule: facts.name,
      href: schedulePath(facts.name),
      from: iso(shift.from),
      to: iso(endOf(facts, shift)),
      now: shift.from <= now,
      shadow: shift.shadow,
    }));
}

/** Of the whole shift, which may go on when nobody looks further ahead. */
function endOf(facts: ScheduleFacts, { from, to, person, shadow }: OnCallShift): number {
  const whole = onCallAt(facts, from).filter((shift) => shift.person === person && shift.shadow === shadow);
  return Math.max(to, ...whole.map((shift) => shift.to));
}

/** 'Ana Kovač'; the address of who is unknown or disabled, which is worth seeing. */
export function nameOf(people: Directory['people'], email: string): string {
  return people.get(email.toLowerCase())?.name || email;
}

/** 'Ana Kovač and Ben'; 'nobody'. */
export function whoText(people: Directory['people'], emails: readonly string[]): string {
  const names = emails.map((email) => nameOf(people, email));
  if (names.length === 0) return 'nobody';
  return names.length === 1 ? String(names[0]) : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** What stands first on the page. */
export function onCallSentence(rows: readonly ScheduleRow[]): string {
  if (rows.length === 0) return 'There is no schedule yet.';
  const empty = rows.filter(({ now }) => now.length === 0);
  if (empty.length > 0) {
    const names = empty.map(({ name }) => name).join(', ');
    return `Nobody is on call now for ${names}. A page goes on to the next level at once.`;
  }
  const gaps = rows.filter(({ gaps: ahead }) => ahead.length > 0).map(({ name }) => name);
  return gaps.length === 0
    ? 'Somebody is on call for every schedule, without a gap in the next 14 days.'
    : `Somebody is on call for every schedule now. There are gaps ahead in ${gaps.join(', ')}.`;
}

const iso = (at: number): string => new Date(at).toISOString();
