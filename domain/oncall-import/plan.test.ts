import { describe, expect, test } from 'vitest';
import { plan } from '../../test/harness/oncall-import.ts';
import { ImportFormatError, newDraft } from './imported.ts';
import type { Standing } from './plan.ts';

describe('a plan', () => {
  const exported = {
    users: [{ id: 'PANA', name: 'Ana', email: 'ana@example.com' }],
    schedules: [
      { id: 'S1', name: 'One', time_zone: 'UTC', schedule_layers: [] },
      { id: 'S2', name: 'one', time_zone: 'UTC', schedule_layers: [] },
      { id: 'S3', name: 'Ürsprung 東京', time_zone: 'Mars/Olympus', schedule_layers: [] },
    ],
    escalation_policies: [
      {
        id: 'P1',
        name: 'Policy',
        escalation_rules: [
          { escalation_delay_in_minutes: 5, targets: [{ id: 'PANA', type: 'user_reference' }] },
        ],
      },
      {
        id: 'P2',
        name: 'To Mars',
        escalation_rules: [
          { escalation_delay_in_minutes: 5, targets: [{ id: 'S3', type: 'schedule_reference' }] },
        ],
      },
    ],
  };

  test.each([
    [
      'pagerduty',
      {
        users: exported.users,
        schedules: [
          {
            id: 'S1',
            name: 'Mars',
            time_zone: 'Eastern Time (US & Canada)',
            schedule_layers: [
              {
                start: '2026-06-01T09:00:00Z',
                rotation_virtual_start: '2026-06-01T09:00:00Z',
                rotation_turn_length_seconds: 86_400,
                users: [{ user: { id: 'PANA', type: 'user_reference' } }],
              },
            ],
          },
        ],
      },
    ],
    [
      'opsgenie',
      {
        users: [{ id: 'u', username: 'ana@example.com' }],
        schedules: [
          {
            id: 's',
            name: 'Mars',
            timezone: 'Mars/Olympus',
            rotations: [
              {
                startDate: '2026-06-01T09:00:00Z',
                type: 'daily',
                participants: [{ type: 'user', id: 'u' }],
              },
            ],
          },
        ],
      },
    ],
    [
      'grafana-oncall',
      {
        users: [{ id: 'u', email: 'ana@example.com', username: 'ana' }],
        schedules: [{ id: 's', name: 'Mars', type: 'web', time_zone: 'Mars/Olympus', shifts: ['x'] }],
        on_call_shifts: [
          {
            id: 'x',
            name: 'Shift',
            type: 'recurrent_event',
            start: '2026-06-01T09:00:00',
            until: '2027-06-01T09:00:00',
            duration: 86_400,
            frequency: 'daily',
            users: ['u'],
          },
        ],
      },
    ],
  ] as const)('leaves out a schedule of %s whose zone there is not, and says so', (source, mars) => {
    const { schedules, problems } = plan(source, mars);
    expect(schedules).toEqual([]);
    expect(problems.some(({ where }) => where === "schedule 'Mars'")).toBe(true);
  });

  test('says what is new, what takes a place, and what stands so already', () => {
    const first = plan('pagerduty', exported);
    expect(first.schedules.map(({ name, change }) => [name, change])).toEqual([
      ['one', 'create'],
      ['one-2', 'create'],
    ]);
    const standing: Standing = {
      schedules: new Map([
        ['one', first.schedules[0]!.definition],
        ['one-2', { timeZone: 'Europe/Berlin', rotations: [] }],
      ]),
      policies: new Map([['policy', { ...first.policies[0]!.definition, match: { service: 'pay*' } }]]),
      people: new Set(['ana@example.com']),
    };
    const again = plan('pagerduty', exported, standing);
    expect(again.schedules.map(({ change }) => change)).toEqual(['same', 'replace']);
    // which incidents it is for stays as it was said here
    expect(again.policies).toMatchObject([{ change: 'same', definition: { match: { service: 'pay*' } } }]);
    expect(again.people).toEqual([{ email: 'ana@example.com', name: 'Ana', change: 'same' }]);
  });

  test('numbers what is called the same, however much that is', () => {
    const draft = newDraft();
    const names = Array.from({ length: 5_000 }, () => draft.nameFor('schedule', 'One'));
    expect([names[0], names[1], names.at(-1)]).toEqual(['one', 'one-2', 'one-5000']);
    expect(['one-2', 'One', 'One'].map((title) => draft.nameFor('schedule', title))).toEqual([
      'one-2-2',
      'one-5001',
      'one-5002',
    ]);
    expect(draft.nameFor('policy', 'One')).toBe('one');
  });

  test('leaves out what cannot stand here, and whatever needs it', () => {
    const { schedules, policies, problems } = plan('pagerduty', exported);
    expect(schedules.map(({ title }) => title)).toEqual(['One', 'one']);
    expect(policies.map(({ title }) => title)).toEqual(['Policy']);
    expect(problems.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^timeZone: .*IANA.*left out$/),
        "the schedule 'ursprung' is left out, so this is, too",
      ]),
    );
  });

  test.each([
    ['pagerduty', [], /the file/],
    ['grafana-oncall', {}, /on_call_shifts/],
    ['opsgenie', { schedules: [{ id: 's', name: 'x' }] }, /^schedules.0.timezone/],
    ['pagerduty', { users: [{ id: 'x', name: 'X', email: 'no' }] }, /^users.0.email/],
  ] as const)('refuses what is no export of %s: %j', (source, value, message) => {
    expect(() => plan(source, value)).toThrow(ImportFormatError);
    expect(() => plan(source, value)).toThrow(message);
  });
});
