import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NotifyInput } from '../domain/notification.ts';
import {
  acknowledgedBy,
  address,
  ana,
  createEscalationHarness,
  type EscalationHarness,
  onCall,
  type ScenarioInput,
  scheduleOf,
  undeliverable,
  user,
} from '../test/harness/escalation.ts';
import { until } from '../test/harness/workflows.ts';

/** Each case runs the real incident workflow; only its activities are scripted, and the server skips time. */
let harness: EscalationHarness;
beforeAll(async () => {
  harness = await createEscalationHarness();
});
afterAll(() => harness.close());

const level = (after: string, ...targets: object[]) => ({ after, targets });
/** Turns of a day each, from midnight. */
const daily = (...names: string[]) => ({
  name: 'days',
  participants: names.map((name) => [`${name}@example.com`]),
  turn: { unit: 'day' },
  startsAt: '2026-03-01T00:00',
});
const inZone = (timeZone: string, ...rotations: object[]) => scheduleOf('primary', { timeZone, rotations });
/** They hand over at 02:30 by the wall, every day. */
const handover = (timeZone: string) =>
  inZone(timeZone, { ...daily('ana', 'ben'), startsAt: '2026-01-01T02:30' });

describe('whom the levels page, and when', () => {
  test.each<[string, ScenarioInput, minutes: number, expected: string[]]>([
    [
      'each at its time',
      {
        policy: {
          levels: [level('0s', user('ana')), level('15m', user('ben')), level('30m', address('desk'))],
        },
      },
      60,
      ['0 ana', '15 ben', '30 desk'],
    ],
    [
      'repeats are passes of their own',
      {
        policy: {
          levels: [level('0s', user('ana')), level('10m', user('ben'))],
          repeats: 2,
          repeatAfter: '5m',
        },
      },
      60,
      ['0 ana', '10 ben', '15 ana', '25 ben', '30 ana', '40 ben'],
    ],
    [
      'a gap in the schedule makes room for the next level at once',
      {
        policy: {
          levels: [level('0s', onCall('primary')), level('15m', user('ben')), level('30m', user('cleo'))],
        },
        schedules: [inZone('UTC')],
      },
      40,
      ['0 ben', '30 cleo'],
    ],
    [
      'whoever is named by the policy and on call is told once',
      {
        policy: { levels: [level('0s', user('ana'), onCall('primary'), address('ana'))] },
        schedules: [inZone('UTC', daily('ana'))],
      },
      20,
      ['0 ana'],
    ],
    [
      'a level asks who is on call when its time comes: the shift has changed by then',
      {
        policy: { levels: [level('0s', onCall('primary')), level('30m', onCall('primary'))] },
        schedules: [inZone('UTC', daily('ana', 'ben'))],
        opensAt: '2026-03-01T23:45:00Z',
      },
      40,
      ['0 ana', '30 ben'],
    ],
    [
      'an override that begins during the escalation answers from then on',
      {
        policy: { levels: [level('0s', onCall('primary')), level('15m', onCall('primary'))] },
        schedules: [
          scheduleOf(
            'primary',
            { timeZone: 'UTC', rotations: [daily('ana')] },
            {
              overrides: [
                {
                  id: 'o',
                  person: 'cleo@example.com',
                  insteadOf: null,
                  from: Date.parse('2026-03-01T12:10:00Z'),
                  to: Date.parse('2026-03-01T18:00:00Z'),
                },
              ],
            },
          ),
        ],
        opensAt: '2026-03-01T12:00:00Z',
      },
      20,
      ['0 ana', '15 cleo'],
    ],
    [
      'who shadows is told, and the next level follows at once all the same',
      {
        policy: { levels: [level('0s', onCall('primary')), level('15m', user('cleo'))] },
        schedules: [inZone('UTC', { ...daily('ben'), shadow: true })],
      },
      20,
      ['0 ben', '0 cleo'],
    ],
    [
      'a rotation goes on over the year end',
      {
        policy: { levels: [level('0s', onCall('primary')), level('30m', onCall('primary'))] },
        schedules: [
          inZone('Europe/Berlin', { ...daily('ana', 'ben', 'cleo'), startsAt: '2026-12-29T00:00' }),
        ],
        // 23:40 by the wall of the last day
        opensAt: '2026-12-31T22:40:00Z',
      },
      40,
      ['0 cleo', '30 ana'],
    ],
  ])('%s', async (_, given, minutes, expected) => {
    await harness.run(given, async (escalation) => {
      await escalation.at(minutes);
      expect(escalation.pages().toSorted(byTime)).toEqual(expected);
    });
  });
});

describe('the clock on the wall hands over, also when it is changed', () => {
  test.each<[string, zone: string, opensAt: string, expected: string[]]>([
    // 29 March: 02:00 → 03:00 at 01:00 UTC. There is no 02:30: it is moved to 03:30, 01:30 UTC
    ['Berlin, forward', 'Europe/Berlin', '2026-03-29T01:15:00Z', ['0 ana', '30 ben']],
    // 25 October: 03:00 → 02:00 at 01:00 UTC. Of two 02:30 the first counts, 00:30 UTC
    ['Berlin, back', 'Europe/Berlin', '2026-10-25T00:15:00Z', ['0 ana', '30 ben']],
    // 8 March: 02:00 → 03:00 at 07:00 UTC. 02:30 is moved to 03:30, 07:30 UTC
    ['New York, forward', 'America/New_York', '2026-03-08T07:15:00Z', ['0 ben', '30 ana']],
    // 1 November: 02:00 → 01:00 at 06:00 UTC. 02:30 comes once, an hour later than the day before: 07:30 UTC
    ['New York, back', 'America/New_York', '2026-11-01T07:15:00Z', ['0 ben', '30 ana']],
    // 4 October: 02:00 → 03:00 at 16:00 UTC of the 3rd. 02:30 is moved to 03:30, 16:30 UTC
    ['Sydney, forward', 'Australia/Sydney', '2026-10-03T16:15:00Z', ['0 ben', '30 ana']],
    // 5 April: 03:00 → 02:00 at 16:00 UTC of the 4th. Of two 02:30 the first counts, 15:30 UTC
    ['Sydney, back', 'Australia/Sydney', '2026-04-04T15:15:00Z', ['0 ben', '30 ana']],
  ])('%s', async (_, zone, opensAt, expected) => {
    const policy = { levels: [level('0s', onCall('primary')), level('30m', onCall('primary'))] };
    await harness.run({ policy, schedules: [handover(zone)], opensAt }, async (escalation) => {
      await escalation.at(35);
      expect(escalation.pages()).toEqual(expected);
    });
  });
});

describe('the steps of a person', () => {
  const chat = { type: 'slack' as const, channel: 'chat' };
  const rules = {
    'ana@example.com': [
      {
        steps: [
          { after: '0s', method: chat },
          { after: '5m', method: { type: 'email' as const } },
        ],
      },
    ],
  };
  const policy = { levels: [level('0s', user('ana')), level('15m', user('ben'))] };

  test('follow each other by their times, each page with its reasons', async () => {
    await harness.run({ policy, rules }, async (escalation) => {
      await escalation.at(20);
      expect(escalation.pages()).toEqual(['0 ana slack:chat', '5 ana', '15 ben']);
      const [, second] = escalation.scenario.sent;
      expect(second).toMatchObject({
        cause: { event: 'incident.opened', policy: 'default', level: 1, pass: 1, round: 1, step: 2 },
        pattern: 'HighLatency checkout',
        severity: 'critical',
        detail: { level: 1, levels: 2, nextWhat: 'level 2: ben@example.com' },
      });
      const keys = escalation.scenario.sent.map(({ key }) => key);
      expect(new Set(keys).size).toBe(3);
      expect(keys.join()).not.toMatch(/ana|ben/);
    });
  });

  test('a step that fails for good makes room for the next one at once', async () => {
    const change = {
      deliver: (input: NotifyInput) => {
        if (input.target.type === 'contact' && input.target.method.type === 'slack') {
          undeliverable('no such user there');
        }
      },
    };
    await harness.run({ policy, rules, change }, async (escalation) => {
      await escalation.at(20);
      expect(escalation.pages()).toEqual(['0 ana', '15 ben']);
      expect(escalation.scenario.sent[0]?.cause?.instead).toBe('Slack by chat: no such user there');
    });
  });

  test('stop with the acknowledgement', async () => {
    await harness.run({ policy, rules }, async (escalation) => {
      await escalation.at(2);
      await acknowledgedBy(escalation, ana);
      await escalation.at(60);
      expect(escalation.pages()).toEqual(['0 ana slack:chat']);
    });
  });

  test('a level of which nothing could be delivered makes room for the next one', async () => {
    const change = {
      deliver: ({ target }: NotifyInput) => {
        if (target.type === 'email') undeliverable('no such mailbox');
      },
    };
    const desk = { levels: [level('0s', address('desk')), level('15m', user('ben'))] };
    await harness.run({ policy: desk, change }, async (escalation) => {
      await escalation.at(1);
      expect(escalation.pages()).toEqual(['0 ben']);
      expect(escalation.story().map(({ kind }) => kind)).toContain('level_undelivered');
    });
  });
});

test('nobody on call: the story says so, and the owners are told once', async () => {
  const policy = {
    levels: [level('0s', onCall('primary')), level('10m', onCall('primary')), level('20m', user('ana'))],
    repeats: 1,
  };
  await harness.run({ policy, schedules: [inZone('UTC')] }, async (escalation) => {
    await escalation.at(70);
    await until(() => escalation.told('oncall.nobody').length > 0, 'the owners are told');
    expect(escalation.pages()).toEqual(['0 ana', '40 ana']);
    expect(escalation.told('oncall.nobody')).toEqual(['0 dan']);
    const [first] = escalation.story().filter(({ kind }) => kind === 'nobody_on_call');
    expect(first?.summary).toBe("Level 1 reaches nobody: nobody is on call by 'primary'; level 2 at once");
  });
});

function byTime(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10) || a.localeCompare(b);
}
