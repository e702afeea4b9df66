import { describe, expect, test } from 'vitest';
import { digestOf } from '../../test/harness/incident-fold.ts';
import { startClocks } from '../sla/clock.ts';
import { applyEvent } from './apply-event.ts';
import { probableCause } from './cause.ts';
import { deadlinesOf } from './deadlines.ts';
import type { FeedDigest, IncidentEvent } from './events.ts';
import { incidentOver, nextMoves } from './next-moves.ts';
import { carryOver, escalationStopped, type IncidentState, newIncidentState } from './state.ts';

const second = 1_000;
const minute = 60_000;
const openedAt = Date.UTC(2026, 0, 1, 2, 14);
const ana = { type: 'email', address: 'ana@example.com' } as const;

const digest = (change: Partial<FeedDigest> = {}): FeedDigest =>
  digestOf({
    plan: {
      escalation: { name: 'default', policy: { levels: [{ after: '0s', targets: [ana] }], repeats: 0 } },
      sla: null,
      reopenWindowMs: 15 * minute,
    },
    analysis: true,
    ...change,
  });

const fold = (state: IncidentState, ...events: IncidentEvent[]) => events.reduce(applyEvent, state);
const read = (change: Partial<FeedDigest> = {}, at = openedAt): IncidentEvent => ({
  type: 'feed_read',
  at,
  key: 'feed',
  digest: digest(change),
});
const begin = (at: number, key: string): IncidentEvent => ({ type: 'move_started', at, key });
const opened = (change: Partial<FeedDigest> = {}) =>
  fold(newIncidentState(42, openedAt), begin(openedAt, 'feed'), read(change));
const movesOf = (state: IncidentState, now: number) => nextMoves(state, now).moves.map(({ key }) => key);
const story = (state: IncidentState) => state.outbox.map(({ kind, summary }) => `${kind}: ${summary}`);
const last = (state: IncidentState) => state.outbox.at(-1);

describe('the evidence is analysed', () => {
  const analysed = (key: string, at: number): IncidentEvent => ({
    type: 'analysed',
    at,
    key,
    cause: null,
    changes: [],
  });
  const looked = (state: IncidentState, at: number) => {
    const key = movesOf(state, at).find((each) => each.startsWith('analysis:'));
    if (key === undefined) throw new Error('no analysis is due');
    return fold(state, begin(at, key), analysed(key, at + second));
  };

  test('at once, and one and five minutes after the opening', () => {
    let state = opened();
    expect(movesOf(state, openedAt)).toContain('analysis:0');
    state = looked(state, openedAt);
    expect(movesOf(state, openedAt + minute - 1)).not.toContain('analysis:1');
    state = looked(state, openedAt + minute);
    expect(movesOf(state, openedAt + 5 * minute - 1)).not.toContain('analysis:2');
    state = looked(state, openedAt + 5 * minute);
    expect(state.analysis.number).toBe(3);
    expect(movesOf(state, openedAt + 600 * minute).some((key) => key.startsWith('analysis'))).toBe(false);
  });

  test('every 15 s at most while alerts join, however often', () => {
    let state = looked(opened(), openedAt);
    for (let ms = 2000; ms < 14_000; ms += 100) {
      state = fold(state, read({ seq: ms, alertCount: 50 }, openedAt + ms));
      expect(movesOf(state, openedAt + ms)).not.toContain('analysis:1');
    }
    expect(nextMoves(state, openedAt + 14_000).wakeAt).toBe(openedAt + 15_000);
    expect(movesOf(state, openedAt + 15_000)).toContain('analysis:1');
  });

  test('rests the longer the more alerts there are, five minutes at most', () => {
    const rest = (alertCount: number): number => {
      const began = fold(opened(), begin(openedAt, 'analysis:0'), analysed('analysis:0', openedAt + second));
      const state = fold(began, read({ seq: 2, alertCount }, openedAt + 2 * second));
      return (state.analysis.nextAt ?? 0) - openedAt;
    };
    expect([50, 51, 500, 9000].map(rest)).toEqual([15_000, 30_000, 150_000, 300_000]);
  });

  test('as soon as the logs are there', () => {
    const gathered = { type: 'evidence_gathered', key: 'evidence:0', summary: '', source: 'loki' } as const;
    const state = fold(looked(opened(), openedAt), { ...gathered, at: openedAt + 3 * second });
    expect(movesOf(state, openedAt + 3 * second)).toContain('analysis:1');
  });

  test('not for logs that hold nothing', () => {
    const gathered = { type: 'evidence_gathered', key: 'evidence:0', summary: '', source: 'loki' } as const;
    const state = fold(looked(opened(), openedAt), { ...gathered, at: openedAt + 3 * second, empty: true });
    expect(movesOf(state, openedAt + 59 * second)).not.toContain('analysis:1');
  });

  test('no later than at once where nothing comes late, until another alert joins', () => {
    const complete: IncidentEvent = {
      type: 'analysed',
      at: openedAt + second,
      key: 'analysis:0',
      cause: null,
      changes: [],
      complete: true,
    };
    const state = fold(opened(), begin(openedAt, 'analysis:0'), complete);
    expect(movesOf(state, openedAt + 10 * minute)).not.toContain('analysis:1');
    const joined = fold(state, read({ seq: 2, alertCount: 2 }, openedAt + 20 * second));
    expect(movesOf(joined, openedAt + 20 * second)).toContain('analysis:1');
  });

  test('once at a time, and again for what came meanwhile', () => {
    let state = fold(opened(), begin(openedAt, 'analysis:0'), read({ seq: 2 }, openedAt + second));
    expect(movesOf(state, openedAt + 20 * second).some((key) => key.startsWith('analysis'))).toBe(false);
    state = fold(state, analysed('analysis:0', openedAt + 20 * second));
    expect(movesOf(state, openedAt + 20 * second)).toContain('analysis:1');
  });

  test('again by a new run when it was under way', () => {
    const state = carryOver(fold(opened(), begin(openedAt, 'analysis:0')));
    expect(movesOf(state, openedAt + second)).toContain('analysis:1');
  });

  test('never after the end, and from the start when it fires again', () => {
    let state = fold(opened(), {
      type: 'resolved',
      at: openedAt + second,
      by: 'ana',
      note: null,
      falsePositive: false,
    });
    expect(movesOf(state, openedAt + minute).some((key) => key.startsWith('analysis'))).toBe(false);
    state = fold(state, read({ seq: 2 }, openedAt + 2 * minute));
    expect(movesOf(state, openedAt + 2 * minute)).toContain('analysis:0');
  });

  test('never where the feed was read by a Holdfast that has no such analysis', () => {
    const { analysis: _, ...old } = digest();
    const state = fold(newIncidentState(42, openedAt), {
      type: 'feed_read',
      at: openedAt,
      key: 'feed',
      digest: old,
    });
    expect(movesOf(state, openedAt).some((key) => key.startsWith('analysis'))).toBe(false);
    expect(nextMoves(state, openedAt).wakeAt).toBeNull();
  });
});

describe('an analysis that failed', () => {
  const failed = (key: string, at: number): IncidentEvent => ({
    type: 'move_failed',
    at,
    key,
    reason: 'away',
  });
  const failing = (before: IncidentState, from: number) => {
    let state = before;
    let at = from;
    for (let attempts = 0; attempts < 50; attempts++) {
      const key = movesOf(state, at).find((each) => each.startsWith('analysis:'));
      if (key !== undefined) state = fold(state, begin(at, key), failed(key, at));
      const { nextAt } = state.analysis;
      if (nextAt === null) return { state, attempts: attempts + 1, at };
      expect(nextAt).toBe(at + minute);
      at = nextAt;
    }
    throw new Error('it is tried for ever');
  };

  test('is told once and begun again each minute, and not for ever', () => {
    const { state, attempts, at } = failing(opened(), openedAt);
    expect(attempts).toBe(6);
    expect(story(state)).toEqual(['analysis_failed: The evidence could not be analysed: away']);
    const analysed: IncidentEvent = { type: 'analysed', at, key: 'analysis:9', cause: null, changes: [] };
    const found = fold(state, analysed, read({ seq: 2 }, at + minute));
    expect(story(failing(found, at + minute).state)).toHaveLength(2);
  });

  test('is not begun again for an incident that is over', () => {
    const ended = { type: 'resolved', at: openedAt, by: 'ana', note: null, falsePositive: false } as const;
    const state = fold(
      opened(),
      begin(openedAt, 'analysis:0'),
      ended,
      failed('analysis:0', openedAt + second),
    );
    expect(story(state).some((line) => line.startsWith('analysis_failed'))).toBe(false);
    expect(movesOf(state, openedAt + 5 * minute).some((key) => key.startsWith('analysis'))).toBe(false);
  });
});

test('logs whose source was away are gathered again later, and not for ever', () => {
  const failed = (key: string, at: number): IncidentEvent => ({
    type: 'move_failed',
    at,
    key,
    reason: 'away',
  });
  let state = opened();
  let at = openedAt;
  let gatherings = 0;
  for (; gatherings < 50; gatherings++) {
    const key = movesOf(state, at).find((each) => each.startsWith('evidence:'));
    if (key === undefined) break;
    state = fold(state, begin(at, key), failed(key, at + minute));
    at = state.evidence.nextAt ?? at;
  }
  expect(gatherings).toBe(12);
  expect(at - openedAt).toBeGreaterThan(30 * minute);
  expect(state.outbox.filter(({ kind }) => kind === 'logs_failed')).toHaveLength(12);
});

describe('the probable cause', () => {
  const ranked = (service: string, confidence: number) => ({
    service,
    confidence,
    score: confidence,
    reasons: [],
  });

  test('is the first of the ranking when that is sure enough', () => {
    expect(probableCause([ranked('db', 0.5), ranked('api', 0.2)], null)).toEqual({
      service: 'db',
      confidence: 0.5,
    });
    expect(probableCause([ranked('db', 0.49), ranked('api', 0.4)], null)).toBeNull();
    expect(probableCause([], 'db')).toBeNull();
  });

  test('stays what was told, as sure as it is now, until another one is sure enough', () => {
    expect(probableCause([ranked('api', 0.45), ranked('db', 0.4)], 'db')?.service).toBe('db');
    expect(probableCause([ranked('api', 0.6), ranked('db', 0.4)], 'db')?.service).toBe('api');
  });

  const found = (service: string, confidence: number, at = openedAt + second): IncidentEvent => ({
    type: 'analysed',
    at,
    key: 'analysis:0',
    cause: { service, confidence, reasons: ['it fails and nothing that it calls does'] },
    changes: [],
  });

  test('is told with its reasons, once, and the incident stands as having its cause found', () => {
    const state = fold(opened(), found('db', 0.82), found('db', 0.86));
    expect(story(state)).toEqual([
      'root_cause: Probable cause: db, 82 %: it fails and nothing that it calls does',
    ]);
    expect(state).toMatchObject({ status: 'root_cause_found', cause: { service: 'db', confidence: 0.86 } });
  });

  test('is told again when another one is better', () => {
    const state = fold(opened(), found('db', 0.6), found('disk', 0.7));
    expect(last(state)?.summary).toMatch(/^Probable cause now: disk, 70 %/);
  });

  test("is a person's word where there is one, which no ranking changes", () => {
    const judged = { type: 'cause_judged', at: openedAt + minute, by: 'ana', service: 'dns' } as const;
    const state = fold(opened(), found('db', 0.9), judged, found('db', 0.95, openedAt + 2 * minute));
    expect(state.cause).toEqual({ service: 'dns', confidence: 1, by: 'ana' });
    expect(last(state)).toMatchObject({
      kind: 'cause_corrected',
      actor: 'ana',
      summary: 'The cause is dns, not db',
      audit: 'incident.judge_cause',
    });
    expect(last(fold(state, { ...judged, by: 'ben' }))?.kind).toBe('cause_confirmed');
  });

  test('takes nothing back that has gone on: what is mitigated or resolved stays so', () => {
    const mitigated = { type: 'status_set', at: openedAt, by: 'ana', status: 'mitigated' } as const;
    expect(fold(opened(), mitigated, found('db', 0.9)).status).toBe('mitigated');
    const ended = { type: 'resolved', at: openedAt, by: 'ana', note: null, falsePositive: false } as const;
    const resolved = fold(opened(), ended, found('db', 0.9));
    expect(resolved).toMatchObject({ status: 'resolved', cause: null });
  });

  test('a related change is told once, and what a person says of it with its audit', () => {
    const related: IncidentEvent = {
      type: 'analysed',
      at: openedAt,
      key: 'analysis:0',
      cause: null,
      changes: [{ id: 7, sentence: 'Related change detected: db v1 → v2, 15 min before, 85 %' }],
    };
    const state = fold(opened(), related, related, {
      type: 'change_judged',
      at: openedAt + minute,
      by: 'ana',
      changeId: 7,
      verdict: 'confirmed',
    });
    expect(state.outbox.map(({ kind }) => kind)).toEqual(['change', 'change_confirmed']);
    expect(last(state)).toMatchObject({
      data: { changeId: 7, verdict: 'confirmed' },
      audit: 'incident.judge_change',
    });
  });
});

describe('regrouping', () => {
  const paged: IncidentEvent = {
    type: 'page_sent',
    at: openedAt,
    key: 'page:1:0.0.0',
    destination: 'ana',
    skipped: null,
  };
  const merge = { type: 'regroup_asked', at: openedAt + minute, by: 'ana', alertIds: null, into: 7 } as const;
  const merged = (at = openedAt + minute): IncidentEvent => ({
    type: 'regrouped',
    at,
    key: 'regroup:0',
    into: 7,
  });

  test('moves alerts once, and asks anew only when that is asked for anew', () => {
    let state = fold(opened(), paged, { ...merge, alertIds: [1, 2], into: null });
    expect(nextMoves(state, openedAt + minute).moves).toContainEqual({
      kind: 'regroup',
      key: 'regroup:0',
      regrouping: { alertIds: [1, 2], into: null, by: 'ana', reason: null, outcome: null },
    });
    state = fold(state, begin(openedAt + minute, 'regroup:0'), merged());
    expect(movesOf(state, openedAt + minute)).not.toContain('regroup:0');
    expect(state).toMatchObject({ resolved: null, mergedInto: null, feedUnread: true });
    expect(movesOf(fold(state, merge), openedAt + minute)).toContain('regroup:1');
  });

  test('an incident whose firing alerts have all been split off is over', () => {
    const state = fold(
      opened(),
      { ...merge, alertIds: [1], into: null },
      merged(),
      read({ seq: 2, alertCount: 1, firingCount: 0, firingJoined: false }, openedAt + minute),
    );
    expect(state.status).toBe('resolved');
  });

  test('a merged incident ends: pages stop, whoever was paged is told once, and it closes without waiting', () => {
    const state = fold(opened(), paged, merge, merged(), merged(openedAt + 2 * minute));
    expect(state).toMatchObject({
      status: 'resolved',
      resolved: { by: 'ana', at: openedAt + minute },
      mergedInto: 7,
    });
    expect(escalationStopped(state)).toBe(true);
    expect(state.notices).toHaveLength(1);
    expect(state.notices[0]).toMatchObject({ type: 'incident.resolved', detail: { mergedInto: 7 } });
    expect(story(state).slice(1)).toEqual([
      'merged: Over: it is one outage with #7, which goes on with its alerts',
    ]);
    expect(deadlinesOf(state, openedAt + minute)).toEqual([]);
  });

  test('neither keeps nor breaks the SLA of a merged incident: the other one has its alerts', () => {
    const times = { policy: 'Standard', acknowledgeMs: 30 * minute, resolveMs: 240 * minute };
    const before = { ...fold(opened()), clocks: startClocks(times, openedAt) };
    const { clocks } = fold(before, merge, merged());
    expect(clocks.map(({ state }) => state)).toEqual(['paused', 'paused']);
    // whatever else happens before it closes
    const later = fold(before, merge, merged(), { type: 'tick', at: openedAt + 300 * minute });
    expect(later.clocks).toEqual(clocks);
    expect(later.outbox.some(({ kind }) => kind === 'sla_breached')).toBe(false);
  });

  test('withdraws what a merged incident has asked approval for', () => {
    const matches = [{ runbook: 'restart', mode: 'semi_auto' as const, alertId: 1, dueAt: openedAt }];
    const state = fold(
      opened({ matches }),
      {
        type: 'execution_started',
        at: openedAt,
        key: 'execution:restart',
        runbook: 'restart',
        executionId: 'e1',
      },
      merge,
      merged(),
    );
    expect(movesOf(state, openedAt + minute)).toContain('withdraw:e1');
  });

  test('nothing reopens what is merged, and it closes when its feed is read', () => {
    let state = fold(opened(), merge, merged(), read({ seq: 9, firingJoined: true }, openedAt + 2 * minute));
    expect(state.status).toBe('resolved');
    state = fold(state, {
      type: 'recorded',
      at: openedAt + 2 * minute,
      key: 'record',
      seq: state.seq,
      deadlines: '[]',
    });
    state = { ...state, runbooks: {}, notices: [] };
    expect(nextMoves(state, openedAt + 2 * minute).moves).toEqual([
      { kind: 'close', key: 'close', afterSeq: 9 },
    ]);
    expect(incidentOver(fold(state, { type: 'closed', at: openedAt + 2 * minute, key: 'close' }))).toBe(true);
  });

  test('correlation merges once, with its reason, and does not insist on what was refused', () => {
    const wanted = { mergeInto: { number: 7, reason: 'both wait for db' } };
    let state = opened(wanted);
    state = fold(state, read(wanted));
    expect(state.regroupings).toEqual([
      { alertIds: null, into: 7, by: 'Holdfast', reason: 'both wait for db', outcome: null },
    ]);
    const refused = { type: 'move_failed', at: openedAt, key: 'regroup:0', reason: '#7 is closed' } as const;
    state = fold(state, refused, read(wanted));
    expect(state.regroupings).toHaveLength(1);
    expect(story(state)).toEqual(['merge_failed: Not merged into #7: #7 is closed']);
    expect(fold(state, read({ mergeInto: { number: 8, reason: '' } })).regroupings).toHaveLength(2);
  });

  test('whose alerts have left before the move has answered is no incident that ended by its alerts', () => {
    const left = read({ seq: 4, alertCount: 0, firingCount: 0, firingJoined: false }, openedAt + minute);
    const state = fold(opened(), merge, begin(openedAt + minute, 'regroup:0'), left);
    expect(state.resolved).toBeNull();
    expect(fold(state, merged())).toMatchObject({ status: 'resolved', mergedInto: 7 });
    // the move was made and its answer lost: what is here is read once more, and says that nothing is
    const lost = { type: 'move_failed', at: openedAt + minute, key: 'regroup:0', reason: 'away' } as const;
    const asked = fold(state, lost);
    expect(movesOf(asked, openedAt + minute)).toContain('feed');
    expect(fold(asked, begin(openedAt + minute, 'feed'), left).status).toBe('resolved');
  });

  test('a refused act of a person is told to that person alone', () => {
    const state = fold(opened(), merge, {
      type: 'move_failed',
      at: openedAt,
      key: 'regroup:0',
      reason: '#7 is closed',
    });
    expect(state.regroupings[0]?.outcome).toEqual({ refused: '#7 is closed' });
    expect(story(state)).toEqual([]);
  });
});

test('a regrouping that is asked for when the incident has closed is refused', () => {
  const ended = { type: 'resolved', at: openedAt, by: 'ana', note: null, falsePositive: true } as const;
  const asked: IncidentEvent = { type: 'regroup_asked', at: openedAt, by: 'ana', alertIds: [1], into: 7 };
  const state = fold(opened(), ended, { type: 'closed', at: openedAt, key: 'close' }, asked);
  expect(state.regroupings[0]?.outcome).toEqual({ refused: 'it is closed' });
});

test('what was moved is not carried on', () => {
  const alertIds = Array.from({ length: 1_000 }, (_, index) => 9_000_000 + index);
  let state = opened();
  for (let index = 0; index < 300; index++) {
    const key = `regroup:${index}`;
    const asked = { type: 'regroup_asked', at: openedAt, by: 'ana', alertIds, into: 7 } as const;
    const refused = { type: 'move_failed', at: openedAt, key, reason: '#7 is closed' } as const;
    const moved = { type: 'regrouped', at: openedAt, key, into: 7 } as const;
    state = fold(state, asked, index % 2 === 0 ? refused : moved);
  }
  expect(JSON.stringify(state).length).toBeLessThan(50_000);
});

describe('an incident whose alerts flap', () => {
  const over = (seconds: number, change: Partial<FeedDigest> = {}) =>
    read(
      { seq: seconds, firingCount: 0, firingJoined: false, flapping: { quietMs: 10 * minute }, ...change },
      openedAt + seconds * second,
    );
  const tick = (seconds: number): IncidentEvent => ({ type: 'tick', at: openedAt + seconds * second });

  test('is over only when none has fired for the quiet time', () => {
    let state = fold(opened(), over(60), tick(61));
    expect(state.resolved).toBeNull();
    expect(nextMoves(state, openedAt + minute).wakeAt).toBe(openedAt + 11 * minute);
    state = fold(state, read({ seq: 70 }, openedAt + 300 * second), tick(700));
    expect(state.resolved).toBeNull();
    state = fold(state, over(720), tick(720 + 599));
    expect(movesOf(state, openedAt + 1319 * second)).not.toContain('feed');
    state = quiet(state, 720 + 600);
    state = fold(state, over(1321));
    expect(state.status).toBe('resolved');
    expect(story(state).filter((line) => line.startsWith('flapping'))).toHaveLength(1);
  });

  /** The quiet time is over at `seconds`: the feed is read before it ends. */
  const quiet = (state: IncidentState, seconds: number) => {
    const at = openedAt + seconds * second;
    const next = fold(state, tick(seconds));
    expect(next.resolved).toBeNull();
    expect(movesOf(next, at)).toContain('feed');
    return fold(next, begin(at, 'feed'), tick(seconds + 1));
  };

  test('is not over when one fires again that was not read yet', () => {
    let state = quiet(fold(opened(), over(60)), 660);
    expect(state.resolved).toBeNull();
    expect(nextMoves(state, openedAt + 661 * second).wakeAt).toBeNull();
    state = fold(state, read({ seq: 661, alertCount: 2 }, openedAt + 661 * second), tick(700));
    expect(state.resolved).toBeNull();
    expect(state.openings).toBe(1);
  });

  test('is not over by a reading that began before, nor while there is more to read', () => {
    const at = openedAt + 659 * second;
    let state = fold(
      opened(),
      over(60),
      { type: 'feed_unread', at },
      begin(at, 'feed'),
      tick(660),
      over(661),
    );
    expect(state.resolved).toBeNull();
    state = fold(state, begin(openedAt + 662 * second, 'feed'), { type: 'feed_unread', at }, over(663));
    expect(state.resolved).toBeNull();
    state = fold(state, begin(openedAt + 664 * second, 'feed'), over(665));
    expect(state.status).toBe('resolved');
  });

  test('waits anew when one has come and gone unread', () => {
    let state = fold(opened(), over(60), over(300, { alertCount: 2 }), tick(661));
    expect(state).toMatchObject({ resolved: null, feedUnread: false });
    expect(nextMoves(state, openedAt + 661 * second).wakeAt).toBe(openedAt + 900 * second);
    state = fold(quiet(state, 900), over(901, { alertCount: 3 }));
    expect(nextMoves(state, openedAt + 902 * second).wakeAt).toBe(openedAt + 1501 * second);
  });

  test('that have ended for good is over at once', () => {
    const { flapping: _, ...digestWithout } = digest({ seq: 5, firingCount: 0, firingJoined: false });
    const state = fold(opened(), {
      type: 'feed_read',
      at: openedAt + minute,
      key: 'feed',
      digest: digestWithout,
    });
    expect(state.status).toBe('resolved');
  });
});
