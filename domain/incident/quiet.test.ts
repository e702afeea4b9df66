import { describe, expect, test } from 'vitest';
import {
  begun,
  digestOf,
  folded,
  levelsAsked,
  minute,
  noticesOf,
  opened,
  openedAt,
  ops,
  planOf,
  reading,
} from '../../test/harness/incident-fold.ts';
import type { EscalationPolicy } from '../policies.ts';
import { nextMoves } from './next-moves.ts';
import type { IncidentState } from './state.ts';

const ana = 'ana@example.com';
const withPolicy = (change: Partial<EscalationPolicy>) => {
  const plan = planOf();
  const { name, policy } = plan.escalation;
  return { ...plan, escalation: { name, policy: { ...policy, ...change } } };
};
const levelsDue = (state: IncidentState, at: number) =>
  nextMoves(state, at).moves.flatMap((move) => (move.kind === 'resolve_level' ? [move.key] : []));

describe('a round that begins while nobody is to be woken', () => {
  test('begins when that is over, and not with all of its levels at once', () => {
    const until = openedAt + 120 * minute;
    const snoozed = folded(opened(), { type: 'snoozed', at: openedAt + minute, by: ana, until });
    const plan = withPolicy({ repeats: 1 });
    const anew = folded(
      snoozed,
      { type: 'reapply_asked', at: openedAt + 2 * minute, by: ana },
      { type: 'move_started', at: openedAt + 2 * minute, key: 'feed' },
      reading(openedAt + 2 * minute, { plan, firingJoined: false }),
    );
    expect(anew.rounds).toBe(2);
    const after = folded(anew, { type: 'tick', at: until });
    expect(levelsDue(after, until)).toEqual(['level:1:2.0.0']);
    expect(levelsDue(after, until + 14 * minute)).toEqual(['level:1:2.0.0']);
  });
});

describe('what held a level back', () => {
  const until = (minutes: number) => openedAt + minutes * minute;
  const iso = (minutes: number) => new Date(until(minutes)).toISOString();
  const heldBy = (state: IncidentState, at: number) =>
    begun(levelsAsked(state, at), at, 'page').moves.map((move) => move.kind === 'page' && move.cause.held);

  test('goes with its messages: a silence by name, a snooze by whose it was, as long as it lasted', () => {
    let state = opened({ silence: { until: until(20), names: ['deploys'] } });
    state = folded(
      state,
      { type: 'tick', at: until(20) },
      { type: 'snoozed', at: until(21), by: ana, until: until(60) },
      { type: 'snoozed', at: until(22), by: ana, until: until(40) },
      { type: 'tick', at: until(40) },
    );
    expect(heldBy(state, until(40))).toEqual([
      [
        { kind: 'silence', until: iso(20), names: ['deploys'] },
        { kind: 'snooze', until: iso(40), by: ana },
      ],
    ]);
  });

  test('says nothing of a round that begins anew after it', () => {
    const plan = withPolicy({ unacknowledgeAfter: '60m' });
    const state = folded(
      opened({ plan }),
      { type: 'snoozed', at: until(1), by: ana, until: until(5) },
      { type: 'tick', at: until(5) },
      { type: 'acknowledged', at: until(6), by: ana, note: null },
      { type: 'tick', at: until(66) },
    );
    expect(state.rounds).toBe(2);
    expect(heldBy(state, until(66))).toEqual([undefined]);
  });
});

describe('an acknowledged incident that goes quiet in a silence', () => {
  test('is reminded of once when the silence is over, and taken back then at the soonest', () => {
    const until = openedAt + 300 * minute;
    const plan = withPolicy({ remindAfter: '30m', unacknowledgeAfter: '60m' });
    let state = folded(
      opened({ plan }),
      { type: 'acknowledged', at: openedAt + minute, by: ana, note: null },
      reading(openedAt + 2 * minute, { plan, firingJoined: false, silence: { until, names: ['x'] } }),
    );
    for (let at = openedAt + 40 * minute; at < until; at += 40 * minute) {
      // an alert that changes is work that goes on, and would be reminded of anew
      const seq = 2 + (at - openedAt) / minute;
      const silence = { until, names: ['x'] };
      state = folded(state, { type: 'tick', at }, reading(at, { seq, plan, firingJoined: false, silence }));
    }
    expect(noticesOf(state, 'escalation.reminder')).toEqual([]);
    expect(state.acknowledged?.by).toBe(ana);
    state = folded(state, { type: 'tick', at: until + 60 * minute });
    expect(state.acknowledged).toBeNull();
  });
});

describe('an incident that is resolved in a silence', () => {
  const silencedFromTheStart = ({ outbox }: IncidentState) =>
    outbox.filter(({ kind }) => kind === 'silenced').map(({ data }) => data.fromTheStart === true);
  const announces = ['incident.opened' as const, 'incident.resolved' as const];
  const plan = planOf({ announces });
  const silence = { until: openedAt + 60 * minute, names: ['x'] };
  const resolved = {
    type: 'resolved',
    at: openedAt + 9 * minute,
    by: ana,
    note: null,
    falsePositive: false,
  } as const;

  test('of which people knew has its end announced', () => {
    const told = begun(opened({ plan }), openedAt, 'announce');
    const state = folded(
      told.state,
      { type: 'announced', at: openedAt, key: 'announce:incident.opened:0', notices: [] },
      reading(openedAt + minute, { plan, silence, firingJoined: false }),
      resolved,
    );
    expect(state.announcements.map(({ trigger }) => trigger)).toEqual(['incident.resolved']);
    expect(silencedFromTheStart(state)).toEqual([false]);
  });

  test('that came in it is announced to nobody', () => {
    const state = folded(
      opened({ plan, silence }),
      reading(openedAt + minute, { plan, silence, firingJoined: false }),
      resolved,
    );
    expect(state.announcements).toEqual([]);
    expect(silencedFromTheStart(state)).toEqual([true]);
  });

  test('that opened again in it is announced to nobody', () => {
    const state = folded(
      opened({ plan }),
      { ...resolved, at: openedAt + minute },
      reading(openedAt + 2 * minute, { plan, silence }),
      resolved,
    );
    expect(state.openings).toBe(2);
    expect(state.announcements).toEqual([]);
    expect(silencedFromTheStart(state)).toEqual([true]);
  });
});

test('the alerts of hours of silence are no flood when it ends', () => {
  const plan = planOf({ announces: ['alert.received'] });
  const silence = { until: openedAt + 60 * minute, names: ['x'] };
  let state = opened({ plan, silence });
  for (let n = 1; n <= 60; n++) {
    const received = Array.from({ length: 50 }, (_, index) => n * 50 + index);
    state = folded(state, reading(openedAt + n, { ...digestOf(), seq: n + 1, plan, silence, received }));
  }
  expect(state.announcements).toHaveLength(100);
  state = folded(state, { type: 'tick', at: silence.until });
  const first = begun(state, silence.until, 'announce');
  expect(first.moves).toHaveLength(50);
  expect(begun(first.state, silence.until, 'announce').moves).toEqual([]);
  const [one] = first.moves;
  const answered = folded(first.state, {
    type: 'announced',
    at: silence.until,
    key: one?.key ?? '',
    notices: [],
  });
  expect(begun(answered, silence.until, 'announce').moves).toHaveLength(1);
});

describe('a page that leaves while the incident is being resolved', () => {
  const end = { type: 'resolved', at: openedAt + 1, by: ana, note: null, falsePositive: false } as const;
  const paging = begun(levelsAsked(opened(), openedAt), openedAt, 'page');
  const [page] = paging.moves;
  const sent = { type: 'page_sent', key: page?.key ?? '', destination: 'ops', skipped: null } as const;

  test('is followed by the news of the end', () => {
    const state = folded(paging.state, end, { ...sent, at: openedAt + 2 });
    expect(noticesOf(state, 'incident.resolved')).toMatchObject([{ target: ops, detail: { by: ana } }]);
  });

  test('is not when it did not leave, nor twice where there was one before', () => {
    const called = folded(paging.state, end, { ...sent, at: openedAt + 2, skipped: 'resolved meanwhile' });
    expect(noticesOf(called, 'incident.resolved')).toEqual([]);
    const before = folded(paging.state, { ...sent, at: openedAt });
    const again = {
      ...before,
      pages: { ...before.pages, 'page:1:1.1.0.0': { target: ops, status: 'started' as const } },
    };
    const state = folded(again, end, { ...sent, key: 'page:1:1.1.0.0', at: openedAt + 2 });
    expect(noticesOf(state, 'incident.resolved')).toHaveLength(1);
  });
});

test('a level that reached those alone who shadow makes room for the next one', () => {
  const entry = { schedule: 's', rotation: 'r', from: '', to: '', override: false };
  const steps = [{ afterMs: 0, method: { type: 'email' as const } }];
  const people = [
    { email: ana, steps, entry: { ...entry, shadow: false } },
    { email: 'ben@example.com', steps, entry: { ...entry, shadow: true } },
  ];
  const { state, moves } = begun(levelsAsked(opened(), openedAt, people), openedAt, 'page');
  const [answers, shadows] = moves;
  const after = folded(
    state,
    { type: 'page_sent', at: openedAt, key: shadows?.key ?? '', destination: 'ben', skipped: null },
    { type: 'move_failed', at: openedAt, key: answers?.key ?? '', reason: 'the address is refused' },
  );
  expect(levelsDue(after, openedAt)).toEqual(['level:1:1.0.1']);
});
