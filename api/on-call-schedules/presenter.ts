import type { z } from 'zod';
import type { OnCallScheduleSettings, ScheduleHealth } from '../../db/oncall.ts';
import type { OnCallOverride } from '../../db/oncall-overrides.ts';
import { gapsBetween, overlapsBetween, shiftsBetween } from '../../domain/oncall/on-call.ts';
import type { OnCallShift, ScheduleFacts } from '../../domain/oncall/schedule.ts';
import { iso, isoOrNull } from '../endpoint.ts';
import type {
  onCallScheduleShown,
  onCallShift,
  overrideShown,
  scheduleHealthShown,
  shiftsShown,
} from './schema.ts';

/**
 * `addresses`: whether those of calendars are shown whole. Whoever has one reads the whole calendar, as that of a person
 * at Google, so they are for those who write them.
 */
export function presentSchedule(
  { team, timeZone, rotations }: OnCallScheduleSettings,
  { addresses }: { addresses: boolean },
): z.input<typeof onCallScheduleShown> {
  return {
    team,
    timeZone,
    rotations: rotations.map(({ calendar, ...rotation }) => ({
      ...rotation,
      ...(calendar && { calendar: addresses ? calendar : { url: withoutPath(calendar.url) } }),
    })),
  };
}

/** Whose calendar it is, without what is a secret as often as not. */
const withoutPath = (url: string): string => `${new URL(url).origin}/…`;

export function presentShifts(
  facts: ScheduleFacts,
  { from, to }: { from: number; to: number },
): z.input<typeof shiftsShown> {
  const shifts = shiftsBetween(facts, from, to);
  return {
    ...span({ from, to }),
    shifts: shifts.map(presentShift),
    gaps: gapsBetween(shifts, from, to).map(span),
    overlaps: overlapsBetween(shifts).map(({ rotations, people, ...time }) => ({
      ...span(time),
      rotations,
      people,
    })),
  };
}

export function presentShift(shift: OnCallShift): z.input<typeof onCallShift> {
  const { person, rotation, override, shadow } = shift;
  return { person, rotation: rotation === '' ? null : rotation, ...span(shift), override, shadow };
}

export function presentHealth({ calendars, disabled }: ScheduleHealth): z.input<typeof scheduleHealthShown> {
  return {
    calendars: calendars.map(({ rotation, url, checkedAt, readAt, error, shifts, unmatched }) => ({
      rotation,
      url: withoutPath(url),
      checkedAt: isoOrNull(checkedAt),
      readAt: isoOrNull(readAt),
      error,
      shifts,
      unmatched,
    })),
    disabled,
  };
}

export function presentOverride(override: OnCallOverride): z.input<typeof overrideShown> {
  const { id, schedule, person, insteadOf, startsAt, endsAt, reason, createdBy, createdAt } = override;
  return {
    id,
    schedule,
    person,
    insteadOf,
    startsAt: iso(startsAt),
    endsAt: iso(endsAt),
    reason,
    createdBy,
    createdAt: iso(createdAt),
  };
}

function span({ from, to }: { from: number; to: number }): { from: string; to: string } {
  return { from: iso(new Date(from)), to: iso(new Date(to)) };
}
