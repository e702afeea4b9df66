import { expect, test } from 'vitest';
import { onCallSchedule, type ScheduleFacts } from './schedule.ts';
import { standingAt } from './standing.ts';

const [ana, ben] = ['ana@example.com', 'ben@example.com'];
const at = (text: string): number => Date.parse(text);

function facts(rotations: object[]): ScheduleFacts {
  const definition = onCallSchedule.parse({
    timeZone: 'UTC',
    rotations: rotations.map((rotation, index) => ({
      name: `r${index}`,
      startsAt: '2026-01-05T09:00',
      turn: { unit: 'day' },
      ...rotation,
    })),
  });
  return { name: 'payments', definition, overrides: [], calendarShifts: [] };
}

test('says who is on call, until when, and who is next', () => {
  const standing = standingAt(facts([{ participants: [[ana], [ben]] }]), at('2026-01-05T12:00Z'));
  expect(standing.shifts.map(({ person }) => person)).toEqual([ana]);
  expect(standing).toMatchObject({
    until: at('2026-01-06T09:00Z'),
    next: { from: at('2026-01-06T09:00Z'), people: [ben] },
  });
});

test('does not call it a change when the same person goes on', () => {
  const turn = { unit: 'month' };
  const given = facts([
    { participants: [[ana]] },
    { participants: [[ben]], turn, startsAt: '2026-03-01T00:00', priority: 1 },
  ]);
  expect(standingAt(given, at('2026-01-20T12:00Z'))).toMatchObject({
    until: at('2026-03-01T00:00Z'),
    next: { from: at('2026-03-01T00:00Z'), people: [ben] },
  });
  expect(standingAt(facts([{ participants: [[ana]] }]), at('2026-01-20T12:00Z'))).toMatchObject({
    until: null,
    next: null,
  });
});

test('tells the end of a shift from who comes after the gap, and a shadow is nobody who comes', () => {
  const hours = [{ days: ['mon', 'tue'], from: '09:00', to: '17:00' }];
  const given = facts([
    { participants: [[ana], [ben]], hours },
    { participants: [[ben]], shadow: true },
  ]);
  // 5 January 2026 is a Monday
  expect(standingAt(given, at('2026-01-05T12:00Z'))).toMatchObject({
    until: at('2026-01-05T17:00Z'),
    next: { from: at('2026-01-06T09:00Z'), people: [ben] },
  });
  const inGap = standingAt(given, at('2026-01-06T18:00Z'));
  expect(inGap.shifts.every(({ shadow }) => shadow)).toBe(true);
  expect(inGap).toMatchObject({ until: at('2026-01-12T09:00Z'), next: { people: [ben] } });
});
