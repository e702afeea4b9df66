import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure, Context } from '@temporalio/activity';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AnnounceInput, RuleNotice } from '../activities/announce.ts';
import type { LockAnswer } from '../activities/execution.ts';
import type { RunStepInput } from '../activities/steps.ts';
import type { ExecutionRecord } from '../db/execution-record.ts';
import type { ExecutionPlan, StepWork } from '../domain/execution/plan.ts';
import type { NotifyInput } from '../domain/notification.ts';
import { approvalPlan, executionPlan, stepPlan } from '../test/harness/execution-fold.ts';
import { createWorkflowHarness, until, type WorkflowHarness } from '../test/harness/workflows.ts';
import {
  approve,
  approveSignal,
  cancelExecution,
  decideUndo,
  executionWorkflowId,
  incidentResolved,
  reject,
  runnerTaskQueue,
  targetFreed,
} from './messages.ts';

const minute = 60_000;
const actor = { name: 'ana@example.com', via: 'page' } as const;

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
let lockTarget: () => Promise<LockAnswer>;
beforeEach(() => {
  ran = [];
  sent = [];
  records = [];
  runStep = async () => ({ ok: true });
  lockTarget = async () => null;
  plan = executionPlan({ mode: 'semi_auto', incident: null });
});

const activities = {
  loadExecutionPlan: async () => plan,
  admitExecution: async () => null,
  lockTarget: async () => await lockTarget(),
  recordExecution: async (record: ExecutionRecord) => {
    records.push(record);
  },
  notify: async (input: NotifyInput) => {
    sent.push(input.type);
    return { status: 'sent', destination: 'ana@example.com' };
  },
  announce: async ({ trigger, occurrence }: AnnounceInput): Promise<{ notices: RuleNotice[] }> => {
    const cause = { event: trigger, at: new Date(0).toISOString() };
    const target = { type: 'email', address: 'team@example.com' } as const;
    return { notices: [{ key: `rule:${trigger}:${occurrence}:all:0`, target, detail: {}, cause }] };
  },
  runStep: async (input: RunStepInput) => {
    ran.push(`${input.phase} ${input.index}.${input.attempt}`);
    return await runStep(input);
  },
};

async function withExecution(work: (handle: Execution, orgId: string) => Promise<void>) {
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
    await work(handle, orgId);
    await harness.ended(handle);
  });
}
type Execution = Awaited<ReturnType<typeof harness.env.client.workflow.start>>;
const standing = () => records.at(-1)!.standing;

describe('approval', () => {
  test('nothing runs before it; approved, the steps run in order', async () => {
    await withExecution(async (handle) => {
      await expect.poll(() => sent).toEqual(['approval.needed']);
      expect(ran).toEqual([]);
      expect(standing()).toMatchObject({ status: 'waiting', approvals: [{ status: 'pending' }] });
      await handle.executeUpdate(approve, { args: [{ actor }] });
      await harness.ended(handle);
    });
    expect(ran).toEqual(['step 0.1', 'step 1.1', 'step 2.1']);
    expect(standing()).toMatchObject({ status: 'succeeded', approvals: [{ status: 'approved' }] });
    expect(records.at(-1)?.release).toBe(true);
  });

  test('nobody answers: it expires and nothing has run', async () => {
    await withExecution(async (handle) => {
      await harness.ended(handle);
    });
    expect(ran).toEqual([]);
    expect(standing()).toMatchObject({ status: 'cancelled', approvals: [{ status: 'expired' }] });
  });

  test("a Temporal signal is a vote of 'Temporal operator'", async () => {
    await withExecution(async (handle) => {
      await handle.signal(approveSignal, { reason: 'from the CLI' });
      await harness.ended(handle);
    });
    expect(standing().approvals[0]?.votes).toMatchObject([
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
    expect(standing().approvals[0]?.status).toBe('withdrawn');
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
  plan = { ...plan, mode: 'auto', steps: [stepPlan('one', { retries: 3 })] };
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

describe('in mid-run', () => {
  const auto = (steps: ExecutionPlan['steps']) => executionPlan({ incident: null, steps });

  test('a wait takes its time and no longer', async () => {
    plan = auto([
      stepPlan('one'),
      stepPlan('wait', { work: { kind: 'wait', durationMs: 20 * minute }, undoTimeoutMs: null }),
      stepPlan('three'),
    ]);
    await withExecution(async (handle) => {
      await until(() => ran.includes('step 0.1'), 'the first step has run');
      await harness.skip(19 * minute);
      expect(ran).toEqual(['step 0.1']);
      await harness.skip(2 * minute);
      await until(() => ran.includes('step 2.1'), 'the wait is over');
      await harness.ended(handle);
    });
    expect(standing()).toMatchObject({ status: 'succeeded', next: null });
  });

  test('an approval is asked for by name, refused to whom it does not take, and then goes on', async () => {
    const approval = approvalPlan({ id: 'gate', role: 'admin', notRequester: true });
    plan = auto([
      stepPlan('one'),
      stepPlan('gate', { work: { kind: 'approval', approval }, undoTimeoutMs: null }),
      stepPlan('three'),
    ]);
    await withExecution(async (handle) => {
      await until(() => sent.includes('approval.needed'), 'the approval is asked for');
      await harness.skip(1_000);
      const vote = (change: object) =>
        handle.executeUpdate(approve, {
          args: [{ actor: { ...actor, ...change }, approvalId: 'gate' }],
        });
      await expect(vote({ role: 'operator' })).rejects.toMatchObject({
        cause: { message: 'it takes the role admin to decide on it' },
      });
      await vote({ role: 'owner' });
      await harness.ended(handle);
    });
    expect(ran).toEqual(['step 0.1', 'step 2.1']);
    expect(standing()).toMatchObject({ status: 'succeeded', approvals: [{ step: 1, status: 'approved' }] });
  });

  test('a step that tells somebody something tells it once', async () => {
    const work: StepWork = { kind: 'notify', targets: [], message: 'half of it is done' };
    plan = auto([stepPlan('tell', { work, undoTimeoutMs: null })]);
    await withExecution(async () => {});
    expect(sent.filter((type) => type === 'execution.message')).toHaveLength(1);
    expect(standing().status).toBe('succeeded');
  });

  test('a step waits for its runner, says so, and runs once there is one', async () => {
    plan = auto([stepPlan('one', { runner: 'edge' }), stepPlan('two')]);
    await withExecution(async (handle, orgId) => {
      await until(() => sent.includes('execution.runner_missing'), 'people hear that nobody runs the runner');
      expect(standing().reason).toContain('waits for runner edge');
      const steps = { runStep: activities.runStep };
      await harness.withWorker(runnerTaskQueue(orgId, 'edge'), steps, async () => {
        await until(() => ran.includes('step 1.1'), 'the runner has run its step');
      });
      await harness.ended(handle);
    });
    expect(ran).toEqual(['step 0.1', 'step 1.1']);
    expect(standing()).toMatchObject({ status: 'succeeded', reason: null });
  });
});

test('rules of notification are asked about its end, and whoever they name is told', async () => {
  plan = {
    ...executionPlan({ mode: 'auto', incident: null }),
    levels: [],
    announces: ['execution.succeeded'],
  };
  await withExecution(async (handle) => {
    await harness.ended(handle);
  });
  expect(sent).toEqual(['execution.succeeded']);
});

test('an undo that keeps failing waits for a person, who has it tried again and then leaves it undone', async () => {
  plan = executionPlan({ incident: null });
  runStep = async ({ phase, index }) =>
    index === 1 ? { ok: false, error: `${phase} failed` } : { ok: true };
  await withExecution(async (handle) => {
    await harness.skip(minute);
    await until(() => sent.includes('execution.undo_failed'), 'a person is called');
    await harness.skip(1_000);
    expect(ran).toEqual(['step 0.1', 'step 1.1', 'undo 1.1', 'undo 1.2', 'undo 1.3']);
    await handle.executeUpdate(decideUndo, { args: [{ actor, index: 1, decision: 'retry' }] });
    await harness.skip(minute);
    await until(() => ran.includes('undo 1.6'), 'it is tried three times more');
    await harness.skip(1_000);
    const skip = (reason?: string) =>
      handle.executeUpdate(decideUndo, {
        args: [{ actor, index: 1, decision: 'skip', ...(reason ? { reason } : {}) }],
      });
    await expect(skip()).rejects.toThrow();
    await skip('mended by hand');
    await harness.ended(handle);
  });
  expect(ran.at(-1)).toBe('undo 0.1');
  expect(standing()).toMatchObject({ status: 'rollback_failed' });
  expect(standing().steps[1]?.undo).toMatchObject({
    status: 'skipped',
    decision: { reason: 'mended by hand' },
  });
});

test('the next in the queue begins when it is told that the target is free', async () => {
  plan = executionPlan({ incident: null });
  let free = false;
  lockTarget = async () => (free ? null : { heldBy: 'another', ahead: 1 });
  await withExecution(async (handle) => {
    await until(
      () => /another works on it, and 1 more/.test(standing().reason ?? ''),
      'it says what it waits for',
    );
    free = true;
    await handle.signal(targetFreed);
    await until(() => ran.length === 3, 'it runs');
    await harness.ended(handle);
  });
  expect(standing().status).toBe('succeeded');
});
