import { describe, expect, it } from 'vitest';
import type { ContactRules } from '../contact-rules.ts';
import type { Rotation, ScheduleFacts } from '../oncall/schedule.ts';
import { type ReadinessFacts, readinessOf } from './readiness.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const ana = 'ana@example.com';
const bySlack: ContactRules = [{ steps: [{ after: '0s', method: { type: 'slack', channel: 'ops-bot' } }] }];

function schedule(name: string, changes: Partial<Rotation> = {}): ScheduleFacts {
  const rotation: Rotation = {
    name: 'primary',
    priority: 0,
    participants: [[ana]],
    turn: { every: 1, unit: 'week' },
    startsAt: '2026-11-02T09:00',
    shadow: false,
    ...changes,
  };
  return { name, definition: { timeZone: 'UTC', rotations: [rotation] }, overrides: [], calendarShifts: [] };
}

function factsOf(changes: {
  schedules?: ScheduleFacts[];
  rules?: ContactRules;
  people?: string[];
  facts?: Partial<ReadinessFacts>;
}): ReadinessFacts {
  const { schedules = [schedule('payments')], rules = [], people = [ana] } = changes;
  return {
    directory: {
      schedules: new Map(schedules.map((each) => [each.name, each])),
      people: new Map(people.map((email) => [email, { name: email, contactRules: rules }])),
      channels: new Set(),
    },
    policies: [{ name: 'default', levels: [[{ type: 'schedule', name: 'payments' }]] }],
    ruleTargets: [],
    channels: new Map([['ops-bot', { error: null, bot: true }]]),
    inSlack: new Set(),
    failures: new Map(),
    calendarProblems: [],
    ...changes.facts,
  };
}

const kindsOf = (facts: ReadinessFacts) => readinessOf(facts, now).map(({ kind }) => kind);

describe('readiness', () => {
  it('finds nothing where somebody is on call all the time and comes by mail', () => {
    expect(readinessOf(factsOf({}), now)).toEqual([]);
  });

  it('finds gaps ahead, and calls one that has begun critical', () => {
    const hours: Rotation['hours'] = [
      { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '00:00', to: '00:00' },
    ];
    const findings = readinessOf(factsOf({ schedules: [schedule('payments', { hours })] }), now);
    expect(findings.map(({ kind, severity }) => [kind, severity])).toEqual([
      ['gap', 'critical'],
      ['gap', 'warning'],
      ['gap', 'warning'],
    ]);
    expect(findings[0]).toMatchObject({ subject: 'payments', at: now, remedy: expect.any(String) });
  });

  it.each([
    ['whose Slack user is not linked', {}, /not linked/],
    ['whose channel is gone', { channels: new Map(), inSlack: new Set([ana]) }, /no channel ops-bot/],
    [
      'whose channel fails',
      { channels: new Map([['ops-bot', { error: 'token revoked', bot: true }]]), inSlack: new Set([ana]) },
      /token revoked/,
    ],
    [
      'whose last message failed',
      { inSlack: new Set([ana]), failures: new Map([[`${ana} slack:ops-bot`, 'user left']]) },
      /user left/,
    ],
  ] as [string, Partial<ReadinessFacts>, RegExp][])('names a person on call %s', (_, facts, text) => {
    const findings = readinessOf(factsOf({ rules: bySlack, facts }), now);
    expect(findings).toMatchObject([
      { kind: 'person_unreachable', severity: 'critical', subject: ana, text: expect.stringMatching(text) },
    ]);
  });

  it('only warns while another way is left', () => {
    const rules: ContactRules = [
      { steps: [...bySlack[0]!.steps, { after: '5m', method: { type: 'email' } }] },
    ];
    expect(kindsOf(factsOf({ rules }))).toEqual(['method_failing']);
  });

  it('says which policies end nowhere, and why', () => {
    const policies: ReadinessFacts['policies'] = [
      { name: 'gone', levels: [[{ type: 'schedule', name: 'no-such' }]] },
      { name: 'left', levels: [[{ type: 'user', email: 'left@example.com' }]] },
      {
        name: 'half',
        levels: [[{ type: 'schedule', name: 'payments' }], [{ type: 'channel', name: 'no-such' }]],
      },
    ];
    const findings = readinessOf(factsOf({ facts: { policies } }), now);
    expect(findings.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['policy_reaches_nobody', 'gone'],
      ['policy_reaches_nobody', 'left'],
      ['level_reaches_nobody', 'half'],
    ]);
    expect(findings[0]?.text).toContain('there is no schedule no-such');
  });

  it('names those who take turns and have left', () => {
    const facts = factsOf({
      schedules: [schedule('payments', { participants: [[ana], ['left@example.com']] })],
    });
    expect(readinessOf(facts, now)).toMatchObject([
      { kind: 'participant_disabled', text: expect.stringContaining('left@example.com') },
    ]);
  });

  it('names schedules that nothing uses, calendars that cannot be read, and overrides that overlap', () => {
    const twice = {
      ...schedule('payments'),
      overrides: ['ben@example.com', ana].map((person, index) => ({
        id: String(index),
        person,
        insteadOf: null,
        from: now + 3_600_000,
        to: now + 7_200_000,
      })),
    };
    const facts = factsOf({
      schedules: [twice, schedule('spare')],
      people: [ana, 'ben@example.com'],
      facts: {
        calendarProblems: [
          { schedule: 'payments', rotation: 'holidays', error: '404', unmatched: [] },
          { schedule: 'payments', rotation: 'nights', error: null, unmatched: ['Anna'] },
        ],
      },
    });
    expect(kindsOf(facts)).toEqual([
      'calendar_unreadable',
      'calendar_names_unknown',
      'schedule_unused',
      'overrides_overlap',
    ]);
  });
});
