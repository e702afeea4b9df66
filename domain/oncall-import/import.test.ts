import { describe, expect, test } from 'vitest';
import { shiftsBetween } from '../oncall/on-call.ts';
import type { OnCallSchedule } from '../oncall/schedule.ts';
import { ImportFormatError } from './imported.ts';
import { type ImportSource, planImport, type Standing } from './plan.ts';

const now = Date.parse('2026-06-01T00:00Z');
const nothing: Standing = { schedules: new Map(), policies: new Map(), people: new Set() };
const plan = (source: ImportSource, value: unknown, standing = nothing) =>
  planImport(source, value, standing, now);

/** Who is on call by a schedule, such as 'ana 06-01T08:00/06-02T08:00'. */
function onCall(definition: OnCallSchedule | undefined, from: string, to: string): string[] {
  if (!definition) throw new Error('there is no schedule');
  const facts = { name: 'any', definition, overrides: [], calendarShifts: [] };
  const text = (at: number) => new Date(at).toISOString().slice(5, 16);
  return shiftsBetween(facts, Date.parse(from), Date.parse(to)).map(
    (shift) => `${shift.person.split('@')[0]} ${text(shift.from)}/${text(shift.to)}`,
  );
}

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

describe('Opsgenie', () => {
  const rotation = {
    id: 'r1',
    name: 'Days',
    startDate: '2026-05-04T07:00:00Z',
    endDate: null,
    type: 'weekly',
    length: 1,
    participants: [
      { type: 'user', id: 'u1', username: 'ana@example.com' },
      { type: 'user', id: 'u2', username: 'ben@example.com' },
    ],
  };
  const exported = (rotations: object[], escalations: object[] = []) => ({
    users: {
      data: [
        {
          id: 'u1',
          username: 'ana@example.com',
          fullName: 'Ana Example',
          role: { id: 'User', name: 'User' },
        },
        { id: 'u2', username: 'ben@example.com', fullName: 'Ben Example' },
      ],
      totalCount: 2,
    },
    schedules: {
      data: [{ id: 's1', name: 'ops_schedule', timezone: 'Europe/Berlin', enabled: true, rotations }],
    },
    escalations: { data: escalations },
  });

  test('rotations are together, within their hours', () => {
    const timeRestriction = {
      type: 'time-of-day',
      restriction: { startHour: 22, startMin: 30, endHour: 6, endMin: 0 },
    };
    const { schedules } = plan('opsgenie', exported([{ ...rotation, timeRestriction }]));
    expect(onCall(schedules[0]?.definition, '2026-06-01T08:00Z', '2026-06-03T08:00Z')).toEqual([
      'ana 06-01T20:30/06-02T04:00',
      'ana 06-02T20:30/06-03T04:00',
    ]);
  });

  test('a restriction from a day to another holds all the time between', () => {
    const timeRestriction = {
      type: 'weekday-and-time-of-day',
      restrictions: [
        { startDay: 'monday', startHour: 8, startMin: 0, endDay: 'wednesday', endHour: 18, endMin: 0 },
        { startDay: 'sunday', startHour: 20, startMin: 0, endDay: 'monday', endHour: 2, endMin: 0 },
      ],
    };
    const { schedules } = plan('opsgenie', exported([{ ...rotation, length: 4, timeRestriction }]));
    expect(onCall(schedules[0]?.definition, '2026-06-01T03:00Z', '2026-06-08T03:00Z')).toEqual([
      // the handoff is at nine
      'ana 06-01T06:00/06-01T07:00',
      'ben 06-01T07:00/06-03T16:00',
      'ben 06-07T18:00/06-08T00:00',
    ]);
  });

  test('rules of one time are one level; what differs here is said', () => {
    const rule = (minutes: number, recipient: object, more = {}) => ({
      condition: 'if-not-acked',
      notifyType: 'default',
      delay: { timeAmount: minutes, timeUnit: 'minutes' },
      recipient,
      ...more,
    });
    const { policies, problems } = plan(
      'opsgenie',
      exported(
        [rotation],
        [
          {
            id: 'e1',
            name: 'Ops escalation',
            rules: [
              rule(
                10,
                { type: 'user', id: 'u1', username: 'ana@example.com' },
                { condition: 'if-not-closed' },
              ),
              rule(0, { type: 'schedule', id: 's1', name: 'ops_schedule' }),
              rule(10, { type: 'schedule', id: 's1', name: 'ops_schedule' }, { notifyType: 'next' }),
              rule(20, { type: 'team', id: 't1', name: 'Ops' }),
            ],
            repeat: { waitInterval: 30, count: 3, resetRecipientStates: false },
          },
        ],
      ),
    );
    expect(policies[0]?.definition).toEqual({
      levels: [
        { after: '0m', targets: [{ type: 'schedule', name: 'ops_schedule' }] },
        {
          after: '10m',
          targets: [
            { type: 'user', email: 'ana@example.com' },
            { type: 'schedule', name: 'ops_schedule' },
          ],
        },
      ],
      repeats: 3,
      repeatAfter: '30m',
    });
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('here escalation stops with one'),
      expect.stringContaining("it tells 'next' there"),
      'team Ops is not carried over',
      expect.stringContaining('no incident is for it'),
    ]);
  });

  test('turns of nobody or of a team are left out', () => {
    const { schedules, problems } = plan(
      'opsgenie',
      exported([
        { ...rotation, participants: [...rotation.participants, { type: 'none' }] },
        { ...rotation, name: 'Off', enabled: false },
      ]),
    );
    expect(schedules[0]?.definition.rotations).toEqual([]);
    expect(problems[0]).toEqual({
      where: "schedule 'ops_schedule', rotation 'Days'",
      message: 'only users take turns here, and none is none: it is left out',
    });
  });
});

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
