import { describe, expect, it } from 'vitest';
import type { Override, Rotation, ScheduleFacts } from '../oncall/schedule.ts';
import { handoffsBetween } from './handoffs.ts';

const ana = 'ana@example.com';
const ben = 'ben@example.com';
const at = (text: string): number => Date.parse(`${text}Z`);

function factsOf(changes: Partial<Rotation>, overrides: Override[] = []): ScheduleFacts {
  const rotation: Rotation = {
    name: 'primary',
    priority: 0,
    participants: [[ana], [ben]],
    turn: { every: 1, unit: 'week' },
    startsAt: '2026-11-02T09:00',
    shadow: false,
    ...changes,
  };
  return {
    name: 'payments',
    definition: { timeZone: 'UTC', rotations: [rotation] },
    overrides,
    calendarShifts: [],
  };
}

describe('handoffs', () => {
  it('are told of who comes on and who goes off', () => {
    expect(handoffsBetween(factsOf({}), at('2026-11-16T08:55'), at('2026-11-16T09:00'))).toEqual([
      { schedule: 'payments', at: at('2026-11-16T09:00'), on: [ana], off: [ben] },
    ]);
  });

  it('are found once by windows that touch', () => {
    const times = [at('2026-11-16T08:55'), at('2026-11-16T09:00'), at('2026-11-16T09:05')];
    const found = [0, 1].flatMap((index) => handoffsBetween(factsOf({}), times[index]!, times[index + 1]!));
    expect(found).toHaveLength(1);
  });

  it('are none where the same person goes on after a pause', () => {
    const hours: Rotation['hours'] = [
      { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00' },
    ];
    const week = factsOf({ hours });
    expect(handoffsBetween(week, at('2026-11-10T00:00'), at('2026-11-14T00:00'))).toMatchObject([
      // Friday evening: the next who answers is the other, on Monday
      { at: at('2026-11-13T17:00'), on: [], off: [ben] },
    ]);
    expect(handoffsBetween(week, at('2026-11-15T00:00'), at('2026-11-17T00:00'))).toMatchObject([
      { at: at('2026-11-16T09:00'), on: [ana], off: [] },
    ]);
  });

  it('begin and end an override', () => {
    const override = {
      id: 'o',
      person: ben,
      insteadOf: ana,
      from: at('2026-11-17T12:00'),
      to: at('2026-11-17T18:00'),
    };
    const facts = factsOf({}, [override]);
    expect(handoffsBetween(facts, at('2026-11-17T00:00'), at('2026-11-18T00:00'))).toMatchObject([
      { at: override.from, on: [ben], off: [ana] },
      { at: override.to, on: [ana], off: [ben] },
    ]);
  });

  it('take no notice of a shadow, nor of a turn that one person hands to themselves', () => {
    expect(
      handoffsBetween(factsOf({ shadow: true }), at('2026-11-16T00:00'), at('2026-11-17T00:00')),
    ).toEqual([]);
    const alone = factsOf({ participants: [[ana]] });
    expect(handoffsBetween(alone, at('2026-11-16T00:00'), at('2026-11-17T00:00'))).toEqual([]);
  });
});
