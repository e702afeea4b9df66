import { expect, test } from 'vitest';
import { applyEvent } from './apply-event.ts';
import type { FeedDigest, IncidentEvent } from './events.ts';
import { nextMoves } from './next-moves.ts';
import type { RestoredIncident } from './restored.ts';
import { type IncidentState, newIncidentState } from './state.ts';

const minute = 60_000;
const openedAt = Date.UTC(2026, 0, 1, 2, 14);
/** When Temporal is back, without its store. */
const back = openedAt + 20 * minute;
const ana = { type: 'email', address: 'ana@example.com' } as const;
const ben = { type: 'email', address: 'ben@example.com' } as const;

const recorded: RestoredIncident = {
  seq: 40,
  status: 'root_cause_found',
  acknowledged: null,
  assignedTo: 'ben',
  snoozedUntil: null,
  escalationFrom: openedAt + 10 * minute,
  resolved: null,
  firesSinceResolved: false,
  clocks: [],
  cause: { service: 'db', confidence: 1, by: 'ana' },
  mergedInto: null,
  openings: 2,
  pages: ['page:1:0.0.0', 'page:2:0.0.0', 'page:2:0.9.9'],
  executions: [{ runbook: 'restart', mode: 'auto', executionId: 'e1', status: 'succeeded' }],
  changesTold: [7],
  regroupings: 2,
};
const digest = (restored?: RestoredIncident): FeedDigest => ({
  seq: 9,
  title: 'HighLatency on checkout',
  service: 'checkout',
  severity: 'critical',
  openedAt,
  alertCount: 2,
  firingCount: 2,
  firingJoined: true,
  plan: {
    escalation: {
      name: 'default',
      policy: {
        levels: [
          { after: '0s', targets: [ana] },
          { after: '15m', targets: [ben] },
        ],
        repeats: 0,
      },
    },
    sla: null,
    reopenWindowMs: 15 * minute,
  },
  matches: [{ runbook: 'restart', mode: 'auto', alertId: 1, dueAt: openedAt }],
  ...(restored ? { restored } : {}),
});
const begunAnew = (change: Partial<RestoredIncident> = {}, state = newIncidentState(42, back)) =>
  applyEvent(state, { type: 'feed_read', at: back, key: 'feed', digest: digest({ ...recorded, ...change }) });
const movesOf = (state: IncidentState, now: number) => nextMoves(state, now).moves.map(({ key }) => key);

test('goes on from the record: pages nobody twice, runs no runbook twice, and pages who is next in time', () => {
  const state = begunAnew();
  expect(state).toMatchObject({
    status: 'root_cause_found',
    assignedTo: 'ben',
    cause: { by: 'ana' },
    openings: 2,
  });
  expect(movesOf(state, back).filter((key) => /^(page|execution)/.test(key))).toEqual([]);
  expect(movesOf(state, openedAt + 25 * minute)).toContain('page:2:0.1.0');
});

test('nobody is paged for what was acknowledged, and what was resolved stays so', () => {
  const acknowledged = begunAnew({ acknowledged: { at: openedAt, by: 'ana' } });
  expect(movesOf(acknowledged, back + 60 * minute).some((key) => key.startsWith('page'))).toBe(false);
  const resolved = { at: back - minute, by: 'ana' };
  expect(begunAnew({ status: 'resolved', resolved }).status).toBe('resolved');
  expect(nextMoves(begunAnew({ status: 'resolved', resolved }), back).wakeAt).toBe(back + 14 * minute);
});

test('what was resolved and fires again since then is reopened, unless somebody has resolved it meanwhile', () => {
  const resolved = { at: back - minute, by: 'Holdfast' };
  const firesAgain = { status: 'resolved', resolved, firesSinceResolved: true } as const;
  const state = begunAnew(firesAgain);
  expect(state).toMatchObject({ status: 'investigating', resolved: null, openings: 3 });
  expect(state.outbox.map(({ kind }) => kind)).toEqual(['restored', 'reopened']);
  expect(movesOf(state, back)).toContain('page:3:0.0.0');
  expect(begunAnew({ ...firesAgain, status: 'false_positive' }).resolved).toEqual(resolved);
  expect(begunAnew({ ...firesAgain, mergedInto: 7 }).resolved).toEqual(resolved);
  const again: IncidentEvent = { type: 'resolved', at: back, by: 'ana', note: null, falsePositive: false };
  const ended = begunAnew(firesAgain, applyEvent(newIncidentState(42, back), again));
  expect(ended.resolved).toEqual({ at: back, by: 'ana' });
});

test('a snooze that is over has moved the escalation', () => {
  const state = begunAnew({ escalationFrom: openedAt + 30 * minute });
  expect(nextMoves(state, openedAt + 44 * minute).moves.map(({ kind }) => kind)).not.toContain('page');
  expect(movesOf(state, openedAt + 45 * minute)).toContain('page:2:0.1.0');
});

test('its story goes on after what was told: nothing takes the number or the key of what is recorded', () => {
  const noted: IncidentEvent = { type: 'noted', at: back, by: 'ana', text: 'still here?' };
  const state = begunAnew({}, applyEvent(newIncidentState(42, back), noted));
  expect(state.outbox.map(({ seq, kind }) => `${seq} ${kind}`)).toEqual(['41 note', '42 restored']);
  const asked = applyEvent(state, { type: 'regroup_asked', at: back, by: 'ana', alertIds: [1], into: 7 });
  expect(movesOf(asked, back).filter((key) => key.startsWith('regroup'))).toEqual(['regroup:2']);
});

test('what the workflow itself had recorded before its first reading came through is no loss', () => {
  const noted: IncidentEvent = { type: 'noted', at: openedAt, by: 'ana', text: 'mine' };
  const record: IncidentEvent = { type: 'recorded', at: openedAt, key: 'record', seq: 1, deadlines: '[]' };
  const own = [noted, record].reduce(applyEvent, newIncidentState(42, openedAt));
  const state = begunAnew({ seq: 1 }, own);
  expect(state).toMatchObject({ seq: 1, openings: 1, status: 'investigating' });
  expect(movesOf(state, back)).toContain('page:1:0.0.0');
});
