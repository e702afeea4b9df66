import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../test/harness/incident-fold.ts';
import { applyEvent } from './apply-event.ts';
import { deadlinesOf } from './deadlines.ts';
import type { FeedDigest, IncidentEvent } from './events.ts';
import { type IncidentMove, incidentOver, nextMoves } from './next-moves.ts';
import { carryOver, type IncidentState, newIncidentState } from './state.ts';

const minute = 60_000;
const openedAt = Date.UTC(2026, 0, 1, 2, 14);
const ana = { type: 'email', address: 'ana@example.com' } as const;
const ben = { type: 'email', address: 'ben@example.com' } as const;

const digest = (change: Partial<FeedDigest> = {}): FeedDigest =>
  digestOf({
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
      sla: { policy: 'critical', acknowledgeMs: 5 * minute, resolveMs: 30 * minute },
      reopenWindowMs: 15 * minute,
    },
    ...change,
  });

/** Drives the fold as the workflow does, every move succeeding at once, up to `until`. */
function simulate(
  events: { at: number; event: (at: number) => IncidentEvent }[],
  until: number,
  first = digest(),
) {
  let state = newIncidentState(42, openedAt);
  const begun: { at: number; move: IncidentMove }[] = [];
  const pending = [...events].sort((a, b) => a.at - b.at);
  let now = openedAt;
  for (let guard = 0; guard < 10_000; guard++) {
    state = applyEvent(state, { type: 'tick', at: now });
    const { moves, wakeAt } = nextMoves(state, now);
    for (const move of moves) {
      begun.push({ at: now - openedAt, move });
      state = applyEvent(state, { type: 'move_started', at: now, key: move.key });
      state = applyEvent(state, outcomeOf(move, state, now, first));
    }
    if (moves.length > 0) continue;
    const next = Math.min(
      wakeAt ?? Number.POSITIVE_INFINITY,
      pending[0] ? openedAt + pending[0].at : Number.POSITIVE_INFINITY,
    );
    if (next > openedAt + until || state.closed) return { state, begun };
    now = Math.max(now, next);
    while (pending[0] && openedAt + pending[0].at <= now)
      state = applyEvent(state, pending.shift()!.event(now));
  }
  throw new Error('the fold does not come to rest');
}

function outcomeOf(move: IncidentMove, state: IncidentState, at: number, feed: FeedDigest): IncidentEvent {
  const { key } = move;
  switch (move.kind) {
    case 'read_feed':
      return { type: 'feed_read', at, key, digest: feed };
    case 'gather_evidence':
      return { type: 'evidence_gathered', at, key, summary: 'no logs', source: 'builtin' };
    case 'analyse':
      return { type: 'analysed', at, key, cause: null, changes: [] };
    case 'regroup':
      return { type: 'regrouped', at, key, into: move.regrouping.into ?? 99 };
    case 'page':
      return { type: 'page_sent', at, key, destination: 'x', skipped: null };
    case 'resolve_level':
      return { type: 'level_resolved', at, key, dueAt: move.dueAt, targets: [], owners: [] };
    case 'announce':
      return { type: 'announced', at, key, notices: [] };
    case 'notice':
    case 'withdraw':
      return { type: 'notice_sent', at, key };
    case 'start_execution':
      return { type: 'execution_started', at, key, runbook: move.runbook, executionId: 'e1' };
    case 'record':
      return { type: 'recorded', at, key, seq: state.seq, deadlines: JSON.stringify(move.deadlines) };
    case 'close':
      return { type: 'closed', at, key };
  }
}

const read = (feed: FeedDigest, time = openedAt): IncidentEvent => ({
  type: 'feed_read',
  at: time,
  key: 'feed',
  digest: feed,
});
const pagesOf = (begun: { at: number; move: IncidentMove }[]) =>
  begun.flatMap(({ at, move }) =>
    move.kind === 'page' && move.target.type === 'email'
      ? [`${at / minute} ${move.target.address.split('@')[0]}`]
      : [],
  );
const at = (minutes: number, event: (at: number) => IncidentEvent) => ({ at: minutes * minute, event });
const acknowledged = (time: number): IncidentEvent => ({
  type: 'acknowledged',
  at: time,
  by: 'ana',
  note: null,
});
const resolved = (time: number): IncidentEvent => ({
  type: 'resolved',
  at: time,
  by: 'ana',
  note: null,
  falsePositive: false,
});

describe('escalation', () => {
  test('pages each level at its time after the opening, and then nobody', () => {
    expect(pagesOf(simulate([], 24 * 60 * minute).begun)).toEqual(['0 ana', '15 ben']);
  });

  test('stops when somebody acknowledges', () => {
    expect(pagesOf(simulate([at(10, acknowledged)], 60 * minute).begun)).toEqual(['0 ana']);
  });

  test('repeats begin repeatAfter after the last level', () => {
    const base = digest();
    const feed = {
      ...base,
      plan: {
        ...base.plan,
        escalation: { name: 'p', policy: { ...base.plan.escalation.policy, repeats: 1, repeatAfter: '5m' } },
      },
    };
    expect(pagesOf(simulate([], 120 * minute, feed).begun)).toEqual(['0 ana', '15 ben', '20 ana', '35 ben']);
  });

  test('a snooze moves what is left by its length', () => {
    const snoozed = at(5, (time) => ({ type: 'snoozed', at: time, by: 'ana', until: time + 30 * minute }));
    expect(pagesOf(simulate([snoozed], 120 * minute).begun)).toEqual(['0 ana', '45 ben']);
  });

  test('a shorter snooze takes the place of a longer one', () => {
    const events = [
      at(5, (time) => ({ type: 'snoozed', at: time, by: 'ana', until: time + 240 * minute })),
      at(6, (time) => ({ type: 'snoozed', at: time, by: 'ana', until: time + 9 * minute })),
    ];
    // quiet from minute 5 to 15
    expect(pagesOf(simulate(events, 400 * minute).begun)).toEqual(['0 ana', '25 ben']);
  });

  test('starts over when a resolved incident fires again inside its window', () => {
    const fires = at(12, (time) => ({ type: 'feed_unread', at: time }));
    const { begun, state } = simulate([at(10, resolved), fires], 40 * minute);
    expect(pagesOf(begun)).toEqual(['0 ana', '12 ana', '27 ben']);
    expect(state).toMatchObject({ status: 'investigating', openings: 2, acknowledged: null, resolved: null });
  });

  test('no page begins after an acknowledgement or a resolve was accepted, whatever happens in whichever order', () => {
    const events = fc.constantFrom<(time: number) => IncidentEvent>(
      acknowledged,
      resolved,
      (time) => ({ type: 'noted', at: time, by: 'ana', text: 'hm' }),
      (time) => ({ type: 'snoozed', at: time, by: 'ana', until: time + 10 * minute }),
      (time) => ({ type: 'assigned', at: time, by: 'ana', to: 'ben' }),
      (time) => ({
        type: 'execution_reported',
        at: time,
        executionId: 'x',
        runbook: 'r',
        status: 'failed',
        reason: null,
      }),
    );
    const schedule = fc.array(fc.record({ at: fc.integer({ min: 0, max: 60 * minute }), event: events }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(schedule, (happenings) => {
        let stoppedAt = Number.POSITIVE_INFINITY;
        const watched = happenings.map(({ at: offset, event }) => ({
          at: offset,
          event: (time: number) => {
            const made = event(time);
            if (made.type === 'acknowledged' || made.type === 'resolved')
              stoppedAt = Math.min(stoppedAt, time - openedAt);
            return made;
          },
        }));
        const { begun } = simulate(watched, 14 * minute + 60 * minute);
        const late = begun.filter(({ at: time, move }) => move.kind === 'page' && time > stoppedAt);
        expect(late).toEqual([]);
      }),
    );
  });
});

describe('SLA clocks', () => {
  test('are at risk at 80 % and breached at the end, each told once to the first level', () => {
    const { state, begun } = simulate([], 31 * minute);
    expect(state.clocks.map((clock) => [clock.kind, clock.state])).toEqual([
      ['acknowledge', 'breached'],
      ['resolve', 'breached'],
    ]);
    const notices = begun.flatMap(({ at: time, move }) =>
      move.kind === 'notice' ? [`${time / minute} ${move.notice.type}`] : [],
    );
    expect(notices).toEqual(['4 sla.at_risk', '5 sla.breached', '24 sla.at_risk', '30 sla.breached']);
  });

  test('are met by an acknowledgement and a resolve in time', () => {
    const { state } = simulate([at(4, acknowledged), at(20, resolved)], 30 * minute);
    expect(state.clocks.map((clock) => clock.state)).toEqual(['met', 'met']);
  });

  test('a breach that is folded in only with the late answer is told', () => {
    let state = applyEvent(newIncidentState(1, openedAt), read(digest()));
    state = applyEvent(state, acknowledged(openedAt + 6 * minute));
    state = applyEvent(state, resolved(openedAt + 40 * minute));
    expect(state.clocks.map((clock) => clock.state)).toEqual(['breached', 'breached']);
    expect(state.outbox.map((entry) => entry.kind)).toEqual([
      'sla_breached',
      'acknowledged',
      'sla_breached',
      'resolved',
    ]);
  });

  test('take on the times of a worse severity while they run', () => {
    const mild = digest({
      severity: 'warning',
      plan: {
        ...digest().plan,
        sla: { policy: 'standard', acknowledgeMs: 30 * minute, resolveMs: 240 * minute },
      },
    });
    let state = applyEvent(newIncidentState(1, openedAt), {
      type: 'feed_read',
      at: openedAt,
      key: 'feed',
      digest: mild,
    });
    state = applyEvent(state, {
      type: 'feed_read',
      at: openedAt + minute,
      key: 'feed',
      digest: digest({ seq: 2 }),
    });
    expect(state.clocks.map((clock) => [clock.policy, clock.dueAt - openedAt])).toEqual([
      ['critical', 5 * minute],
      ['critical', 30 * minute],
    ]);
  });
});

describe('ending', () => {
  test('resolves when the last alert has, tells who was paged, and closes after the reopen window', () => {
    const over = digest({ seq: 2, firingCount: 0, firingJoined: false });
    let state = applyEvent(newIncidentState(1, openedAt), {
      type: 'feed_read',
      at: openedAt,
      key: 'feed',
      digest: digest(),
    });
    state = applyEvent(state, {
      type: 'page_sent',
      at: openedAt,
      key: 'page:1:0.0.0',
      destination: 'ana@example.com',
      skipped: null,
    });
    state = applyEvent(state, { type: 'feed_read', at: openedAt + minute, key: 'feed', digest: over });
    expect(state).toMatchObject({ status: 'resolved', resolved: { by: 'Holdfast' } });
    expect(state.notices.map((notice) => [notice.type, notice.target])).toEqual([['incident.resolved', ana]]);
    expect(deadlinesOf(state, openedAt + minute).map((deadline) => deadline.kind)).toEqual(['close']);
  });

  test('an acknowledgement that comes after the resolve is only noted', () => {
    const { state } = simulate([at(3, resolved), at(4, acknowledged)], 10 * minute);
    expect(state.acknowledged).toBeNull();
  });

  test('an alert that was over before it was looked at pages nobody', () => {
    const { begun, state } = simulate([], 5 * minute, digest({ firingCount: 0, firingJoined: false }));
    expect(pagesOf(begun)).toEqual([]);
    expect(state.status).toBe('resolved');
  });

  test('a false positive closes at once', () => {
    const { state } = simulate(
      [at(3, (time) => ({ type: 'resolved', at: time, by: 'ana', note: null, falsePositive: true }))],
      4 * minute,
    );
    expect(state).toMatchObject({ status: 'false_positive', closed: true });
  });

  test('whoever resolves it before its alerts were read has resolved it', () => {
    let state = applyEvent(newIncidentState(1, openedAt), resolved(openedAt));
    state = applyEvent(state, read(digest()));
    expect(state).toMatchObject({ status: 'resolved', resolved: { by: 'ana' } });
  });

  test('a note that comes while it is being closed is recorded before it is over', () => {
    const falsePositive = (time: number): IncidentEvent => ({
      type: 'resolved',
      at: time,
      by: 'ana',
      note: null,
      falsePositive: true,
    });
    let { state } = simulate([at(3, falsePositive)], 4 * minute);
    expect(incidentOver(state)).toBe(true);
    state = applyEvent(state, {
      type: 'noted',
      at: openedAt + 3 * minute,
      by: 'ben',
      text: 'it was the probe',
    });
    expect(incidentOver(state)).toBe(false);
    expect(nextMoves(state, openedAt + 3 * minute).moves.map((move) => move.kind)).toEqual(['record']);
    state = applyEvent(state, {
      type: 'recorded',
      at: openedAt,
      key: 'record',
      seq: state.seq,
      deadlines: '[]',
    });
    expect(incidentOver(state)).toBe(true);
  });

  test('a pending approval is withdrawn when the incident is resolved', () => {
    const feed = digest({
      matches: [{ runbook: 'restart', mode: 'semi_auto', alertId: 7, dueAt: openedAt }],
    });
    const { begun } = simulate([at(3, resolved)], 10 * minute, feed);
    expect(begun.filter(({ move }) => move.kind === 'withdraw')).toHaveLength(1);
  });
});

test('a runbook is started when its alert has fired long enough, and not for an incident that is over by then', () => {
  const feed = digest({
    matches: [{ runbook: 'restart', mode: 'semi_auto', alertId: 7, dueAt: openedAt + 5 * minute }],
  });
  const started = (happenings: Parameters<typeof simulate>[0]) =>
    simulate(happenings, 20 * minute, feed).begun.flatMap(({ at: time, move }) =>
      move.kind === 'start_execution' ? [time / minute] : [],
    );
  expect(started([])).toEqual([5]);
  expect(started([at(4, resolved)])).toEqual([]);
});

test('a reopened incident calls for its runbooks anew, after the time that the new alert has to fire', () => {
  const match = (alertId: number, from: number) => ({
    runbook: 'restart',
    mode: 'semi_auto' as const,
    alertId,
    dueAt: openedAt + from * minute + 5 * minute,
  });
  let state = applyEvent(newIncidentState(1, openedAt), read(digest({ matches: [match(7, 0)] })));
  const over = digest({ seq: 2, firingCount: 0, firingJoined: false });
  state = applyEvent(state, read(over, openedAt + 2 * minute));
  const again = digest({ seq: 3, matches: [match(8, 10)] });
  state = applyEvent(state, read(again, openedAt + 10 * minute));
  expect(state.runbooks).toMatchObject({ restart: { alertId: 8, dueAt: openedAt + 15 * minute } });
  const kinds = nextMoves(state, openedAt + 10 * minute).moves.map((move) => move.kind);
  expect(kinds).not.toContain('start_execution');
});

test('a start that is begun again in a new run starts the same execution', () => {
  const feed = digest({ matches: [{ runbook: 'restart', mode: 'auto', alertId: 7, dueAt: openedAt }] });
  let state = applyEvent(newIncidentState(1, openedAt), read(feed));
  state = applyEvent(state, { type: 'move_started', at: openedAt, key: 'execution:restart' });
  state = applyEvent(state, { type: 'execution_named', at: openedAt, runbook: 'restart', executionId: 'e1' });
  expect(nextMoves(carryOver(state), openedAt).moves).toContainEqual(
    expect.objectContaining({ kind: 'start_execution', executionId: 'e1' }),
  );
});
