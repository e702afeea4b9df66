import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  effects,
  executionPlan,
  type Outcome,
  simulate,
  start,
  stepPlan,
} from '../../test/harness/execution-fold.ts';
import { applyEvent } from './apply-event.ts';
import type { ExecutionEvent } from './events.ts';
import { executionOver, nextMoves } from './next-moves.ts';
import { planOf } from './plan.ts';
import { carryOver, newExecutionState } from './state.ts';

test('an incident that is over before anybody could be asked asks nobody and runs nothing', () => {
  const withdrawn = (at: number): ExecutionEvent => ({
    type: 'withdrawn',
    at,
    reason: 'the incident was resolved',
  });
  for (const mode of ['auto', 'semi_auto'] as const) {
    const { state, begun } = simulate({
      plan: executionPlan({ mode }),
      events: [{ at: 0, event: withdrawn }],
    });
    expect(state).toMatchObject({ status: 'cancelled', reason: 'the incident was resolved', approvals: [] });
    expect(begun.filter((key) => key.startsWith('notice') || key.startsWith('step'))).toEqual([]);
  }
});

test('while another works on the target, asking again records nothing new', () => {
  const { begun } = simulate({ busyUntil: 600_000 });
  expect(begun.filter((key) => key === 'lock')).toHaveLength(21);
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
      plan: executionPlan({ steps: [stepPlan('one', { undoTimeoutMs: null })] }),
      steps: { 'step:0:1': 'failed' },
    });
    expect(state.status).toBe('failed');
  });

  test('are tried again after the delay as often as they say', () => {
    const { begun, now, state } = simulate({
      plan: executionPlan({ steps: [stepPlan('one', { retries: 2, retryDelayMs: 5000 })] }),
      steps: { 'step:0:1': 'failed', 'step:0:2': 'failed' },
    });
    expect(effects(begun)).toEqual(['step:0:1', 'step:0:2', 'step:0:3']);
    expect([now - start, state.status]).toEqual([10_000, 'succeeded']);
  });

  test('one whose outcome is unknown is run again only if it says that it is idempotent', () => {
    const unknown = { 'step:0:1': 'unknown' } as const;
    const retried = simulate({
      plan: executionPlan({ steps: [stepPlan('one', { retries: 1, idempotent: true })] }),
      steps: unknown,
    });
    expect(retried.state.status).toBe('succeeded');
    const undone = simulate({
      plan: executionPlan({ steps: [stepPlan('one', { retries: 1, continueOnFail: true })] }),
      steps: unknown,
    });
    expect(effects(undone.begun)).toEqual(['step:0:1', 'undo:0:1']);
    expect(undone.state.status).toBe('rolled_back');
  });

  test('continue_on_fail goes on, and its undo still stands', () => {
    const { state, begun } = simulate({
      plan: executionPlan({ steps: [stepPlan('one', { continueOnFail: true }), stepPlan('two')] }),
      steps: { 'step:0:1': 'failed', 'step:1:1': 'failed' },
    });
    expect(effects(begun)).toEqual(['step:0:1', 'step:1:1', 'undo:1:1', 'undo:0:1']);
    expect(state.status).toBe('rolled_back');
  });
});

test('the next in the queue is told when its target is free, and need not wait', () => {
  const freed = (at: number): ExecutionEvent => ({ type: 'target_freed', at });
  const { state, now } = simulate({ busyUntil: 12_000, events: [{ at: 12_000, event: freed }] });
  expect([state.status, now - start]).toEqual(['succeeded', 12_000]);
});

test('a rule that says no when the target is free at last refuses it, and says so', () => {
  const { state, begun } = simulate({ busyUntil: 1000, refusal: 'cooldown: until noon' });
  expect(state).toMatchObject({ status: 'cancelled', reason: 'cooldown: until noon', lockHeld: false });
  expect(effects(begun)).toEqual([]);
  expect(begun).toContain('notice:execution.refused:0');
});

test('waits for its target while another execution works on it', () => {
  const { state, now } = simulate({ busyUntil: 12_000 });
  expect([state.status, now - start]).toEqual(['succeeded', 30_000]);
});

describe('cancellation', () => {
  test('before the start ends it, in the middle undoes what was begun, after the step has ended', () => {
    const cancel = (at: number): ExecutionEvent => ({ type: 'cancelled', at, by: 'ana', reason: null });
    const before = simulate({
      plan: executionPlan({ mode: 'semi_auto' }),
      events: [{ at: 1, event: cancel }],
    });
    expect(before.state).toMatchObject({ status: 'cancelled', approvals: [{ status: 'withdrawn' }] });
    const retrying = executionPlan({ steps: [stepPlan('one'), stepPlan('two', { retries: 1 })] });
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
          plan: executionPlan({
            steps: shapes.map(({ retries, continueOnFail, idempotent, hasUndo }, n) =>
              stepPlan(`s${n}`, {
                retries,
                continueOnFail,
                idempotent,
                undoTimeoutMs: hasUndo ? 1000 : null,
              }),
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

describe('what the workflow does itself', () => {
  test('a wait ends at its point in time, and the next step begins then', () => {
    const waiting = stepPlan('wait', { work: { kind: 'wait', durationMs: 90_000 }, undoTimeoutMs: null });
    const { state, begun, now } = simulate({
      throughJson: true,
      plan: executionPlan({ steps: [stepPlan('one'), waiting, stepPlan('three')] }),
    });
    expect(effects(begun)).toEqual(['step:0:1', 'step:2:1']);
    expect([state.status, now - start]).toEqual(['succeeded', 90_000]);
  });

  test('a wait that is cancelled ends at once, and what was done before is undone', () => {
    const waiting = stepPlan('wait', { work: { kind: 'wait', durationMs: 90_000 }, undoTimeoutMs: null });
    const { state, begun, now } = simulate({
      plan: executionPlan({ steps: [stepPlan('one'), waiting] }),
      events: [{ at: 5000, event: (at) => ({ type: 'cancelled', at, by: 'ana', reason: null }) }],
    });
    expect(effects(begun)).toEqual(['step:0:1', 'undo:0:1']);
    expect([state.status, now - start]).toEqual(['rolled_back', 5000]);
    expect(state.steps[1]?.status).toBe('cancelled');
  });

  test('a message that nobody got fails its step', () => {
    const message = stepPlan('tell', {
      work: { kind: 'notify', targets: [], message: 'hello' },
      undoTimeoutMs: null,
    });
    const { state, begun } = simulate({
      plan: executionPlan({ steps: [stepPlan('one'), message] }),
      steps: { 'step:1:1': 'failed' },
    });
    expect(effects(begun)).toEqual(['step:0:1', 'step:1:1', 'undo:0:1']);
    expect(state.status).toBe('rolled_back');
  });

  test('a step is skipped by its variables, or by what became of an earlier one', () => {
    const { state, begun } = simulate({
      plan: executionPlan({
        steps: [
          stepPlan('one', { continueOnFail: true }),
          stepPlan('two', { skipped: "only if 'production': environment is 'test'" }),
          stepPlan('mend', { needs: [{ index: 0, status: 'failed' }] }),
          stepPlan('praise', { needs: [{ index: 0, status: 'succeeded' }] }),
        ],
      }),
      steps: { 'step:0:1': 'failed' },
    });
    expect(effects(begun)).toEqual(['step:0:1', 'step:2:1']);
    expect(state.steps.map(({ status }) => status)).toEqual(['failed', 'skipped', 'succeeded', 'skipped']);
    expect(state.steps[3]?.error).toBe('only if step 1 succeeded; it is failed');
    expect(state.status).toBe('succeeded');
  });

  test('a verification that fails undoes everything', () => {
    const { state, begun } = simulate({
      plan: executionPlan({
        steps: [stepPlan('one'), stepPlan('healthy', { part: 'verify', undoTimeoutMs: null })],
      }),
      steps: { 'step:1:1': 'failed' },
    });
    expect(effects(begun)).toEqual(['step:0:1', 'step:1:1', 'undo:0:1']);
    expect(state.reason).toBe('verification 1, healthy, failed: boom');
  });
});

describe('a runner', () => {
  test('that is missing is waited for, a person is told once, and no attempt is lost', () => {
    const { state, begun } = simulate({
      plan: executionPlan({ steps: [stepPlan('one', { runner: 'edge' }), stepPlan('two')] }),
      steps: { 'step:0:1': 'not taken' },
    });
    expect(effects(begun)).toEqual(['step:0:1', 'step:0:1', 'step:1:1']);
    expect(begun.filter((key) => key.startsWith('notice:execution.runner_missing'))).toHaveLength(1);
    expect(state).toMatchObject({ status: 'succeeded', reason: null });
    expect(state.steps[0]).toMatchObject({ attempts: 1, runnerMissingSince: null });
  });
});

describe('without its runner', () => {
  const cancel = (at: number): ExecutionEvent => ({ type: 'cancelled', at, by: 'ana', reason: null });

  test('a step that was cancelled before anybody took it up ends, and is not undone', () => {
    let state = applyEvent(newExecutionState(start), {
      type: 'loaded',
      at: start,
      key: 'load',
      plan: executionPlan({ steps: [stepPlan('one'), stepPlan('two', { runner: 'edge' })] }),
    });
    const key = 'step:1:1';
    const events: ExecutionEvent[] = [
      { type: 'admitted', at: start, key: 'admit' },
      { type: 'lock_acquired', at: start, key: 'lock' },
      { type: 'move_started', at: start, key: 'step:0:1' },
      { type: 'step_ended', at: start, key: 'step:0:1', index: 0, outcome: 'succeeded', error: null },
      { type: 'move_started', at: start, key },
      cancel(start),
      { type: 'step_not_taken', at: start, key, index: 1 },
    ];
    for (const event of events) state = applyEvent(state, event);
    expect(state.steps.map(({ status, undo }) => [status, undo?.status ?? null])).toEqual([
      ['succeeded', 'registered'],
      ['cancelled', null],
    ]);
    expect(nextMoves(state, start).moves.map((move) => move.key)).toContain('undo:0:1');
  });
});

test('an idempotent step is tried again after a crash though it has no retries, a few times', () => {
  const steps = Object.fromEntries([1, 2, 3, 4].map((n) => [`step:0:${n}`, 'unknown' as const]));
  const { begun, state } = simulate({
    plan: executionPlan({ steps: [stepPlan('one', { idempotent: true })] }),
    steps,
  });
  expect(effects(begun)).toEqual(['step:0:1', 'step:0:2', 'step:0:3', 'step:0:4', 'undo:0:1']);
  expect(state.status).toBe('rolled_back');
});

test('what fails for certain after a crash may be gone on from, where the step says so', () => {
  const { state } = simulate({
    plan: executionPlan({ steps: [stepPlan('one', { idempotent: true, continueOnFail: true })] }),
    steps: { 'step:0:1': 'unknown', 'step:0:2': 'failed' },
  });
  expect(state.status).toBe('succeeded');
});

test('an incident that is resolved while its execution waits for the target stops it', () => {
  const { state, begun } = simulate({
    busyUntil: 600_000,
    events: [{ at: 1000, event: (at) => ({ type: 'withdrawn', at, reason: 'the incident was resolved' }) }],
  });
  expect(state).toMatchObject({ status: 'cancelled', reason: 'the incident was resolved', lockHeld: false });
  expect(effects(begun)).toEqual([]);
});

test('an execution that goes on from another runs what was not done, and undoes all', () => {
  const { state, begun } = simulate({
    plan: executionPlan({
      steps: [stepPlan('one'), stepPlan('two', { takenOver: true }), stepPlan('three')],
    }),
    steps: { 'step:2:1': 'failed' },
  });
  expect(effects(begun)).toEqual(['step:0:1', 'step:2:1', 'undo:2:1', 'undo:1:1', 'undo:0:1']);
  expect(state.status).toBe('rolled_back');
});

test('a plan from the history of an older execution means the same', () => {
  const given = {
    runbook: 'restart',
    mode: 'semi_auto' as const,
    target: 'checkout',
    requestedBy: 'Holdfast',
    incident: null,
    approvers: [{ type: 'email' as const, address: 'ana@example.com' }],
    approvalId: 'e',
    approvalsNeeded: 2,
    approvalTimeoutMs: 1000,
    approveBySignal: true,
    steps: [
      {
        name: 'one',
        timeoutMs: 1,
        retries: 0,
        retryDelayMs: 0,
        continueOnFail: false,
        idempotent: false,
        undoTimeoutMs: null,
      },
    ],
  };
  expect(planOf(given)).toMatchObject({
    levels: [given.approvers],
    approval: { id: 'e', needed: 2, timeoutMs: 1000, onTimeout: 'expire' },
    steps: [{ name: 'one', work: { kind: 'effect' }, runner: null, takenOver: false }],
  });
});
