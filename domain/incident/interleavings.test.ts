import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ResolvedTarget } from '../escalation/resolve.ts';
import { type EscalationPolicy, escalationPolicy } from '../policies.ts';
import { applyEvent } from './apply-event.ts';
import type { FeedDigest, IncidentEvent } from './events.ts';
import { type IncidentMove, nextMoves } from './next-moves.ts';
import { calledOff, pagesCalledOff } from './pages.ts';
import { quietUntil } from './quiet.ts';
import { carryOver, escalationStopped, type IncidentState, newIncidentState } from './state.ts';

/** Incidents under a clock that is turned by hand, with everything that can come between at any moment. */

const minute = 60_000;
const openedAt = Date.UTC(2026, 0, 1, 2, 14);
const end = openedAt + 3 * 60 * minute;

const contact = (email: string, ...steps: [afterMinutes: number, type: 'email' | 'slack'][]) => ({
  email,
  entry: null,
  steps: steps.map(([after, type]) => ({
    afterMs: after * minute,
    method: type === 'email' ? ({ type } as const) : ({ type, channel: 'chat' } as const),
  })),
});
/** Two steps, one of another person, and a channel; the third level reaches nobody. */
const reached: Record<string, ResolvedTarget> = {
  primary: {
    target: { type: 'schedule', name: 'primary' },
    people: [
      contact('ana@example.com', [0, 'slack'], [5, 'email']),
      contact('ben@example.com', [0, 'email']),
    ],
    problem: null,
  },
  ops: { target: { type: 'channel', name: 'ops' }, people: [], problem: null },
  gap: { target: { type: 'schedule', name: 'gap' }, people: [], problem: "nobody is on call by 'gap'" },
  lead: {
    target: { type: 'user', email: 'cleo@example.com' },
    people: [contact('cleo@example.com', [0, 'slack'], [3, 'email'])],
    problem: null,
  },
};
const targetOf = (name: string) => reached[name]!.target;
const policy: EscalationPolicy = escalationPolicy.parse({
  levels: [
    { after: '0s', targets: [targetOf('primary'), targetOf('ops')] },
    { after: '10m', targets: [targetOf('gap')] },
    { after: '20m', targets: [targetOf('lead')] },
  ],
  repeats: 1,
  unacknowledgeAfter: '40m',
});

const digest = (change: Partial<FeedDigest> = {}): FeedDigest => ({
  seq: 1,
  title: 'HighLatency on checkout',
  service: 'checkout',
  severity: 'critical',
  openedAt,
  alertCount: 1,
  firingCount: 1,
  firingJoined: true,
  plan: { escalation: { name: 'default', policy }, sla: null, reopenWindowMs: 15 * minute, resolves: true },
  matches: [],
  ...change,
});

type Act = 'acknowledge' | 'resolve' | 'snooze' | 'nap' | 'restart' | 'alert' | 'silence' | 'note';
interface Run {
  acts: { afterMs: number; act: Act }[];
  /** Of moves, in turn: how long each takes, and whether it fails for good. */
  outcomes: Outcome[];
}
interface Outcome {
  takesMs: number;
  fails: boolean;
  /** A page that is called off has left by then: it arrives all the same. */
  hasLeft?: boolean;
}
interface Seen {
  /** A page that began; `again`: under a key that was there before; `stopped`: when nobody was to be woken. */
  pages: { at: number; key: string; again: boolean; stopped: boolean }[];
  sent: string[];
  /** How often an acknowledgement was taken back. */
  takenBack: number;
  state: IncidentState;
  /** The state at every moment at which nothing was to be done. */
  restedWith: { at: number; state: IncidentState }[];
}

function drive({ acts, outcomes }: Run): Seen {
  let state = newIncidentState(42, openedAt);
  let now = openedAt;
  let turn = 0;
  let feed = digest();
  let onTheWay: {
    at: number;
    move: IncidentMove;
    fails: boolean;
    hasLeft: boolean;
    called?: 'off' | 'held';
  }[] = [];
  const delivered = new Set<string>();
  const seen: Omit<Seen, 'state'> = { pages: [], sent: [], takenBack: 0, restedWith: [] };
  const pending = acts
    .map(({ afterMs, act }) => ({ at: openedAt + afterMs, act }))
    .sort((a, b) => a.at - b.at);
  const apply = (event: IncidentEvent) => {
    state = applyEvent(state, event);
    const off = pagesCalledOff(state);
    if (off === null) return;
    // the scope of all pages is cancelled: what has not left comes back as called off, in its time
    for (const each of onTheWay) {
      if (each.move.kind === 'page' && !each.hasLeft) each.called ??= off === 'held' ? 'held' : 'off';
    }
  };
  const perform = (act: Act) => {
    const at = now;
    if (act === 'acknowledge' && !state.acknowledged && !state.resolved) {
      apply({ type: 'acknowledged', at, by: 'ana@example.com', note: null });
    } else if (act === 'resolve') {
      apply({ type: 'resolved', at, by: 'ana@example.com', note: null, falsePositive: false });
    } else if (act === 'snooze' && !escalationStopped(state)) {
      apply({ type: 'snoozed', at, by: 'ana@example.com', until: at + 7 * minute });
    } else if (act === 'nap' && !escalationStopped(state)) {
      // over before what it calls off has come back
      apply({ type: 'snoozed', at, by: 'ana@example.com', until: at + 20_000 });
    } else if (act === 'note') {
      apply({ type: 'noted', at, by: 'ana@example.com', text: 'looking' });
    } else if (act === 'restart') {
      state = carryOver(state);
      onTheWay = [];
    } else if (act === 'alert' || act === 'silence') {
      const { silence: _, ...open } = feed;
      const silenced = act === 'silence' ? { silence: { until: at + 9 * minute, names: [] } } : {};
      feed = { ...open, ...silenced, seq: feed.seq + 1, alertCount: feed.alertCount + 1 };
      apply({ type: 'feed_unread', at });
    }
  };
  for (let guard = 0; guard < 20_000; guard++) {
    const hadIt = state.acknowledged !== null;
    state = applyEvent(state, { type: 'tick', at: now });
    if (hadIt && state.acknowledged === null) seen.takenBack += 1;
    const { moves, wakeAt } = nextMoves(state, now);
    for (const move of moves) {
      const { takesMs, fails, hasLeft = false } = outcomes[turn++ % outcomes.length]!;
      if (move.kind === 'page') {
        const again = seen.pages.some(({ key }) => key === move.key);
        seen.pages.push({
          at: now,
          key: move.key,
          again,
          stopped: escalationStopped(state) || now < (quietUntil(state) ?? now),
        });
      }
      state = applyEvent(state, { type: 'move_started', at: now, key: move.key });
      onTheWay.push({ at: now + takesMs, move, fails, hasLeft });
    }
    if (moves.length === 0) seen.restedWith.push({ at: now, state });
    const times = [wakeAt ?? end + 1, pending[0]?.at ?? end + 1, ...onTheWay.map(({ at }) => at)];
    const next = Math.max(now, Math.min(...times));
    if (next > end || state.closed) return { ...seen, state };
    now = next;
    while (pending[0] && pending[0].at <= now) perform(pending.shift()!.act);
    const back = onTheWay.filter(({ at }) => at <= now);
    onTheWay = onTheWay.filter(({ at }) => at > now);
    for (const { move, fails, called } of back) {
      if (called !== undefined) {
        apply(calledOff(state, { at: now, key: move.key, held: called === 'held' }));
        continue;
      }
      if (move.kind === 'page' && !fails && !delivered.has(move.key)) {
        // the ledger knows the key: begun again by a new run, it is not sent again
        delivered.add(move.key);
        seen.sent.push(move.key);
      }
      apply(outcomeOf(move, fails));
    }
  }
  throw new Error('the fold does not come to rest');

  function outcomeOf(move: IncidentMove, fails: boolean): IncidentEvent {
    const { key } = move;
    switch (move.kind) {
      case 'read_feed':
        return { type: 'feed_read', at: now, key, digest: feed };
      case 'resolve_level': {
        const targets = move.targets.map((target) => reached['name' in target ? target.name : 'lead']!);
        return {
          type: 'level_resolved',
          at: now,
          key,
          dueAt: move.dueAt,
          targets,
          owners: ['dan@example.com'],
        };
      }
      case 'page':
        if (fails) return { type: 'move_failed', at: now, key, reason: 'no such address' };
        return { type: 'page_sent', at: now, key, destination: 'x', skipped: null };
      case 'record':
        return { type: 'recorded', at: now, key, seq: state.seq, deadlines: JSON.stringify(move.deadlines) };
      case 'close':
        return { type: 'closed', at: now, key };
      case 'gather_evidence':
        return { type: 'evidence_gathered', at: now, key, summary: '', source: '' };
      default:
        return { type: 'notice_sent', at: now, key };
    }
  }
}

const runs = fc.record({
  acts: fc.array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 150 * minute }),
      act: fc.constantFrom<Act>(
        'acknowledge',
        'resolve',
        'snooze',
        'nap',
        'restart',
        'alert',
        'silence',
        'note',
      ),
    }),
    { maxLength: 8 },
  ),
  outcomes: fc.array(
    fc.record({
      takesMs: fc.integer({ min: 0, max: 90_000 }),
      fails: fc.boolean(),
      hasLeft: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

test('whatever comes between: no page begins after an acknowledgement or a resolve, nor in a snooze, none is missing, none is sent twice', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const { pages, sent, restedWith, takenBack, state: last } = drive(run);
      expect(last.rounds).toBe(1 + takenBack);
      expect(pages.filter(({ stopped }) => stopped)).toEqual([]);
      expect(new Set(sent).size).toBe(sent.length);
      const restarts = run.acts.filter(({ act }) => act === 'restart').length;
      const held = run.acts.filter(({ act }) => ['snooze', 'nap', 'silence'].includes(act)).length;
      if (restarts + held === 0) expect(pages.filter(({ again }) => again)).toEqual([]);
      for (const { at, state } of restedWith) expect(missing(state, at)).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

/** First steps, by level, after which another one comes. */
const secondSteps = ['0 0.0.0', '2 0.0.0'];

/**
 * What was due a while ago of the present round, and neither on its way nor done, worked out from the policy alone: by
 * its own times, since what comes forward because a level failed is due earlier still.
 */
function missing(state: IncidentState, now: number): string[] {
  if (!state.plan || escalationStopped(state) || state.snoozedUntil !== null || state.silence !== null)
    return [];
  const from = state.escalationFrom;
  const firstPass = [
    { level: 0, after: 0, slots: ['0.0.0', '0.1.0', '1'] },
    { level: 2, after: 20, slots: ['0.0.0'] },
  ];
  return [0, 1].flatMap((pass) =>
    firstPass.flatMap(({ level, after, slots }) => {
      if (from + pass * 40 * minute + after * minute > now) return [];
      const name = `${state.openings}:${state.rounds}.${pass}.${level}`;
      if (state.inFlight.includes(`level:${name}`)) return [];
      const keyOf = (slot: string) => `page:${name}.${slot}`;
      const next = slots.flatMap((slot) =>
        state.pages[keyOf(slot)]?.status === 'failed' && secondSteps.includes(`${level} ${slot}`)
          ? [slot.replace(/0$/, '1')]
          : [],
      );
      // none of this round is skipped: what stops a round for good ends it
      const handled = (key: string) =>
        state.inFlight.includes(key) || ['sent', 'failed'].includes(state.pages[key]?.status ?? '');
      return [...slots, ...next].map(keyOf).filter((key) => !handled(key));
    }),
  );
}

test.each<[string, Act[]]>([
  ['alone', []],
  ['after a restart', ['restart']],
])('an incident that nobody answers pages everybody, each step once: %s', (_, acts) => {
  const { sent } = drive({
    acts: acts.map((act) => ({ afterMs: 1, act })),
    outcomes: [{ takesMs: 1_000, fails: false }],
  });
  const slots = (pass: number) => [
    `page:1:1.${pass}.0.0.0.0`,
    `page:1:1.${pass}.0.0.1.0`,
    `page:1:1.${pass}.0.1`,
    `page:1:1.${pass}.0.0.0.1`,
    `page:1:1.${pass}.2.0.0.0`,
    `page:1:1.${pass}.2.0.0.1`,
  ];
  expect(sent.toSorted()).toEqual([...slots(0), ...slots(1)].toSorted());
});
