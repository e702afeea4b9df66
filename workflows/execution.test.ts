import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure, Context } from '@temporalio/activity';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunStepInput } from '../activities/steps.ts';
import type { ExecutionRecord } from '../db/execution-record.ts';
import type { ExecutionPlan, StepPlan } from '../domain/execution/state.ts';
import type { NotifyInput } from '../domain/notification.ts';
import { createWorkflowHarness, until, type WorkflowHarness } from '../test/harness/workflows.ts';
import {
  approve,
  approveSignal,
  cancelExecution,
  executionWorkflowId,
  incidentResolved,
  reject,
} from './messages.ts';

const minute = 60_000;
const actor = { name: 'ana@example.com', via: 'page' } as const;
const step = (name: string, change: Partial<StepPlan> = {}): StepPlan => ({
  name,
  timeoutMs: minute,
  retries: 0,
  retryDelayMs: 1000,
  continueOnFail: false,
  idempotent: false,
  undoTimeoutMs: minute,
  ...change,
});

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await createWorkflowHarness();
});
afterAll(() => harness.close());

let plan: ExecutionPlan;
let ran: string[];
let sent: string[];
let records: ExecutionRecord[];
let runStep: (input: RunStepInput) => Promise<{ ok: boolean; error?: string }>;
beforeEach(() => {
  ran = [];
  sent = [];
  records = [];
  runStep = async () => ({ ok: true });
  plan = {
    runbook: 'restart',
    mode: 'semi_auto',
    target: 'checkout',
    requestedBy: 'Holdfast',
    incident: null,
    approvers: [{ type: 'email', address: 'ana@example.com' }],
    approvalId: 'a',
    approvalsNeeded: 1,
    approvalTimeoutMs: 30 * minute,
    approveBySignal: true,
    steps: [step('one'), step('two'), step('three')],
  };
});

const activities = {
  loadExecutionPlan: async () => plan,
  admitExecution: async () => null,
  lockTarget: async () => null,
  recordExecution: async (record: ExecutionRecord) => {
    records.push(record);
  },
  notify: async (input: NotifyInput) => {
    sent.push(input.type);
    return { status: 'sent', destination: 'ana@example.com' };
  },
  runStep: async (input: RunStepInput) => {
    ran.push(`${input.phase} ${input.index}.${input.attempt}`);
    return await runStep(input);
  },
};

async function withExecution(work: (handle: Execution) => Promise<void>) {
  const taskQueue = `test-${randomUUID()}`;
  const orgId = randomUUID();
  const executionId = randomUUID();
  await harness.withWorker(taskQueue, activities, async () => {
    const handle = await harness.env.client.workflow.start('execution', {
      workflowId: executionWorkflowId(orgId, executionId),
      taskQueue,
      args: [{ orgId, executionId }],
    });
    await until(() => records.length > 0, 'the execution is recorded');
    await harness.skip(1_000);
    await work(handle);
    await harness.ended(handle);
  });
}
type Execution = Awaited<ReturnType<typeof harness.env.client.workflow.start>>;
const standing = () => records.at(-1)!.standing;

describe('approval', () => {
  test('nothing runs before it; approved, the steps run in order', async () => {
    await withExecution(async (handle) => {
      expect([ran, sent]).toEqual([[], ['approval.needed']]);
      expect(standing()).toMatchObject({ status: 'waiting', approval: { status: 'pending' } });
      await handle.executeUpdate(approve, { args: [{ actor }] });
      await harness.ended(handle);
    });
    expect(ran).toEqual(['step 0.1', 'step 1.1', 'step 2.1']);
    expect(standing()).toMatchObject({ status: 'succeeded', approval: { status: 'approved' } });
    expect(records.at(-1)?.release).toBe(true);
  });

  test('nobody answers: it expires and nothing has run', async () => {
    await withExecution(async (handle) => {
      await harness.ended(handle);
    });
    expect(ran).toEqual([]);
    expect(standing()).toMatchObject({ status: 'cancelled', approval: { status: 'expired' } });
  });

  test("a Temporal signal is a vote of 'Temporal operator'", async () => {
    await withExecution(async (handle) => {
      await handle.signal(approveSignal, { reason: 'from the CLI' });
      await harness.ended(handle);
    });
    expect(standing().approval?.votes).toMatchObject([
      { person: 'Temporal operator', via: 'temporal', reason: 'from the CLI' },
    ]);
    expect(standing().status).toBe('succeeded');
  });

  test('a vote after the decision is refused with it', async () => {
    await withExecution(async (handle) => {
      await handle.executeUpdate(reject, { args: [{ actor, reason: 'not tonight' }] });
      const late = handle.executeUpdate(approve, { args: [{ actor: { name: 'ben', via: 'mail' } }] });
      await expect(late).rejects.toSatisfy(
        (error) => error instanceof WorkflowUpdateFailedError || /completed|not found/i.test(String(error)),
      );
    });
    expect(standing()).toMatchObject({
      status: 'cancelled',
      reason: 'rejected by ana@example.com: not tonight',
    });
  });

  test('is withdrawn when the incident is resolved', async () => {
    await withExecution(async (handle) => {
      await handle.signal(incidentResolved);
      await harness.ended(handle);
    });
    expect(standing().approval?.status).toBe('withdrawn');
  });
});

test('a failing step undoes itself and the earlier ones in reverse, and says so', async () => {
  plan = { ...plan, mode: 'auto' };
  runStep = async ({ phase, index }) =>
    phase === 'step' && index === 1 ? { ok: false, error: 'exit code 3' } : { ok: true };
  await withExecution(async (handle) => {
    await harness.ended(handle);
  });
  expect(ran).toEqual(['step 0.1', 'step 1.1', 'undo 1.1', 'undo 0.1']);
  expect(standing()).toMatchObject({ status: 'rolled_back', reason: 'step 2, two, failed: exit code 3' });
  expect(standing().steps.map((each) => each.undo?.status ?? null)).toEqual(['succeeded', 'succeeded', null]);
  expect(sent).toEqual(['execution.rolled_back']);
});

test('cancelled in the middle of a step, the step ends before its undo begins', async () => {
  plan = { ...plan, mode: 'auto' };
  let stepEnded = false;
  let undoneTooEarly = false;
  runStep = async ({ phase }) => {
    if (phase === 'undo') {
      undoneTooEarly ||= !stepEnded;
      return { ok: true };
    }
    const { cancellationSignal } = Context.current();
    while (!cancellationSignal.aborted) {
      Context.current().heartbeat();
      await sleep(20);
    }
    await sleep(100);
    stepEnded = true;
    throw new CancelledFailure('cancelled');
  };
  await withExecution(async (handle) => {
    await until(() => ran.length === 1, 'the first step runs');
    await handle.executeUpdate(cancelExecution, { args: [{ actor, reason: 'wrong host' }] });
    await until(() => ran.includes('undo 0.1'), 'the step is undone');
    await harness.ended(handle);
  });
  expect(undoneTooEarly).toBe(false);
  expect(ran).toEqual(['step 0.1', 'undo 0.1']);
  expect(standing()).toMatchObject({
    status: 'rolled_back',
    reason: 'cancelled by ana@example.com: wrong host',
  });
});

test('a step whose process was lost counts as failed with its outcome unknown, and is undone', async () => {
  plan = { ...plan, mode: 'auto', steps: [step('one', { retries: 3 })] };
  // never answers and never beats: to the server it looks as a worker that has died
  const lost = Promise.withResolvers<{ ok: boolean }>();
  runStep = async ({ phase }) => (phase === 'step' ? await lost.promise : { ok: true });
  await withExecution(async (handle) => {
    await harness.skip(minute);
    await until(() => ran.includes('undo 0.1'), 'the step is undone');
    lost.resolve({ ok: true });
    await harness.ended(handle);
  });
  expect(ran).toEqual(['step 0.1', 'undo 0.1']);
  expect(standing()).toMatchObject({ status: 'rolled_back' });
  expect(standing().reason).toMatch(/nobody knows how it ended/);
});
