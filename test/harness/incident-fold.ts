import { applyEvent } from '../../domain/incident/apply-event.ts';
import type { FeedDigest, IncidentEvent } from '../../domain/incident/events.ts';
import { type IncidentMove, nextMoves } from '../../domain/incident/next-moves.ts';
import {
  type IncidentPlan,
  type IncidentState,
  type Notice,
  newIncidentState,
} from '../../domain/incident/state.ts';
import type { EscalationTarget } from '../../domain/policies.ts';

/** Folds what happens to an incident whose levels are asked whom they reach, without its workflow. */

export const minute = 60_000;
export const openedAt = Date.UTC(2026, 0, 1, 2, 14);
export const ops: EscalationTarget = { type: 'channel', name: 'ops' };
export const desk: EscalationTarget = { type: 'channel', name: 'desk' };

/** A channel at once, another after 15 minutes. */
export const planOf = (change: Partial<IncidentPlan> = {}): IncidentPlan => ({
  escalation: {
    name: 'default',
    policy: {
      levels: [
        { after: '0s', targets: [ops] },
        { after: '15m', targets: [desk] },
      ],
      repeats: 0,
    },
  },
  sla: null,
  reopenWindowMs: 15 * minute,
  resolves: true,
  ...change,
});

export const digestOf = (change: Partial<FeedDigest> = {}): FeedDigest => ({
  seq: 1,
  title: 'HighLatency on checkout',
  service: 'checkout',
  severity: 'critical',
  openedAt,
  alertCount: 1,
  firingCount: 1,
  firingJoined: true,
  plan: planOf(),
  matches: [],
  ...change,
});

export function folded(state: IncidentState, ...events: IncidentEvent[]): IncidentState {
  return events.reduce(applyEvent, state);
}

export const reading = (at: number, change: Partial<FeedDigest> = {}): IncidentEvent => ({
  type: 'feed_read',
  at,
  key: 'feed',
  digest: digestOf(change),
});

/** After its first reading, at its opening. */
export const opened = (change: Partial<FeedDigest> = {}): IncidentState =>
  folded(newIncidentState(42, openedAt), reading(openedAt, change));

/** Begins what is due, of these kinds: answers the state, and the moves. */
export function begun(
  state: IncidentState,
  at: number,
  ...kinds: IncidentMove['kind'][]
): { state: IncidentState; moves: IncidentMove[] } {
  const moves = nextMoves(state, at).moves.filter(({ kind }) => kinds.includes(kind));
  return {
    state: folded(state, ...moves.map(({ key }) => ({ type: 'move_started', at, key }) as const)),
    moves,
  };
}

/** Asks whom its levels reach that are due, and answers with these people, or with the targets themselves. */
export function levelsAsked(
  before: IncidentState,
  at: number,
  people: Extract<IncidentEvent, { type: 'level_resolved' }>['targets'][number]['people'] = [],
): IncidentState {
  const { state, moves } = begun(before, at, 'resolve_level');
  const answers = moves.flatMap((move): IncidentEvent[] => {
    if (move.kind !== 'resolve_level') return [];
    const targets = move.targets.map((target) => ({ target, people, problem: null }));
    return [{ type: 'level_resolved', at, key: move.key, dueAt: move.dueAt, targets, owners: [] }];
  });
  return folded(state, ...answers);
}

export const noticesOf = ({ notices }: IncidentState, type: Notice['type']): Notice[] =>
  notices.filter((notice) => notice.type === type);
