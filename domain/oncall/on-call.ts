import { type Interval, subtract, union, within } from './interval.ts';
import type { OnCallShift, Override, Rotation, ScheduleFacts } from './schedule.ts';
import { inHours, turnsBetween } from './turns.ts';

/**
 * Who answers, and who shadows, between two moments (epoch milliseconds), in the order of time; cut at both ends. Mail
 * addresses are lower case. The shift of an override of everybody belongs to no rotation: its `rotation` is empty.
 */
export function shiftsBetween(facts: ScheduleFacts, from: number, to: number): OnCallShift[] {
  const cut = <T extends Interval>(whole: T) => within(whole, from, to) ?? [];
  const byRotation = facts.definition.rotations.map((rotation) => ({
    rotation,
    shifts: ownShifts(facts, rotation, from, to).flatMap(cut),
  }));
  const overrides = facts.overrides.flatMap(cut);
  const answering = withOverrides(
    ofHighestPriority(byRotation.filter(({ rotation }) => !rotation.shadow)),
    overrides,
  );
  const shadows = byRotation.filter(({ rotation }) => rotation.shadow).flatMap(({ shifts }) => shifts);
  return [...answering, ...withoutOwn(shadows, answering)].sort(byTime);
}

/** Those of one moment, each with the whole shift that they are in; empty: a gap. */
export function onCallAt(facts: ScheduleFacts, at: number): OnCallShift[] {
  // whatever cuts a shift, it lies within the rotation's own, or within the override that puts somebody there
  const whole: Interval[] = [
    ...facts.definition.rotations.flatMap((rotation) => ownShifts(facts, rotation, at, at + 1)),
    ...facts.overrides.filter(({ insteadOf }) => insteadOf === null),
  ].filter((shift) => holdsAt(shift, at));
  if (whole.length === 0) return [];
  const from = Math.min(...whole.map((shift) => shift.from));
  const to = Math.max(...whole.map((shift) => shift.to));
  return shiftsBetween(facts, from, to).filter((shift) => holdsAt(shift, at));
}

/** When nobody is on call; of what `shiftsBetween` says for the same time. A shadow is nobody who answers. */
export function gapsBetween(shifts: readonly OnCallShift[], from: number, to: number): Interval[] {
  return subtract([{ from, to }], union(shifts.filter(({ shadow }) => !shadow)));
}

export interface Overlap extends Interval {
  rotations: string[];
  people: string[];
}

/**
 * When two rotations of the same priority have different people on call together, which may not be meant; of what
 * `shiftsBetween` says. Those of one turn are together by intent.
 */
export function overlapsBetween(shifts: readonly OnCallShift[]): Overlap[] {
  const answering = shifts.filter(({ shadow }) => !shadow);
  const edges = [...new Set(answering.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const overlaps: Overlap[] = [];
  let open: OnCallShift[] = [];
  let next = 0;
  edges.forEach((from, index) => {
    open = open.filter((shift) => shift.to > from);
    // shifts come in the order of time
    for (let shift = answering[next]; shift !== undefined && shift.from <= from; shift = answering[++next]) {
      open.push(shift);
    }
    const to = edges[index + 1];
    const rotations = [...new Set(open.map(({ rotation }) => rotation))].sort();
    const people = [...new Set(open.map(({ person }) => person))].sort();
    if (to === undefined || rotations.length < 2 || people.length < 2) return;
    const last = overlaps.at(-1);
    if (last?.to === from && same(last.rotations, rotations) && same(last.people, people)) last.to = to;
    else overlaps.push({ from, to, rotations, people });
  });
  return overlaps;
}

/** Of one rotation as if it were alone; those that touch [from, to), whole. */
function ownShifts(facts: ScheduleFacts, rotation: Rotation, from: number, to: number): OnCallShift[] {
  const zone = facts.definition.timeZone;
  const turns =
    rotation.calendar === undefined
      ? turnsBetween(rotation, zone, from, to)
      : facts.calendarShifts
          .filter((shift) => shift.rotation === rotation.name && shift.from < to && shift.to > from)
          .map((shift) => ({ from: shift.from, to: shift.to, people: [shift.person] }));
  return inHours(rotation, zone, turns)
    .filter((turn) => turn.from < to && turn.to > from)
    .flatMap((turn) =>
      [...new Set(turn.people.map((person) => person.toLowerCase()))].map((person) => ({
        person,
        rotation: rotation.name,
        from: turn.from,
        to: turn.to,
        override: null,
        shadow: rotation.shadow,
      })),
    );
}

/** A rotation answers only where none of a higher priority has anybody; those of one priority answer together. */
function ofHighestPriority(layers: { rotation: Rotation; shifts: OnCallShift[] }[]): OnCallShift[] {
  const priorities = [...new Set(layers.map(({ rotation }) => rotation.priority))].sort((a, b) => b - a);
  let answering: OnCallShift[] = [];
  for (const priority of priorities) {
    const covered = union(answering);
    const layer = layers.filter(({ rotation }) => rotation.priority === priority);
    answering = answering.concat(layer.flatMap(({ shifts }) => subtract(shifts, covered)));
  }
  return answering;
}

interface Held {
  shift: OnCallShift;
  /** Whose it is by the rotation; null: an override of everybody. */
  owner: string | null;
}

/** One after another, in the order in which they were made, so that the latest word counts. */
function withOverrides(shifts: readonly OnCallShift[], overrides: readonly Override[]): OnCallShift[] {
  let held: Held[] = shifts.map((shift) => ({ shift, owner: shift.person }));
  for (const override of overrides) held = overridden(held, override);
  return held.map(({ shift }) => shift);
}

function overridden(held: readonly Held[], override: Override): Held[] {
  const { id, from, to } = override;
  const person = override.person.toLowerCase();
  const insteadOf = override.insteadOf?.toLowerCase() ?? null;
  const left: Held[] = [];
  const taken: Held[] = [];
  if (insteadOf === null) {
    const shift = { person, rotation: '', from, to, override: id, shadow: false };
    taken.push({ shift, owner: null });
  }
  for (const each of held) {
    const { shift, owner } = each;
    // most lie elsewhere: years of shifts are gone through once for each override
    if (shift.to <= from || shift.from >= to) {
      left.push(each);
      continue;
    }
    const piece = within(shift, from, to);
    if (!piece || (insteadOf !== null && shift.person !== insteadOf && owner !== insteadOf)) {
      left.push(each);
      continue;
    }
    left.push(...subtract([shift], [override]).map((rest) => ({ shift: rest, owner })));
    if (insteadOf !== null) taken.push({ shift: { ...piece, person, override: id }, owner });
  }
  return left.concat(taken);
}

/** Who answers learns nothing from shadowing at the same time. */
function withoutOwn(shadows: readonly OnCallShift[], answering: readonly OnCallShift[]): OnCallShift[] {
  return shadows.flatMap((shadow) =>
    subtract([shadow], union(answering.filter(({ person }) => person === shadow.person))),
  );
}

function holdsAt({ from, to }: Interval, at: number): boolean {
  return from <= at && at < to;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function byTime(a: OnCallShift, b: OnCallShift): number {
  return a.from - b.from || a.to - b.to || compare(a.rotation, b.rotation) || compare(a.person, b.person);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
