import { describe, expect, test } from 'vitest';
import { effects, executionPlan, simulate, start, stepPlan } from '../../test/harness/execution-fold.ts';
import { applyEvent } from './apply-event.ts';
import type { ExecutionEvent } from './events.ts';
import { nextMoves } from './next-moves.ts';
import { newUndoState } from './state.ts';
import { refusalOfDecision } from './undo.ts';

const failing = {
  steps: { 'step:1:1': 'failed' as const },
  undos: { 'undo:1:1': false, 'undo:1:2': false, 'undo:1:3': false },
};
const decided =
  (decision: 'retry' | 'skip', reason: string | null = null) =>
  (at: number): ExecutionEvent => ({ type: 'undo_decided', at, index: 1, decision, by: 'ana', reason });

describe('an undo that fails', () => {
  test('is tried three times, then a person is called, and the others wait', () => {
    const { state, begun, now } = simulate(failing);
    expect(effects(begun)).toEqual(['step:0:1', 'step:1:1', 'undo:1:1', 'undo:1:2', 'undo:1:3']);
    expect(now - start).toBe(10_000);
    expect(state).toMatchObject({ status: 'running', phase: 'undoing', lockHeld: true });
    expect(state.steps[1]?.undo).toMatchObject({ status: 'waiting', attempts: 3, error: 'boom' });
    expect(begun.filter((key) => key.startsWith('notice:execution.undo_failed'))).toHaveLength(1);
  });

  test('is tried three times more when a person says so, and all is well', () => {
    const { state, begun } = simulate({
      ...failing,
      throughJson: true,
      events: [{ at: 60_000, event: decided('retry') }],
    });
    expect(effects(begun).slice(5)).toEqual(['undo:1:4', 'undo:0:1']);
    expect(state.status).toBe('rolled_back');
  });

  test('is left undone when a person says so and why, the others are done, and the outcome says it', () => {
    const { state, begun } = simulate({
      ...failing,
      events: [{ at: 60_000, event: decided('skip', 'mended by hand') }],
    });
    expect(effects(begun).slice(5)).toEqual(['undo:0:1']);
    expect(state.status).toBe('rollback_failed');
    expect(state.steps[1]?.undo).toMatchObject({
      status: 'skipped',
      decision: { decision: 'skip', by: 'ana', reason: 'mended by hand' },
    });
    expect(begun).toContain('notice:execution.rollback_failed:0');
  });

  test('pages again each time that three more attempts have failed', () => {
    const undos = Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`undo:1:${n}`, false]));
    const { begun } = simulate({ ...failing, undos, events: [{ at: 60_000, event: decided('retry') }] });
    expect(begun.filter((key) => key.startsWith('notice:execution.undo_failed'))).toHaveLength(2);
  });

  test('takes no decision without a reason to skip, nor on what does not wait', () => {
    const { state } = simulate(failing);
    expect(refusalOfDecision(state, 1, 'skip', null)).toContain('reason');
    expect(refusalOfDecision(state, 1, 'retry', null)).toBeUndefined();
    expect(refusalOfDecision(state, 0, 'retry', null)).toContain('does not wait');
    expect(refusalOfDecision(state, 9, 'retry', null)).toContain('no step 10');
  });
});

describe('an undo whose runner is gone', () => {
  const { plan, ...rest } = {
    plan: executionPlan({
      steps: [stepPlan('one'), stepPlan('two', { undoRunner: 'edge' })],
    }),
    steps: { 'step:1:1': 'failed' as const },
  };

  test('can be left by a person, and then the others follow', () => {
    let { state } = simulate({ ...rest, plan: { ...plan, steps: plan.steps.slice(0, 2) }, undos: {} });
    state = {
      ...state,
      phase: 'undoing',
      status: 'running',
      steps: state.steps.map((step) => ({ ...step, undo: newUndoState() })),
    };
    const key = 'undo:1:1';
    const apply = (event: ExecutionEvent) => {
      state = applyEvent(state, event);
    };
    apply({ type: 'move_started', at: start, key });
    apply({ type: 'undo_not_taken', at: start, key, index: 1 });
    expect(state.steps[1]?.undo).toMatchObject({ attempts: 0, runnerMissingSince: start });
    expect(refusalOfDecision(state, 1, 'retry', null)).toContain('does not wait');
    apply({ type: 'move_started', at: start, key });
    apply(decided('skip', 'the site is gone')(start));
    // it may still be taken up: it is left when it was not
    expect(state.steps[1]?.undo?.status).toBe('running');
    apply({ type: 'undo_not_taken', at: start, key, index: 1 });
    expect(state.steps[1]?.undo).toMatchObject({ status: 'skipped' });
    expect(nextMoves(state, start).moves.map((move) => move.key)).toContain('undo:0:1');
  });
});
