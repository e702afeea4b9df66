import { expect, it } from 'vitest';
import type { ExecutionDetail, ExecutionStep } from '../../db/executions-read.ts';
import { executionPageView, executionSentence } from './view.ts';

const at = new Date('2026-11-21T02:14:00Z');

const step = (name: string, changes: Partial<ExecutionStep> = {}): ExecutionStep => ({
  index: 0,
  name,
  type: 'command',
  description: name,
  status: 'pending',
  attempts: 0,
  startedAt: null,
  finishedAt: null,
  output: '',
  error: null,
  rollback: null,
  ...changes,
});

const undone = {
  description: 'undo',
  status: 'succeeded' as const,
  attempts: 1,
  startedAt: at,
  finishedAt: at,
  output: '',
  error: null,
};

const execution = (changes: Partial<ExecutionDetail>): ExecutionDetail => ({
  id: 'e',
  teamId: null,
  runbook: 'restart',
  runbookVersion: 1,
  incidentNumber: 7,
  requestedBy: 'Holdfast',
  mode: 'semi_auto',
  target: 'checkout',
  status: 'running',
  statusReason: null,
  createdAt: at,
  startedAt: at,
  finishedAt: null,
  inputs: {},
  steps: [],
  approvals: [],
  workflowId: 'w',
  ...changes,
});

it('says at which step it is', () => {
  const steps = [step('Check', { status: 'succeeded' }), step('Restart', { status: 'running' })];
  expect(executionSentence(execution({ steps }))).toBe('It is at ‘Restart’ on checkout; 1 of 2 steps done.');
});

it('says what failed and what was undone', () => {
  const steps = [
    step('Restart', { status: 'succeeded', rollback: undone }),
    step('Verify', { status: 'failed', error: 'answered 503' }),
  ];
  expect(executionSentence(execution({ status: 'rolled_back', steps }))).toBe(
    '‘Verify’ failed on checkout, and 1 step was undone.',
  );
  const failing = [
    step('Restart', { status: 'succeeded', rollback: { ...undone, status: 'running' } }),
    ...steps.slice(1),
  ];
  expect(executionSentence(execution({ steps: failing }))).toBe(
    '‘Verify’ failed; it is undoing ‘Restart’ now.',
  );
  expect(executionSentence(execution({ status: 'rollback_failed', steps }))).toContain(
    'Look at checkout by hand.',
  );
});

it('names the step that ended it, not one before that was allowed to fail, and tells its reason once', () => {
  const steps = [
    step('Look', { status: 'failed', error: 'exit code 3' }),
    step('Restart', { status: 'succeeded', rollback: undone }),
    step('Verify', { status: 'failed', error: 'answered 503' }),
  ];
  const statusReason = 'step 3, Verify, failed: answered 503';
  const view = executionPageView(execution({ status: 'rolled_back', statusReason, steps }), null, 0);
  expect(view.sentence).toBe('‘Verify’ failed on checkout, and 1 step was undone.');
  expect(view.reason).toBe('answered 503');
  const refused = execution({
    status: 'failed',
    statusReason: 'the approval expired',
    steps: [step('Look')],
  });
  expect(executionPageView(refused, null, 0).reason).toBe('the approval expired');
});

it('says what it waits for', () => {
  expect(executionSentence(execution({ status: 'waiting' }))).toBe('It waits for its turn on checkout.');
});

it('can be cancelled while it is not over, and says what that undoes', () => {
  const running = executionPageView(execution({ steps: [step('a', { startedAt: at })] }), null, at.getTime());
  expect(running).toMatchObject({ canCancel: true, cancelTouches: expect.stringContaining('undone') });
  const over = executionPageView(execution({ status: 'succeeded', finishedAt: at }), null, at.getTime());
  expect(over.canCancel).toBe(false);
});

it('says of an undo whether it may still be needed', () => {
  const steps = [step('a', { rollback: { ...undone, status: null } })];
  expect(executionPageView(execution({ steps }), null, 0).steps[0]?.undo?.state.word).toBe('Not needed yet');
  const over = execution({ steps, status: 'cancelled', finishedAt: at });
  expect(executionPageView(over, null, 0).steps[0]?.undo?.state.word).toBe('Not needed');
});
