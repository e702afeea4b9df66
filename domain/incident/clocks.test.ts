import { expect, test } from 'vitest';
import type { SlaTimes } from '../sla/clock.ts';
import { advanceClocks, armClocks } from './clocks.ts';
import { deadlinesOf } from './deadlines.ts';
import { type IncidentPlan, type IncidentState, newIncidentState } from './state.ts';

const minute = 60_000;
const hour = 60 * minute;
const openedAt = Date.UTC(2026, 0, 1, 2, 14);
const ana = { type: 'email', address: 'ana@example.com' } as const;
const standard: SlaTimes = {
  policy: 'standard',
  acknowledgeMs: 30 * minute,
  resolveMs: 4 * hour,
  atRiskShare: 0.8,
};
const critical: SlaTimes = {
  policy: 'critical',
  acknowledgeMs: 5 * minute,
  resolveMs: 30 * minute,
  atRiskShare: 0.8,
};

const plan = (sla: SlaTimes): IncidentPlan => ({
  escalation: { name: 'default', policy: { levels: [{ after: '0s', targets: [ana] }], repeats: 0 } },
  sla,
  reopenWindowMs: 15 * minute,
});
const armed = (state: IncidentState, sla: SlaTimes, at: number) =>
  armClocks({ ...state, plan: plan(sla) }, at);
const fresh = (sla: SlaTimes) => armed(newIncidentState(42, openedAt), sla, openedAt);
const told = (state: IncidentState) =>
  state.outbox.map(({ kind, at }) => `${(at - openedAt) / minute} ${kind}`);

test('a severity that selects another policy gives the clocks its times from the opening on, and says so', () => {
  const before = advanceClocks(fresh(standard), openedAt + 26 * minute);
  const state = armed(before, critical, openedAt + 27 * minute);
  expect(state.clocks.map(({ policy, state }) => `${policy} ${state}`)).toEqual([
    'critical breached',
    'critical at_risk',
  ]);
  expect(told(state)).toEqual(['24 sla_at_risk', '27 sla_rearmed', '5 sla_breached', '24 sla_at_risk']);
  expect(state.outbox[1]?.summary).toBe(
    'SLA critical takes over from standard: to be acknowledged within 5 min, resolved within 30 min from the opening on',
  );
  // each message has a key of its own
  expect(new Set(state.notices.map(({ key }) => key)).size).toBe(3);
});

test('a better severity gives more time; what is decided stays', () => {
  const breached = advanceClocks(fresh(critical), openedAt + 6 * minute);
  const state = armed(breached, standard, openedAt + 7 * minute);
  expect(state.clocks).toMatchObject([
    { policy: 'critical', state: 'breached' },
    { policy: 'standard', state: 'running', dueAt: openedAt + 4 * hour },
  ]);
  expect(state.outbox.at(-1)?.summary).toBe(
    'SLA standard takes over from critical: to be resolved within 4 h from the opening on',
  );
});

test('what was read before policies said when a clock is at risk is re-armed without a word', () => {
  const { atRiskShare: _, ...old } = critical;
  expect(told(armed(fresh(standard), old, openedAt))).toEqual([]);
});

test('a clock that pauses at risk is told of once, and says what is left', () => {
  const office = {
    ...standard,
    pauses: [[openedAt + 24 * minute, openedAt + 10 * hour]] as [number, number][],
  };
  let state = fresh(office);
  for (const at of [24, 300, 600, 601]) state = advanceClocks(state, openedAt + at * minute);
  expect(told(state)).toEqual(['24 sla_at_risk']);
  expect(state.outbox[0]?.summary).toBe('SLA standard at risk: to be acknowledged within 30 min, 6 min left');

  const paused = advanceClocks(fresh(office), openedAt + hour);
  expect(deadlinesOf(paused, openedAt + hour).map(({ at, what }) => `${at} ${what}`)).toContain(
    '2026-01-01T12:20:00.000Z SLA standard: time to acknowledge is over (paused now, 6 min left)',
  );
});

test('what was resolved before anything was read of it has clocks that are judged by that', () => {
  const resolved = { ...newIncidentState(42, openedAt), resolved: { at: openedAt + 10 * minute, by: 'ana' } };
  const state = armed(resolved, critical, openedAt + 11 * minute);
  expect(state.clocks.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    'acknowledge breached',
    'resolve met',
  ]);
  expect(armed(state, standard, openedAt + 12 * minute).clocks).toEqual(state.clocks);
});
