import { expect, test } from 'vitest';
import type { ScheduleFacts } from '../../domain/oncall/schedule.ts';
import { ownShifts } from './list-view.ts';

test('a shift ends when it ends, also where nobody looks that far ahead', () => {
  const facts: ScheduleFacts = {
    name: 'primary',
    definition: {
      timeZone: 'UTC',
      rotations: [
        {
          name: 'weeks',
          priority: 0,
          participants: [['ana@example.com'], ['ben@example.com']],
          turn: { every: 1, unit: 'week' },
          startsAt: '2026-11-16T09:00',
          shadow: false,
        },
      ],
    },
    overrides: [],
    calendarShifts: [],
  };
  const own = ownShifts(new Map([['primary', facts]]), 'Ana@example.com', Date.parse('2026-11-21T19:00Z'));
  expect(own).toMatchObject([
    { now: true, to: '2026-11-23T09:00:00.000Z' },
    { now: false, from: '2026-11-30T09:00:00.000Z', to: '2026-12-07T09:00:00.000Z' },
  ]);
});
