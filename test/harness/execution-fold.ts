import { applyEvent } from '../../domain/execution/apply-event.ts';
import type { ExecutionEvent } from '../../domain/execution/events.ts';
import { type ExecutionMove, executionOver, nextMoves } from '../../domain/execution/next-moves.ts';
import type { ApprovalPlan, ExecutionPlan, StepPlan } from '../../domain/execution/plan.ts';
import {
  type CalledFor,
  type ExecutionState,
  type ExecutionTrigger,
  newExecutionState,
} from '../../domain/execution/state.ts';

/** Drives the fold of an execution as its workflow does, without one. */

export const start = Date.UTC(2026, 0, 1);
const minute = 60_000;

export const stepPlan = (name: string, change: Partial<StepPlan> = {}): StepPlan => ({
  name,
  part: 'step',
  work: { kind: 'effect' },
  timeoutMs: minute,
  retries: 0,
  retryDelayMs: 1000,
  continueOnFail: false,
  idempotent: false,
  undoTimeoutMs: minute,
  runner: null,
  undoRunner: null,
  skipped: null,
  needs: [],
  takenOver: false,
  ...change,
});

export const approvalPlan = (change: Partial<ApprovalPlan> = {}): ApprovalPlan => ({
  id: 'e',
  needed: 1,
  role: 'operator',
  teams: [],
  notRequester: false,
  timeoutMs: 30 * minute,
  onTimeout: 'expire',
  message: '',
  ...change,
});

export const executionPlan = (change: Partial<ExecutionPlan> = {}): ExecutionPlan => ({
  runbook: 'restart',
  mode: 'auto',
  target: 'checkout',
  requestedBy: 'Holdfast',
  incident: { id: 'i', number: 1 },
  levels: [[{ type: 'email', address: 'ana@example.com' }]],
  approval: approvalPlan(),
  approveBySignal: true,
  runnerPatienceMs: 1000,
  steps: [stepPlan('one'), stepPlan('two'), stepPlan('three')],
  ...change,
});

export type Outcome = 'succeeded' | 'failed' | 'unknown' | 'cancelled' | 'not taken';

export interface Script {
  plan?: ExecutionPlan;
  /** Outcome of a step's attempt, by 'step:<index>:<attempt>'; 'succeeded' where nothing is said. */
  steps?: Record<string, Outcome>;
  undos?: Record<string, boolean>;
  busyUntil?: number;
  /** Of the lock, once it is free. */
  refusal?: string;
  events?: { at: number; event: (at: number) => ExecutionEvent }[];
  /** What rules of notification answer, by trigger; nothing where nothing is said. */
  rules?: { [Trigger in ExecutionTrigger]?: CalledFor[] };
  /** Takes the fold apart and puts it together again between all events, as a crash does. */
  throughJson?: boolean;
}

/** Until nothing more happens; `begun` lists what was begun, `now` is when it came to rest. */
export function simulate(script: Script = {}): { state: ExecutionState; begun: string[]; now: number } {
  let state = newExecutionState(start);
  const begun: string[] = [];
  const pending = [...(script.events ?? [])].sort((a, b) => a.at - b.at);
  let now = start;
  const apply = (event: ExecutionEvent) => {
    state = applyEvent(state, event);
    if (script.throughJson) state = JSON.parse(JSON.stringify(state));
  };
  for (let guard = 0; guard < 5_000; guard++) {
    apply({ type: 'tick', at: now });
    const { moves, wakeAt } = nextMoves(state, now);
    for (const move of moves) {
      begun.push(move.key);
      apply({ type: 'move_started', at: now, key: move.key });
    }
    while (pending[0] && start + pending[0].at <= now) apply(pending.shift()!.event(now));
    for (const move of moves) apply(outcomeOf(move, state, now, script, begun));
    if (moves.length > 0) continue;
    if (executionOver(state)) return { state, begun, now };
    const next = Math.min(
      wakeAt ?? Number.POSITIVE_INFINITY,
      pending[0] ? start + pending[0].at : Number.POSITIVE_INFINITY,
    );
    if (!Number.isFinite(next)) return { state, begun, now };
    now = Math.max(now, next);
    while (pending[0] && start + pending[0].at <= now) apply(pending.shift()!.event(now));
  }
  throw new Error('the fold does not come to rest');
}

function outcomeOf(
  move: ExecutionMove,
  state: ExecutionState,
  at: number,
  script: Script,
  begun: string[],
): ExecutionEvent {
  const { key } = move;
  switch (move.kind) {
    case 'load':
      return { type: 'loaded', at, key, plan: script.plan ?? executionPlan() };
    case 'admit':
      return { type: 'admitted', at, key };
    case 'lock':
      if (at < start + (script.busyUntil ?? 0)) {
        return { type: 'lock_busy', at, key, heldBy: 'other', ahead: 0 };
      }
      if (script.refusal !== undefined) return { type: 'refused', at, key, reason: script.refusal };
      return { type: 'lock_acquired', at, key };
    case 'announce':
      return { type: 'announced', at, key, notices: script.rules?.[move.announcement.trigger] ?? [] };
    case 'message':
    case 'step': {
      const { index } = move;
      const outcome = state.cancelled ? 'cancelled' : (script.steps?.[key] ?? 'succeeded');
      // a queue without a runner, the first time only
      if (outcome === 'not taken') {
        const times = begun.filter((other) => other === key).length;
        if (times === 1) return { type: 'step_not_taken', at, key, index };
        return { type: 'step_ended', at, key, index, outcome: 'succeeded', error: null };
      }
      const error = outcome === 'succeeded' ? null : 'boom';
      return { type: 'step_ended', at, key, index, outcome, error };
    }
    case 'undo': {
      const ok = script.undos?.[key] ?? true;
      return { type: 'undo_ended', at, key, index: move.index, ok, error: ok ? null : 'boom' };
    }
    case 'notice':
      return { type: 'notice_sent', at, key };
    case 'record':
      return { type: 'recorded', at, key, seq: state.seq, released: state.phase === 'finishing' };
    case 'report':
      return { type: 'reported', at, key };
  }
}

/** The keys of steps, messages and undos among what was begun. */
export const effects = (begun: readonly string[]): string[] =>
  begun.filter((key) => key.startsWith('step:') || key.startsWith('undo:'));

export const voted =
  (decision: 'approve' | 'reject', person = 'ana', change: object = {}) =>
  (at: number): ExecutionEvent => ({
    type: 'voted',
    at,
    approvalId: null,
    person,
    via: 'page',
    role: 'operator',
    teams: [],
    decision,
    reason: null,
    ...change,
  });
