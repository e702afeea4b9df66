import { describe, expect, test } from 'vitest';
import { type Action, admit, concerns, type SafetySnapshot } from './admit.ts';
import type { SafetyRules, SafetyScope, ScopedRules } from './rules.ts';

const now = Date.parse('2026-06-01T10:00:00Z');
const minute = 60_000;
const hour = 60 * minute;

const snapshot = (given: Partial<SafetySnapshot> = {}): SafetySnapshot => ({
  runbook: 'restart',
  target: 'checkout',
  team: 'red',
  environment: 'production',
  automatic: true,
  own: { maxPerHour: 1000, cooldownMs: 0, environments: [] },
  sets: [],
  layout: { scopes: [], steps: [] },
  stops: [],
  maintenance: [],
  outcomes: [],
  lastEnd: null,
  actions: [],
  ...given,
});
const set = (scope: SafetyScope, name: string, rules: SafetyRules): ScopedRules => ({ scope, name, rules });
const action = (minutesAgo: number, same: Partial<Action> = {}): Action => ({
  at: now - minutesAgo * minute,
  sameTeam: false,
  sameRunbook: false,
  sameTarget: false,
  ...same,
});
const actions = (count: number, same: Partial<Action> = {}) =>
  Array.from({ length: count }, (_, index) => action(index + 1, same));

test('with nothing against it an execution may act', () => {
  expect(admit(snapshot(), now)).toBeNull();
});

describe('the kill switch', () => {
  const stop = { team: null, by: 'ana@example.com', at: now - hour, reason: 'failing over' };
  test('holds for people too, and says who, since when and why', () => {
    expect(admit(snapshot({ stops: [stop], automatic: false }), now)).toEqual({
      rule: 'kill switch',
      reason:
        'kill switch: all automation is stopped since 2026-06-01T09:00:00.000Z by ana@example.com (failing over); an Admin can resume it',
      until: null,
    });
  });
  test('of a team names it', () => {
    expect(admit(snapshot({ stops: [{ ...stop, team: 'red' }] }), now)?.reason).toMatch(
      /team red is stopped/,
    );
  });
});

describe('environments', () => {
  const own = { ...snapshot().own, environments: ['staging', 'test-*'] };
  test('refuse automation elsewhere and where nobody said which it is; people may', () => {
    expect(admit(snapshot({ own }), now)?.reason).toBe(
      'environments: runbook restart is for staging, test-*; this is production; a person can run it',
    );
    expect(admit(snapshot({ own, environment: null }), now)?.rule).toBe('environments');
    expect(admit(snapshot({ own, environment: 'test-7' }), now)).toBeNull();
    expect(admit(snapshot({ own, automatic: false }), now)).toBeNull();
  });
});

describe('maintenance', () => {
  const window = { target: 'check*', from: now - hour, to: now + hour, weekly: null, reason: 'disk swap' };
  test('keeps automation away until the last window over the target has ended', () => {
    const longer = { ...window, to: now + 2 * hour };
    expect(admit(snapshot({ maintenance: [window, longer] }), now)).toMatchObject({
      rule: 'maintenance',
      reason:
        'maintenance: checkout is being worked on (disk swap); possible again at 2026-06-01T12:00:00.000Z',
      until: '2026-06-01T12:00:00.000Z',
    });
    expect(admit(snapshot({ maintenance: [window], automatic: false }), now)).toBeNull();
    expect(admit(snapshot({ maintenance: [window], target: 'db' }), now)).toBeNull();
    expect(admit(snapshot({ maintenance: [window] }), window.to)).toBeNull();
  });

  test('that comes back every week keeps it away in its hours, until the present occurrence ends', () => {
    const nights = {
      ...window,
      from: Date.parse('2026-03-01T00:00:00Z'),
      to: Date.parse('2026-04-30T00:00:00Z'),
      weekly: { timeZone: 'Europe/Berlin', days: ['sat' as const], from: '22:00', to: '06:00' },
    };
    const until = (text: string) => admit(snapshot({ maintenance: [nights] }), Date.parse(text))?.until;
    expect(until('2026-03-21T22:00:00Z')).toBe('2026-03-22T05:00:00.000Z');
    // the clocks go forward
    expect(until('2026-03-28T22:00:00Z')).toBe('2026-03-29T04:00:00.000Z');
    expect(until('2026-03-29T04:00:00Z')).toBeUndefined();
    expect(until('2026-03-25T22:00:00Z')).toBeUndefined();
    expect(until('2026-05-02T22:00:00Z')).toBeUndefined();
    // one that lasts beyond the end of the other
    const single = { ...window, from: nights.from, to: Date.parse('2026-03-22T08:00:00Z') };
    const both = snapshot({ maintenance: [nights, single] });
    expect(admit(both, Date.parse('2026-03-21T23:00:00Z'))?.until).toBe('2026-03-22T08:00:00.000Z');
  });
});

describe('business hours', () => {
  const hours = { days: [1, 2, 3, 4, 5], from: '13:00', to: '17:00', timeZone: 'UTC' };
  test('of the runbook and of each scope must all be open, and the refusal says when they are', () => {
    const own = { ...snapshot().own, hours };
    const sets = [set('organization', '', { hours: { ...hours, from: '15:00' } })];
    expect(admit(snapshot({ own, sets }), now)).toMatchObject({
      rule: 'business hours',
      reason:
        'business hours: automation of runbook restart acts Mon–Fri 13:00–17:00 UTC; possible again at 2026-06-01T15:00:00.000Z',
      until: '2026-06-01T15:00:00.000Z',
    });
    expect(admit(snapshot({ own, sets, automatic: false }), now)).toBeNull();
    expect(admit(snapshot({ own, sets }), now + 5 * hour)).toBeNull();
  });
  test('that never meet are said to', () => {
    const own = { ...snapshot().own, hours };
    const sets = [set('team', 'red', { hours: { ...hours, days: [6] } })];
    expect(admit(snapshot({ own, sets }), now)).toMatchObject({
      until: null,
      reason: expect.stringMatching(/never meet/),
    });
  });
});

describe('the circuit breaker', () => {
  const outcomes = (...statuses: SafetySnapshot['outcomes'][number]['status'][]) =>
    statuses.map((status, index) => ({ status, finishedAt: now - (index + 1) * hour }));
  test('opens after three failures in a row, of whatever kind, for people too', () => {
    const failed = outcomes('failed', 'rolled_back', 'rollback_failed');
    expect(admit(snapshot({ outcomes: failed, automatic: false }), now)).toEqual({
      rule: 'circuit breaker',
      reason:
        'circuit breaker: runbook restart failed 3 times in a row on target checkout, last at 2026-06-01T09:00:00.000Z; runs again once a person has looked and reset it',
      until: null,
    });
  });
  test('stays closed after two, and when a success lies between', () => {
    expect(admit(snapshot({ outcomes: outcomes('failed', 'failed') }), now)).toBeNull();
    expect(admit(snapshot({ outcomes: outcomes('failed', 'succeeded', 'failed') }), now)).toBeNull();
  });
});

describe('actions per hour', () => {
  test('are 10 in the organization unless an Admin says otherwise', () => {
    expect(admit(snapshot({ actions: actions(9) }), now)).toBeNull();
    expect(admit(snapshot({ actions: actions(10) }), now)).toEqual({
      rule: 'actions per hour',
      reason: 'actions per hour: 10 of 10 in the organization; possible again at 2026-06-01T10:50:00.000Z',
      until: '2026-06-01T10:50:00.000Z',
    });
    const sets = [set('organization', '', { maxPerHour: 20 })];
    expect(admit(snapshot({ actions: actions(19), sets }), now)).toBeNull();
  });

  test.for<[SafetyScope, string, Partial<Action>, string]>([
    ['team', 'red', { sameTeam: true }, 'of team red'],
    ['runbook', 'restart', { sameRunbook: true }, 'of runbook restart'],
    ['target', 'check*', { sameTarget: true }, 'on target checkout'],
  ])('of a %s count its own', ([scope, name, same, where]) => {
    const sets = [set(scope, name, { maxPerHour: 2 })];
    expect(admit(snapshot({ sets, actions: actions(5) }), now)).toBeNull();
    expect(admit(snapshot({ sets, actions: [...actions(5), ...actions(2, same)] }), now)?.reason).toBe(
      `actions per hour: 2 of 2 ${where}; possible again at 2026-06-01T10:58:00.000Z`,
    );
  });

  test('go by the stricter of the runbook’s file and its rule, and of several rules over one target', () => {
    const own = { ...snapshot().own, maxPerHour: 1 };
    const sets = [set('runbook', 'restart', { maxPerHour: 5 })];
    expect(admit(snapshot({ own, sets, actions: actions(1, { sameRunbook: true }) }), now)?.reason).toMatch(
      /1 of 1 of runbook/,
    );
    const globs = [set('target', '*', { maxPerHour: 3 }), set('target', 'checkout', { maxPerHour: 1 })];
    expect(admit(snapshot({ sets: globs, actions: actions(1, { sameTarget: true }) }), now)?.reason).toMatch(
      /1 of 1 on target/,
    );
  });

  test('leave room as soon as the oldest is an hour old, however many there are', () => {
    const sets = [set('organization', '', { maxPerHour: 1 })];
    expect(admit(snapshot({ sets, actions: [action(10), action(50)] }), now)?.until).toBe(
      '2026-06-01T10:50:00.000Z',
    );
    expect(admit(snapshot({ sets, actions: [action(60)] }), now)).toBeNull();
  });

  test('of none let nothing run', () => {
    const sets = [set('target', 'checkout', { maxPerHour: 0 })];
    expect(admit(snapshot({ sets }), now)).toMatchObject({
      until: null,
      reason: 'actions per hour: 0 of 0 on target checkout; an Admin can raise the limit',
    });
  });
});

describe('the cooldown', () => {
  test('is the longest of all that are set, and names whose it is', () => {
    const own = { ...snapshot().own, cooldownMs: 5 * minute };
    const lastEnd = now - 6 * minute;
    expect(admit(snapshot({ own, lastEnd }), now)).toBeNull();
    const sets = [set('team', 'red', { cooldown: '10m' }), set('runbook', 'nested', { cooldown: '1d' })];
    expect(admit(snapshot({ own, lastEnd, sets }), now)).toEqual({
      rule: 'cooldown',
      reason:
        'cooldown: 10 min of team red; runbook restart ended on target checkout at 2026-06-01T09:54:00.000Z; possible again at 2026-06-01T10:04:00.000Z',
      until: '2026-06-01T10:04:00.000Z',
    });
  });
});

test('rules are asked in their order: of several that say no the first is told', () => {
  const all: Partial<SafetySnapshot> = {
    stops: [{ team: null, by: 'ana', at: now, reason: 'x' }],
    own: {
      maxPerHour: 1,
      cooldownMs: hour,
      environments: ['staging'],
      hours: { days: [7], from: '00:00', to: '24:00', timeZone: 'UTC' },
    },
    maintenance: [{ target: '*', from: 0, to: now + hour, weekly: null, reason: 'x' }],
    outcomes: Array.from({ length: 3 }, () => ({ status: 'failed' as const, finishedAt: now })),
    actions: actions(20, { sameRunbook: true }),
    lastEnd: now,
  };
  const open: Partial<SafetySnapshot>[] = [
    { stops: [] },
    { own: { ...snapshot(all).own, environments: [] } },
    { maintenance: [] },
    { own: { maxPerHour: 1, cooldownMs: hour, environments: [] } },
    { outcomes: [] },
    { actions: [] },
    { lastEnd: null },
  ];
  const told = open.map(
    (_, index) => admit(snapshot(Object.assign({}, all, ...open.slice(0, index))), now)?.rule,
  );
  expect(told).toEqual([
    'kill switch',
    'environments',
    'maintenance',
    'business hours',
    'circuit breaker',
    'actions per hour',
    'cooldown',
  ]);
});

test('a set concerns the execution of its team, its runbooks and the targets that its glob matches', () => {
  const execution = { team: 'red', runbooks: ['fail-over', 'promote'], target: 'db-1' };
  const names: [SafetyScope, string][] = [
    ['organization', ''],
    ['team', 'red'],
    ['team', 'blue'],
    ['runbook', 'promote'],
    ['runbook', 'restart'],
    ['target', 'db-*'],
    ['target', 'web-*'],
  ];
  expect(names.filter(([scope, name]) => concerns({ scope, name }, execution))).toEqual([
    ['organization', ''],
    ['team', 'red'],
    ['runbook', 'promote'],
    ['target', 'db-*'],
  ]);
});
