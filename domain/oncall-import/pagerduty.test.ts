import { describe, expect, test } from 'vitest';
import { onCall, plan } from '../../test/harness/oncall-import.ts';

describe('PagerDuty', () => {
  const user = (id: string) => ({
    user: { id, type: 'user_reference', summary: id, self: `https://api.pagerduty.com/users/${id}` },
  });
  const layer = {
    id: 'PL1',
    name: 'Layer 1',
    start: '2026-01-05T14:00:00Z',
    end: null,
    rotation_virtual_start: '2026-01-05T14:00:00Z',
    rotation_turn_length_seconds: 604_800,
    users: [user('PANA'), user('PBEN')],
    restrictions: [],
  };
  const exported = {
    users: [
      { id: 'PANA', name: 'Ana Example', email: 'Ana@example.com', role: 'user' },
      { id: 'PBEN', name: 'Ben Example', email: 'ben@example.com', role: 'user' },
      { id: 'PCEM', name: 'Cem Example', email: 'cem@example.com', role: 'user' },
    ],
    schedules: [
      {
        schedule: {
          id: 'PSCHED',
          name: 'Payments: Primary',
          time_zone: 'America/New_York',
          schedule_layers: [
            {
              ...layer,
              id: 'PL2',
              name: 'Nights',
              users: [user('PBEN')],
              rotation_turn_length_seconds: 86_400,
              restrictions: [
                { type: 'daily_restriction', start_time_of_day: '20:00:00', duration_seconds: 43_200 },
              ],
            },
            layer,
          ],
        },
      },
    ],
    escalation_policies: [
      {
        id: 'PPOLICY',
        name: 'Payments',
        num_loops: 2,
        escalation_rules: [
          { escalation_delay_in_minutes: 5, targets: [{ id: 'PSCHED', type: 'schedule_reference' }] },
          { escalation_delay_in_minutes: 15, targets: [{ id: 'PANA', type: 'user_reference' }] },
          {
            escalation_delay_in_minutes: 30,
            targets: [{ id: 'PGONE', type: 'user_reference', summary: 'Gone' }],
          },
        ],
      },
    ],
  };

  test('layers become rotations, the first the highest, by the wall clock of the schedule', () => {
    const { schedules, people } = plan('pagerduty', exported);
    expect(schedules).toMatchObject([
      { name: 'payments-primary', title: 'Payments: Primary', change: 'create' },
    ]);
    // 09:00 in New York is 14:00Z in winter and 13:00Z in summer
    expect(onCall(schedules[0]?.definition, '2026-06-01T13:00Z', '2026-06-02T13:00Z')).toEqual([
      'ben 06-01T13:00/06-02T00:00',
      'ben 06-02T00:00/06-02T12:00',
      'ben 06-02T12:00/06-02T13:00',
    ]);
    expect(people).toEqual([
      { email: 'ana@example.com', name: 'Ana Example', change: 'create' },
      { email: 'ben@example.com', name: 'Ben Example', change: 'create' },
    ]);
  });

  test('a layer that began in the middle of its turns goes on where it is', () => {
    const late = { ...layer, start: '2026-05-18T13:00:00Z' };
    const { schedules } = plan('pagerduty', {
      ...exported,
      schedules: [{ ...exported.schedules[0]!.schedule, schedule_layers: [late] }],
    });
    // 19 turns after the virtual start it is Ben's
    expect(onCall(schedules[0]?.definition, '2026-05-01T00:00Z', '2026-05-26T00:00Z')).toEqual([
      'ben 05-18T13:00/05-25T13:00',
      'ana 05-25T13:00/05-26T00:00',
    ]);
  });

  test('how people are reached is named, of those who are carried over', () => {
    const methods = (...types: string[]) => types.map((type) => ({ id: type, type, summary: type }));
    const users = exported.users.map((one) => ({
      ...one,
      contact_methods: methods('email_contact_method_reference', 'phone_contact_method_reference'),
    }));
    const { problems } = plan('pagerduty', { ...exported, users });
    expect(problems.filter(({ where }) => where.startsWith('people'))).toEqual([
      {
        where: 'people reached by telephone',
        message: expect.stringMatching(/^ana@example\.com, ben@example\.com: told by mail/),
      },
    ]);
  });

  test('restrictions of the week may last for days', () => {
    const weekend = {
      type: 'weekly_restriction',
      start_day_of_week: 5,
      start_time_of_day: '17:00:00',
      duration_seconds: 226_800,
    };
    const { schedules } = plan('pagerduty', {
      ...exported,
      schedules: [
        {
          ...exported.schedules[0]!.schedule,
          schedule_layers: [{ ...layer, users: [user('PANA')], restrictions: [weekend] }],
        },
      ],
    });
    // Friday 17:00 to Monday 08:00 in New York
    expect(onCall(schedules[0]?.definition, '2026-06-01T13:00Z', '2026-06-08T13:00Z')).toEqual([
      'ana 06-05T21:00/06-08T12:00',
    ]);
  });

  test('the delay of a rule is the time of the next level', () => {
    const { policies, problems } = plan('pagerduty', exported);
    expect(policies[0]?.definition).toEqual({
      levels: [
        { after: '0m', targets: [{ type: 'schedule', name: 'payments-primary' }] },
        { after: '5m', targets: [{ type: 'user', email: 'ana@example.com' }] },
      ],
      repeats: 2,
      repeatAfter: '30m',
    });
    expect(problems).toEqual([
      {
        where: "escalation policy 'Payments', level 3",
        message: expect.stringContaining('Gone is not among'),
      },
      { where: "escalation policy 'Payments'", message: expect.stringContaining('no incident is for it') },
    ]);
  });

  test('what cannot be said here is left out, and says so', () => {
    const layers = [
      { ...layer, name: 'Odd', rotation_turn_length_seconds: 5_000 },
      { ...layer, name: 'Strangers', users: [user('PX')] },
      { ...layer, name: 'Ended', end: '2026-05-01T00:00:00Z' },
    ];
    const { schedules, problems } = plan('pagerduty', {
      ...exported,
      escalation_policies: [],
      schedules: [{ ...exported.schedules[0]!.schedule, schedule_layers: layers }],
    });
    expect(schedules[0]?.definition.rotations).toEqual([]);
    expect(problems.map(({ where, message }) => `${where}: ${message}`)).toEqual([
      "schedule 'Payments: Primary', layer 'Odd': turns of 5000 s are not carried over: write whole hours",
      "schedule 'Payments: Primary', layer 'Strangers': PX is not among the users: it is left out",
      "schedule 'Payments: Primary': nobody would be on call by it",
    ]);
  });
});
