import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { expect, test } from 'vitest';
import { onCallAt, shiftsBetween } from './on-call.ts';
import { onCallSchedule, type Rotation, type ScheduleFacts, weekdays } from './schedule.ts';

/*
 * The slow and obvious reference: who is on call at one moment, walking from the first handoff, with every local time
 * put into its zone by Temporal.
 */

function peopleAt(facts: ScheduleFacts, at: number): string[] {
  const { rotations, timeZone } = facts.definition;
  const found = rotations.map((rotation) => ({ rotation, people: ownPeopleAt(rotation, timeZone, at) }));
  const answering = found.filter(({ rotation, people }) => !rotation.shadow && people.length > 0);
  const top = Math.max(...answering.map(({ rotation }) => rotation.priority));
  let held = answering
    .filter(({ rotation }) => rotation.priority === top)
    .flatMap(({ people }) => people.map((person) => ({ person, owner: person })));
  for (const { person, insteadOf, from, to } of facts.overrides) {
    if (at < from || at >= to) continue;
    if (insteadOf === null) held = [{ person, owner: '' }];
    else
      held = held.map((one) =>
        one.person === insteadOf || one.owner === insteadOf ? { ...one, person } : one,
      );
  }
  const people = new Set(held.map(({ person }) => person));
  const shadows = new Set(found.filter(({ rotation }) => rotation.shadow).flatMap((one) => one.people));
  const others = [...shadows].filter((person) => !people.has(person));
  return [...people, ...others.map((person) => `${person} (shadow)`)];
}

function ownPeopleAt(rotation: Rotation, scheduleZone: string, at: number): string[] {
  const zone = rotation.timeZone ?? scheduleZone;
  const start = Temporal.PlainDateTime.from(rotation.startsAt);
  const instant = (wall: Temporal.PlainDateTime) => wall.toZonedDateTime(zone).epochMilliseconds;
  const handoff = (index: number) => {
    const amount = index * rotation.turn.every;
    if (rotation.turn.unit === 'hour') return instant(start) + amount * 3_600_000;
    return instant(start.add({ [`${rotation.turn.unit}s`]: amount }));
  };
  if (at < instant(start)) return [];
  if (rotation.endsAt !== undefined && at >= instant(Temporal.PlainDateTime.from(rotation.endsAt))) return [];
  if (rotation.hours !== undefined) {
    const today = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate();
    const open = [-1, 0].some((offset) => {
      const day = today.add({ days: offset });
      return rotation.hours?.some(({ days, from, to }) => {
        if (!days.includes(weekdays[day.dayOfWeek - 1] ?? 'mon')) return false;
        const end = to > from ? day : day.add({ days: 1 });
        return (
          instant(day.toPlainDateTime(Temporal.PlainTime.from(from))) <= at &&
          at < instant(end.toPlainDateTime(Temporal.PlainTime.from(to)))
        );
      });
    });
    if (!open) return [];
  }
  let index = 0;
  while (handoff(index + 1) <= at) index++;
  return rotation.participants[index % rotation.participants.length] ?? [];
}

// ---- what schedules there may be ----

const zones = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/Santiago',
];
const person = fc.constantFrom('ana@example.com', 'ben@example.com', 'cem@example.com', 'dia@example.com');
const begin = Date.parse('2026-01-01T00:00Z');
/** Half hours of the year 2026, and of the quarters of an hour at which clocks change. */
const moment = fc.integer({ min: 0, max: 366 * 96 }).map((quarters) => begin + quarters * 900_000);
const wallTime = fc
  .integer({ min: -60 * 48, max: 300 * 48 })
  .map((halves) => new Date(begin + halves * 1_800_000).toISOString().slice(0, 16));
const clock = fc
  .integer({ min: 0, max: 47 })
  .map((halves) => `${String(halves >> 1).padStart(2, '0')}:${halves % 2 ? '30' : '00'}`);

const rotation = fc.record(
  {
    priority: fc.integer({ min: 0, max: 2 }),
    participants: fc.array(fc.uniqueArray(person, { minLength: 1, maxLength: 2 }), {
      minLength: 1,
      maxLength: 4,
    }),
    turn: fc.oneof(
      fc.record({ unit: fc.constant('hour'), every: fc.integer({ min: 5, max: 40 }) }),
      fc.record({ unit: fc.constantFrom('day', 'week', 'month'), every: fc.integer({ min: 1, max: 3 }) }),
    ),
    startsAt: wallTime,
    timeZone: fc.constantFrom(...zones),
    hours: fc.array(
      fc.record({
        days: fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 1 }),
        from: clock,
        to: clock,
      }),
      { minLength: 1, maxLength: 2 },
    ),
    shadow: fc.boolean(),
  },
  { requiredKeys: ['participants', 'turn', 'startsAt'] },
);

const override = fc.record({
  person,
  insteadOf: fc.option(person),
  from: moment,
  length: fc.integer({ min: 1, max: 400 }),
});

const schedule = fc
  .record({
    timeZone: fc.constantFrom(...zones),
    rotations: fc.array(rotation, { minLength: 1, maxLength: 4 }),
    overrides: fc.array(override, { maxLength: 4 }),
  })
  .map(
    ({ timeZone, rotations, overrides }): ScheduleFacts => ({
      name: 'any',
      definition: onCallSchedule.parse({
        timeZone,
        rotations: rotations.map((one, index) => ({ ...one, name: `r${index}` })),
      }),
      overrides: overrides.map(({ length, ...one }, index) => ({
        ...one,
        id: `o${index}`,
        to: one.from + length * 1_800_000,
      })),
      calendarShifts: [],
    }),
  );

test('whoever a walk from the first handoff finds on call is on call, for the whole of their shift', () => {
  fc.assert(
    fc.property(schedule, fc.array(moment, { minLength: 3, maxLength: 8 }), (facts, moments) => {
      const all = shiftsBetween(facts, begin - 500 * 86_400_000, begin + 900 * 86_400_000);
      for (const at of moments) {
        const expected = peopleAt(facts, at).sort();
        const onCall = onCallAt(facts, at);
        const named = onCall.map(({ person, shadow }) => (shadow ? `${person} (shadow)` : person));
        expect([...new Set(named)].sort()).toEqual(expected);
        expect(onCall).toEqual(all.filter(({ from, to }) => from <= at && at < to));
        // cut at both ends, and otherwise the same
        const cut = shiftsBetween(facts, at, at + 3_600_000);
        expect(cut.filter(({ from }) => from === at).length).toBe(onCall.length);
        expect(cut.every(({ from, to }) => from >= at && from < to && to <= at + 3_600_000)).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});
