import { describe, expect, test } from 'vitest';
import { onCall, plan } from '../../test/harness/oncall-import.ts';

describe('Grafana OnCall', () => {
  const shift = {
    id: 'O1',
    name: 'Weekly',
    type: 'rolling_users',
    team_id: null,
    time_zone: null,
    level: 1,
    start: '2026-05-04T09:00:00',
    duration: 604_800,
    frequency: 'weekly',
    interval: 1,
    week_start: 'MO',
    by_day: null,
    by_month: null,
    by_monthday: null,
    rolling_users: [['U1'], ['U2', 'U3']],
    start_rotation_from_user_index: 1,
  };
  const page = (results: object[]) => ({ count: results.length, next: null, previous: null, results });
  const exported = (shifts: object[], steps: object[] = [], schedule: object = {}) => ({
    users: page([
      { id: 'U1', email: 'ana@example.com', username: 'ana', slack: [] },
      { id: 'U2', email: 'ben@example.com', username: 'ben' },
      { id: 'U3', email: 'cem@example.com', username: 'cem' },
      { id: 'U4', email: null, username: 'nomail' },
    ]),
    schedules: page([
      {
        id: 'S1',
        name: 'Ops',
        type: 'calendar',
        team_id: null,
        time_zone: 'America/New_York',
        on_call_now: [],
        shifts: shifts.map((one) => (one as { id: string }).id),
        ical_url_overrides: null,
        ...schedule,
      },
    ]),
    on_call_shifts: page(shifts),
    escalation_chains: page([{ id: 'F1', name: 'Ops chain', team_id: null }]),
    escalation_policies: page(
      steps.map((step, position) => ({ escalation_chain_id: 'F1', position, ...step })),
    ),
  });
  const shiftsOf = (one: object, from: string, to: string) =>
    onCall(plan('grafana-oncall', exported([{ ...shift, ...one }])).schedules[0]?.definition, from, to);

  test('groups roll from the one that it starts with, together', () => {
    expect(shiftsOf({}, '2026-05-04T13:00Z', '2026-05-18T13:00Z')).toEqual([
      'ben 05-04T13:00/05-11T13:00',
      'cem 05-04T13:00/05-11T13:00',
      'ana 05-11T13:00/05-18T13:00',
    ]);
  });

  test.each([
    [
      'a part of each day',
      { frequency: 'daily', duration: 28_800 },
      '2026-05-05T04:00Z',
      '2026-05-06T04:00Z',
      ['ana 05-05T13:00/05-05T21:00'],
    ],
    [
      'days of the week',
      { by_day: ['MO', 'SA'], duration: 28_800, rolling_users: [['U1']], start_rotation_from_user_index: 0 },
      '2026-06-01T00:00Z',
      '2026-06-08T00:00Z',
      ['ana 06-01T13:00/06-01T21:00', 'ana 06-06T13:00/06-06T21:00'],
    ],
    [
      'weeks of the calendar, when it begins within one',
      {
        start: '2026-05-06T09:00:00',
        by_day: ['MO', 'WE'],
        duration: 3_600,
        rolling_users: [['U1'], ['U2']],
        start_rotation_from_user_index: 0,
      },
      '2026-05-06T00:00Z',
      '2026-05-14T00:00Z',
      ['ana 05-06T13:00/05-06T14:00', 'ben 05-11T13:00/05-11T14:00', 'ben 05-13T13:00/05-13T14:00'],
    ],
    [
      'hours in its own zone',
      { frequency: 'hourly', interval: 12, duration: 43_200, time_zone: 'UTC' },
      '2026-05-05T09:00Z',
      '2026-05-06T09:00Z',
      ['ben 05-05T09:00/05-05T21:00', 'cem 05-05T09:00/05-05T21:00', 'ana 05-05T21:00/05-06T09:00'],
    ],
    [
      'one event',
      {
        type: 'single_event',
        frequency: null,
        start: '2026-06-10T08:00:00',
        duration: 10_800,
        users: ['U2'],
      },
      '2026-06-01T00:00Z',
      '2026-07-01T00:00Z',
      ['ben 06-10T12:00/06-10T15:00'],
    ],
    [
      'an override',
      {
        type: 'override',
        frequency: null,
        start: '2026-06-10T08:00:00',
        duration: 10_800,
        users: ['U3'],
        rolling_users: null,
      },
      '2026-06-01T00:00Z',
      '2026-07-01T00:00Z',
      ['cem 06-10T12:00/06-10T15:00'],
    ],
    [
      'an event that recurs',
      { type: 'recurrent_event', frequency: 'weekly', duration: 90_000, users: ['U2'] },
      '2026-06-01T00:00Z',
      '2026-06-08T00:00Z',
      ['ben 06-01T13:00/06-02T14:00'],
    ],
  ])('%s are carried over', (_name, change, from, to, expected) => {
    expect(shiftsOf(change, from, to)).toEqual(expected);
  });

  test.each([
    ['by_month', { by_month: [1] }, /not carried over/],
    ['every other week on some days', { interval: 2, by_day: ['MO'] }, /not carried over/],
    ['a part of every other day', { frequency: 'daily', interval: 2, duration: 3_600 }, /not carried over/],
    [
      'somebody without a mail address',
      { rolling_users: [['U4']], start_rotation_from_user_index: 0 },
      /U4 is not among/,
    ],
  ])('%s is left out, and says so', (_name, change, message) => {
    const { schedules, problems } = plan('grafana-oncall', exported([{ ...shift, ...change }]));
    expect(schedules[0]?.definition.rotations).toEqual([]);
    expect(problems).toContainEqual({
      where: "schedule 'Ops', shift 'Weekly'",
      message: expect.stringMatching(message),
    });
  });

  test('how people are reached is named, but for mail', () => {
    const { problems } = plan('grafana-oncall', {
      ...exported([shift]),
      escalation_chains: [],
      personal_notification_rules: page([
        { id: 'N1', user_id: 'U1', position: 0, important: false, type: 'notify_by_sms' },
        { id: 'N2', user_id: 'U1', position: 1, important: false, type: 'wait', duration: 300 },
        { id: 'N3', user_id: 'U1', position: 2, important: false, type: 'notify_by_email' },
        { id: 'N4', user_id: 'U2', position: 0, important: true, type: 'notify_by_sms' },
      ]),
    });
    expect(problems).toContainEqual({
      where: 'people reached by SMS',
      message: expect.stringMatching(/^ana@example\.com, ben@example\.com: told by mail here until/),
    });
    expect(problems.filter(({ where }) => where.startsWith('people'))).toHaveLength(1);
  });

  test('calendars are read from where they are, overrides above all else', () => {
    const urls = {
      type: 'ical',
      ical_url_primary: 'https://calendar.example.com/a.ics',
      ical_url_overrides: 'https://calendar.example.com/b.ics',
    };
    const { schedules } = plan('grafana-oncall', exported([], [], urls));
    expect(schedules[0]?.definition.rotations).toMatchObject([
      { priority: 100, calendar: { url: urls.ical_url_overrides } },
      { priority: 0, calendar: { url: urls.ical_url_primary } },
    ]);
  });

  test('a wait moves what follows, and other steps are named', () => {
    const { policies, problems } = plan(
      'grafana-oncall',
      exported(
        [shift],
        [
          { type: 'notify_on_call_from_schedule', notify_on_call_from_schedule: 'S1', important: true },
          { type: 'notify_persons', persons_to_notify: ['U1'] },
          { type: 'wait', duration: 900 },
          { type: 'notify_person_next_each_time', persons_to_notify_next_each_time: ['U2', 'U3'] },
          { type: 'trigger_webhook', action_to_trigger: 'W1' },
          { type: 'wait', duration: 300 },
          { type: 'repeat_escalation' },
        ],
      ),
    );
    expect(policies[0]?.definition).toEqual({
      levels: [
        {
          after: '0m',
          targets: [
            { type: 'schedule', name: 'ops' },
            { type: 'user', email: 'ana@example.com' },
          ],
        },
        {
          after: '15m',
          targets: [
            { type: 'user', email: 'ben@example.com' },
            { type: 'user', email: 'cem@example.com' },
          ],
        },
      ],
      repeats: 5,
      repeatAfter: '5m',
    });
    expect(problems.map(({ where }) => where)).toEqual([
      "user 'nomail'",
      "escalation chain 'Ops chain', step 4",
      "escalation chain 'Ops chain', step 5",
      "escalation policy 'Ops chain'",
    ]);
  });
});
