import { describe, expect, test } from 'vitest';
import type { ContactRules } from '../contact-rules.ts';
import { onCallSchedule, type ScheduleFacts } from '../oncall/schedule.ts';
import type { EscalationTarget } from '../policies.ts';
import { reachesSomebody } from './reached.ts';
import { type Directory, resolveTargets } from './resolve.ts';

const at = Date.parse('2026-11-23T03:00:00Z');
const ana = 'ana@example.com';
const ben = 'ben@example.com';
const cleo = 'cleo@example.com';
const byMail = [{ afterMs: 0, method: { type: 'email' } }];

const facts = (name: string, rotations: object[], more: Partial<ScheduleFacts> = {}): ScheduleFacts => ({
  name,
  definition: onCallSchedule.parse({ timeZone: 'UTC', rotations }),
  overrides: [],
  calendarShifts: [],
  ...more,
});
const daily = (name: string, ...people: string[]) => ({
  name,
  participants: people.map((person) => [person]),
  turn: { unit: 'day' },
  startsAt: '2026-11-20T00:00',
});

function directory(schedules: ScheduleFacts[] = [], rules: Record<string, ContactRules> = {}): Directory {
  return {
    schedules: new Map(schedules.map((schedule) => [schedule.name, schedule])),
    people: new Map(
      [ana, ben, cleo].map((email) => [email, { name: email, contactRules: rules[email] ?? [] }]),
    ),
    channels: new Set(['ops']),
  };
}
const resolve = (where: Directory, ...targets: EscalationTarget[]) =>
  resolveTargets(where, targets, 'critical', at);
const primary = { type: 'schedule', name: 'primary' } as const;

describe('what a target means', () => {
  test('an address and a channel are told themselves', () => {
    const targets: EscalationTarget[] = [
      { type: 'email', address: 'desk@example.com' },
      { type: 'channel', name: 'ops' },
    ];
    expect(resolve(directory(), ...targets)).toEqual(
      targets.map((target) => ({ target, people: [], problem: null })),
    );
  });

  test('a person is reached as their contact rules for the severity say, in the order of time', () => {
    const rules: ContactRules = [
      { severities: ['low'], steps: [{ after: '0s', method: { type: 'email' } }] },
      {
        steps: [
          { after: '5m', method: { type: 'email' } },
          { after: '0s', method: { type: 'slack', channel: 'chat' } },
        ],
      },
    ];
    const [resolved] = resolve(directory([], { [ana]: rules }), { type: 'user', email: 'Ana@example.com' });
    expect(resolved?.people).toEqual([
      {
        email: ana,
        steps: [
          { afterMs: 0, method: { type: 'slack', channel: 'chat' } },
          { afterMs: 300_000, method: { type: 'email' } },
        ],
        entry: null,
      },
    ]);
  });

  test('a schedule is whoever is on call by it, with the entry that says so', () => {
    const [resolved] = resolve(directory([facts('primary', [daily('days', ana, ben)])]), primary);
    expect(resolved).toEqual({
      target: primary,
      problem: null,
      people: [
        {
          email: ben,
          steps: byMail,
          entry: {
            schedule: 'primary',
            rotation: 'days',
            from: '2026-11-23T00:00:00.000Z',
            to: '2026-11-24T00:00:00.000Z',
            override: false,
            shadow: false,
          },
        },
      ],
    });
  });

  test('an override answers in its time', () => {
    const override = { id: 'x', person: cleo, insteadOf: null, from: at - 1, to: at + 3_600_000 };
    const schedule = facts('primary', [daily('days', ana, ben)], { overrides: [override] });
    const [resolved] = resolve(directory([schedule]), primary);
    expect(resolved?.people.map(({ email, entry }) => [email, entry?.override])).toEqual([[cleo, true]]);
  });
});

describe('each person is told once', () => {
  const schedule = facts('primary', [daily('days', ana, ben)]);

  test('named by the policy and by a schedule', () => {
    const resolved = resolve(directory([schedule]), { type: 'user', email: ben }, primary);
    expect(resolved.map(({ people, problem }) => [people.map(({ email }) => email), problem])).toEqual([
      [[ben], null],
      [[], null],
    ]);
  });

  test('named twice, and by an address of theirs', () => {
    const resolved = resolve(
      directory([schedule]),
      { type: 'email', address: 'BEN@example.com' },
      { type: 'user', email: 'Ben@example.com' },
      { type: 'user', email: ben },
      { type: 'channel', name: 'ops' },
      { type: 'channel', name: 'ops' },
    );
    expect(resolved.map(({ target, people }) => [target.type, people.length])).toEqual([
      ['user', 1],
      ['channel', 0],
    ]);
  });

  test('whoever answers by one schedule and shadows by another answers', () => {
    const learning = facts('learning', [{ ...daily('shadow', ben), shadow: true }, daily('days', ana)]);
    const resolved = resolve(
      directory([learning, schedule]),
      { type: 'schedule', name: 'learning' },
      primary,
    );
    expect(resolved.map(({ people }) => people.map(({ email, entry }) => [email, entry?.shadow]))).toEqual([
      [[ana, false]],
      [[ben, false]],
    ]);
  });
});

describe('what reaches nobody says why', () => {
  test.each<[string, EscalationTarget, ScheduleFacts[], string]>([
    ['a gap', primary, [facts('primary', [])], "nobody is on call by 'primary'"],
    ['no such schedule', primary, [], "there is no on-call schedule 'primary'"],
    ['no such channel', { type: 'channel', name: 'x' }, [], "there is no notification channel 'x'"],
    [
      'a user who was disabled',
      { type: 'user', email: 'dan@example.com' },
      [],
      'there is no active user dan@example.com',
    ],
    [
      'somebody on call who was disabled',
      primary,
      [facts('primary', [daily('days', 'dan@example.com')])],
      "on call by 'primary' is dan@example.com, who is no active user",
    ],
  ])('%s', (_, target, schedules, problem) => {
    const resolved = resolve(directory(schedules), target);
    expect(resolved).toEqual([{ target, people: [], problem }]);
    expect(reachesSomebody(resolved)).toBe(false);
  });

  test('those who only shadow are told, but nobody relies on them', () => {
    const schedule = facts('primary', [{ ...daily('shadow', ana), shadow: true }]);
    const resolved = resolve(directory([schedule]), primary);
    expect(resolved[0]?.people.map(({ email }) => email)).toEqual([ana]);
    expect(resolved[0]?.problem).toBe("nobody is on call by 'primary'");
    expect(reachesSomebody(resolved)).toBe(false);
  });
});
