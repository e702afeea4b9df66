import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyEvent } from './apply-event.ts';
import type { ExecutionEvent } from './events.ts';
import { type ExecutionMove, executionOver, nextMoves } from './next-moves.ts';
import {
  carryOver,
  type ExecutionPlan,
  type ExecutionState,
  newExecutionState,
  type StepPlan,
} from './state.ts';

const start = Date.UTC(2026, 0, 1);
const ana = { type: 'email', address: 'ana@example.com' } as const;

const step = (name: string, change: Partial<StepPlan> = {}): StepPlan => ({
  name,
  timeoutMs: 1000,
  retries: 0,
  retryDelayMs: 1000,
  continueOnFail: false,
  idempotent: false,
  undoTimeoutMs: 1000,
  ...change,
});
const plan = (change: Partial<ExecutionPlan> = {}): ExecutionPlan => ({
  runbook: 'restart',
  mode: 'auto',
  target: 'checkout',
  requestedBy: 'Holdfast',
  incident: { id: 'i', number: 1 },
  approvers: [ana],
  approvalId: 'e',
  approvalsNeeded: 1,
  approvalTimeoutMs: 30 * 60_000,
  approveBySignal: true,
  steps: [step('one'), step('two'), step('three')],
  ...change,
});

type Outcome = 'succeeded' | 'failed' | 'unknown' | 'cancelled';
interface Script {
  plan?: ExecutionPlan;
  /** Outcome of a step's attempt, by 'step:<index>:<attempt>'; 'succeeded' where nothing is said. */
  steps?: Record<string, Outcome>;
  undos?: Record<string, boolean>;
  busyUntil?: number;
  events?: { at: number; event: (at: number) => ExecutionEvent }[];
  /** Takes the fold apart and puts it together again between all events, as a crash does. */
  throughJson?: boolean;
}

/** Drives the fold as the workflow does, and lists what was begun. */
function simulate(script: Script = {}): { state: ExecutionState; begun: string[]; now: number } {
  let state = newExecutionState(start);
  const begun: string[] = [];
  const pending = [...(script.events ?? [])];
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
    for (const move of moves) apply(outcomeOf(move, state, now, script));
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

function outcomeOf(move: ExecutionMove, state: ExecutionState, at: number, script: Script): ExecutionEvent {
  const { key } = move;
  switch (move.kind) {
    case 'load':
      return { type: 'loaded', at, key, plan: script.plan ?? plan() };
    case 'admit':
      return { type: 'admitted', at, key };
    case 'lock':
      return at < start + (script.busyUntil ?? 0)
        ? { type: 'lock_busy', at, key, heldBy: 'other' }
        : { type: 'lock_acquired', at, key };
    case 'step': {
      const outcome = state.cancelled ? 'cancelled' : (script.steps?.[key] ?? 'succeeded');
      return {
        type: 'step_ended',
        at,
        key,
        index: move.index,
        outcome,
        error: outcome === 'succeeded' ? null : 'boom',
      };
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

const effects = (begun: string[]) =>
  begun.filter((key) => key.startsWith('step:') || key.startsWith('undo:'));

test('an incident that is over before anybody could be asked asks nobody and runs nothing', () => {
  const withdrawn = (at: number): ExecutionEvent => ({
    type: 'withdrawn',
    at,
    reason: 'the incident was resolved',
  });
  for (const mode of ['auto', 'semi_auto'] as const) {
    const { state, begun } = simulate({ plan: plan({ mode }), events: [{ at: 0, event: withdrawn }] });
    expect(state).toMatchObject({ status: 'cancelled', reason: 'the incident was resolved', approval: null });
    expect(begun.filter((key) => key.startsWith('notice') || key.startsWith('step'))).toEqual([]);
  }
});

test('while another works on the target, asking again records nothing new', () => {
  const { begun } = simulate({ busyUntil: 600_000 });
  expect(begun.filter((key) => key === 'lock')).toHaveLength(121);
  expect(begun.filter((key) => key === 'record').length).toBeLessThan(15);
});

test('a new run begins again what was on its way', () => {
  let state = newExecutionState(start);
  state = applyEvent(state, { type: 'move_started', at: start, key: 'load' });
  expect(nextMoves(state, start).moves).toEqual([]);
  expect(nextMoves(carryOver(state), start).moves.map((move) => move.key)).toEqual(['load']);
});

describe('steps', () => {
  test('run in order and end in success, told and reported', () => {
    const { state, begun } = simulate();
    expect(effects(begun)).toEqual(['step:0:1', 'step:1:1', 'step:2:1']);
    expect(state).toMatchObject({ status: 'succeeded', reported: true, lockHeld: false });
    expect(begun).toContain('notice:execution.succeeded:0');
  });

  test('a failing step undoes itself and the earlier ones in reverse, and what follows is skipped', () => {
    const { state, begun } = simulate({ steps: { 'step:1:1': 'failed' } });
    expect(effects(begun)).toEqual(['step:0:1', 'step:1:1', 'undo:1:1', 'undo:0:1']);
    expect(state.status).toBe('rolled_back');
    expect(state.steps.map((each) => each.status)).toEqual(['succeeded', 'failed', 'skipped']);
    expect(state.reason).toBe('step 2, two, failed: boom');
  });

  test('a failure with nothing to undo is a failure', () => {
    const { state } = simulate({
      plan: plan({ steps: [step('one', { undoTimeoutMs: null })] }),
      steps: { 'step:0:1': 'failed' },
    });
    expect(state.status).toBe('failed');
  });

  test('are tried again after the delay as often as they say', () => {
    const { begun, now, state } = simulate({
      plan: plan({ steps: [step('one', { retries: 2, retryDelayMs: 5000 })] }),
      steps: { 'step:0:1': 'failed', 'step:0:2': 'failed' },
    });
    expect(effects(begun)).toEqual(['step:0:1', 'step:0:2', 'step:0:3']);
    expect([now - start, state.status]).toEqual([10_000, 'succeeded']);
  });

  test('one whose outcome is unknown is run again only if it says that it is idempotent', () => {
    const unknown = { 'step:0:1': 'unknown' } as const;
    const retried = simulate({
      plan: plan({ steps: [step('one', { retries: 1, idempotent: true })] }),
      steps: unknown,
    });
    expect(retried.state.status).toBe('succeeded');
    const undone = simulate({
      plan: plan({ steps: [step('one', { retries: 1, continueOnFail: true })] }),
      steps: unknown,
    });
    expect(effects(undone.begun)).toEqual(['step:0:1', 'undo:0:1']);
    expect(undone.state.status).toBe('rolled_back');
  });

  test('continue_on_fail goes on, and its undo still stands', () => {
    const { state, begun } = simulate({
      plan: plan({ steps: [step('one', { continueOnFail: true }), step('two')] }),
      steps: { 'step:0:1': 'failed', 'step:1:1': 'failed' },
    });
    expect(effects(begun)).toEqual(['step:0:1', 'step:1:1', 'undo:1:1', 'undo:0:1']);
    expect(state.status).toBe('rolled_back');
  });

  test('an undo that fails is tried three times, the others are still done, and a person is called', () => {
    const { state, begun } = simulate({
      steps: { 'step:1:1': 'failed' },
      undos: { 'undo:1:1': false, 'undo:1:2': false, 'undo:1:3': false },
    });
    expect(effects(begun)).toEqual(['step:0:1', 'step:1:1', 'undo:1:1', 'undo:1:2', 'undo:1:3', 'undo:0:1']);
    expect(state.status).toBe('rollback_failed');
    expect(begun).toContain('notice:execution.rollback_failed:0');
  });
});

const voted =
  (decision: 'approve' | 'reject', person = 'ana') =>
  (at: number): ExecutionEvent => ({ type: 'voted', at, person, via: 'page', decision, reason: null });

describe('approval', () => {
  const asking = plan({ mode: 'semi_auto' });

  test('is asked for, and nothing runs before it', () => {
    const { begun, now } = simulate({ plan: asking, events: [{ at: 60_000, event: voted('approve') }] });
    expect(effects(begun)).toHaveLength(3);
    expect(now - start).toBe(60_000);
    expect(begun.indexOf('notice:approval.needed:0')).toBeGreaterThan(begun.indexOf('record'));
  });

  test('rejected, expired or withdrawn, nothing runs', () => {
    const rejected = simulate({ plan: asking, events: [{ at: 1, event: voted('reject') }] });
    const expired = simulate({ plan: asking });
    const withdrawn = simulate({
      plan: asking,
      events: [{ at: 1, event: (at) => ({ type: 'withdrawn', at, reason: 'resolved' }) }],
    });
    expect([rejected, expired, withdrawn].map(({ state }) => [state.status, state.approval?.status])).toEqual(
      [
        ['cancelled', 'rejected'],
        ['cancelled', 'expired'],
        ['cancelled', 'withdrawn'],
      ],
    );
    expect(expired.now - start).toBe(30 * 60_000);
    for (const { begun } of [rejected, expired, withdrawn]) expect(effects(begun)).toEqual([]);
  });

  test('of two needs two people, and one person counts once', () => {
    const two = plan({ mode: 'semi_auto', approvalsNeeded: 2 });
    const once = simulate({ plan: two, events: [1, 2].map((at) => ({ at, event: voted('approve') })) });
    expect(once.state.approval?.status).toBe('expired');
    const both = simulate({
      plan: two,
      events: [
        { at: 1, event: voted('approve') },
        { at: 2, event: voted('approve', 'ben') },
      ],
    });
    expect(both.state.status).toBe('succeeded');
  });
});

test('a signal from Temporal counts as a vote only where it is allowed', () => {
  const signal = [
    {
      at: 1,
      event: (at: number): ExecutionEvent => ({
        type: 'voted',
        at,
        person: 'Temporal operator',
        via: 'temporal',
        decision: 'approve',
        reason: null,
      }),
    },
  ];
  const outcome = (approveBySignal: boolean) =>
    simulate({ plan: plan({ mode: 'semi_auto', approveBySignal }), events: signal }).state.status;
  expect([outcome(true), outcome(false)]).toEqual(['succeeded', 'cancelled']);
});

test('waits for its target while another execution works on it', () => {
  const { state, now } = simulate({ busyUntil: 12_000 });
  expect([state.status, now - start]).toEqual(['succeeded', 15_000]);
});

describe('cancellation', () => {
  test('before the start ends it, in the middle undoes what was begun, after the step has ended', () => {
    const cancel = (at: number): ExecutionEvent => ({ type: 'cancelled', at, by: 'ana', reason: null });
    const before = simulate({ plan: plan({ mode: 'semi_auto' }), events: [{ at: 1, event: cancel }] });
    expect(before.state).toMatchObject({ status: 'cancelled', approval: { status: 'withdrawn' } });
    const retrying = plan({ steps: [step('one'), step('two', { retries: 1 })] });
    const during = simulate({
      plan: retrying,
      steps: { 'step:1:1': 'failed' },
      events: [{ at: 1, event: cancel }],
    });
    expect(effects(during.begun)).toEqual(['step:0:1', 'step:1:1', 'undo:1:1', 'undo:0:1']);
    expect(during.state).toMatchObject({ status: 'rolled_back', reason: 'cancelled by ana' });
  });
});

test('whatever happens: every step that began and has an undo is undone or the run succeeded, in reverse, and it ends', () => {
  const outcome = fc.constantFrom<Outcome>('succeeded', 'failed', 'unknown');
  const steps = fc.array(
    fc.record({
      retries: fc.nat(2),
      continueOnFail: fc.boolean(),
      idempotent: fc.boolean(),
      hasUndo: fc.boolean(),
      outcomes: fc.array(outcome, { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(
      steps,
      fc.option(fc.nat(20_000)),
      fc.array(fc.boolean(), { maxLength: 6 }),
      (shapes, cancelAt, undoOutcomes) => {
        const { state, begun } = simulate({
          throughJson: true,
          plan: plan({
            steps: shapes.map(({ retries, continueOnFail, idempotent, hasUndo }, n) =>
              step(`s${n}`, { retries, continueOnFail, idempotent, undoTimeoutMs: hasUndo ? 1000 : null }),
            ),
          }),
          steps: Object.fromEntries(
            shapes.flatMap(({ outcomes }, n) =>
              outcomes.map((each, attempt) => [`step:${n}:${attempt + 1}`, each]),
            ),
          ),
          undos: Object.fromEntries(undoOutcomes.map((ok, n) => [`undo:${n % shapes.length}:1`, ok])),
          ...(cancelAt === null
            ? {}
            : {
                events: [
                  { at: cancelAt, event: (at: number) => ({ type: 'cancelled', at, by: 'x', reason: null }) },
                ],
              }),
        });
        expect(executionOver(state)).toBe(true);
        expect(['succeeded', 'failed', 'rolled_back', 'rollback_failed', 'cancelled']).toContain(
          state.status,
        );
        const undone = begun.filter((key) => key.startsWith('undo:')).map((key) => Number(key.split(':')[1]));
        expect(undone).toEqual(undone.toSorted((a, b) => b - a));
        if (state.status !== 'succeeded') {
          const began = shapes.flatMap(({ hasUndo }, n) =>
            hasUndo && begun.includes(`step:${n}:1`) ? [n] : [],
          );
          expect([...new Set(undone)].toSorted()).toEqual(began);
        } else expect(undone).toEqual([]);
        expect(state.lockHeld).toBe(false);
      },
    ),
  );
});
