import { describe, expect, it } from 'vitest';
import type { ScheduleFacts } from '../../domain/oncall/schedule.ts';
import { scheduleView } from './show-view.ts';

const people = new Map(
  [
    ['ana@example.com', 'Ana'],
    ['ben@example.com', 'Ben <b>'],
  ].map(([email, name]) => [email!, { name: name!, contactRules: [] }]),
);

function factsOf(changes: Partial<ScheduleFacts> = {}): ScheduleFacts {
  return {
    name: 'payments',
    definition: {
      timeZone: 'America/New_York',
      rotations: [
        {
          name: 'primary',
          priority: 0,
          participants: [['ana@example.com'], ['ben@example.com']],
          turn: { every: 1, unit: 'week' },
          startsAt: '2026-10-05T09:00',
          endsAt: '2026-11-27T09:00',
          shadow: false,
        },
      ],
    },
    overrides: [],
    calendarShifts: [],
    ...changes,
  };
}

const now = Date.parse('2026-11-24T12:00:00Z');
const input = { facts: factsOf(), people, zone: 'Europe/Berlin', now, week: '' };

describe('the page of a schedule', () => {
  it('begins with who is on call, until when, and who is next, in the zone of the reader', () => {
    expect(scheduleView(input).sentence).toBe('Ben <b> is on call until Fri 27 Nov 15:00. Nobody is next.');
  });

  it('draws two weeks from Monday, with gaps named and names as text', () => {
    const { weeks, gaps, navigation } = scheduleView(input);
    expect(navigation.span).toBe('Mon 23 Nov to Sun 6 Dec');
    expect(weeks).toHaveLength(2);
    expect(weeks[0]?.svg).toContain('>nobody<');
    expect(weeks[0]?.svg).toContain('Ben &lt;b&gt;');
    expect(weeks[0]?.svg).not.toMatch(/NaN|Infinity| style=/);
    expect(gaps).toMatchObject([{ from: 'Fri 27 Nov 15:00', to: 'Mon 7 Dec 00:00' }]);
    expect(gaps[0]?.takeOver).toMatch(/from=\d+&to=\d+$/);
  });

  it('calls no gap one to mend that is over', () => {
    const rotation = { ...factsOf().definition.rotations[0]!, startsAt: '2026-11-23T09:00' };
    const late = factsOf({ definition: { timeZone: 'America/New_York', rotations: [rotation] } });
    const { gaps, weeks } = scheduleView({ ...input, facts: late });
    expect(weeks[0]?.svg).toContain('>nobody<');
    expect(gaps).toMatchObject([{ from: 'Fri 27 Nov 15:00' }]);
  });

  it('says where clocks change, in either zone', () => {
    const svg = scheduleView({ ...input, week: '2026-10-19' }).weeks.map((week) => week.svg);
    expect(svg[0]).toContain('>clocks back 1 h<');
    expect(svg[1]).toContain('>clocks back 1 h (America/New_York)<');
  });

  it('marks an override, and tells its times in both zones in the table', () => {
    const override = {
      id: 'o',
      person: 'ana@example.com',
      insteadOf: null,
      from: Date.parse('2026-11-25T08:00:00Z'),
      to: Date.parse('2026-11-25T12:00:00Z'),
    };
    const { shifts, weeks } = scheduleView({ ...input, facts: factsOf({ overrides: [override] }) });
    expect(weeks[0]?.svg).toContain('Ana (override)');
    expect(shifts.find(({ by }) => by === 'override')).toMatchObject({
      who: 'Ana',
      from: 'Wed 25 Nov 09:00',
      scheduleFrom: 'Wed 25 Nov 03:00',
    });
  });
});
