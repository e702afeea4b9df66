import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { ExecutionActivities } from '../activities/execution.ts';
import type { NotifyActivities } from '../activities/notify.ts';
import type { StepActivities } from '../activities/steps.ts';
import { applyEvent } from '../domain/execution/apply-event.ts';
import { approvalPending } from '../domain/execution/approval.ts';
import type { ExecutionEvent } from '../domain/execution/events.ts';
import { type ExecutionMove, executionOver, nextMoves } from '../domain/execution/next-moves.ts';
import { carryOver, type ExecutionState, newExecutionState } from '../domain/execution/state.ts';
import { createDriver, ownScope, reasonOf } from './drive.ts';
import { takeTurns } from './in-turn.ts';
import {
  type Accepted,
  type Actor,
  approve,
  approveSignal,
  cancelExecution,
  type ExecutionInput,
  executionReported,
  executionWorkflowId,
  incidentResolved,
  incidentWorkflowId,
  refusedType,
  reject,
  rejectSignal,
  temporalOperator,
} from './messages.ts';

const { loadExecutionPlan, admitExecution, lockTarget, recordExecution } =
  proxyLocalActivities<ExecutionActivities>({
    startToCloseTimeout: '20s',
    localRetryThreshold: '1m',
    retry: { initialInterval: '200ms', maximumInterval: '30s' },
  });
const { notify } = proxyActivities<NotifyActivities>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '5m', maximumAttempts: 200 },
});

/** A step's own time-out is kept by the step; the engine's is a margin longer, for a step that cannot keep it. */
const stepMarginMs = 30_000;
const stepHeartbeatMs = 15_000;

/** One attempt of a step or of an undo. Retries are decisions of the fold, which knows what is safe to repeat. */
function stepActivity(timeoutMs: number): StepActivities {
  return proxyActivities<StepActivities>({
    startToCloseTimeout: timeoutMs + stepMarginMs,
    heartbeatTimeout: stepHeartbeatMs,
    retry: { maximumAttempts: 1 },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  });
}

/** One run of a runbook: admission, approval, the lock on its target, steps, and undos when something went wrong. */
export async function execution(input: ExecutionInput, carried?: ExecutionState): Promise<void> {
  const { orgId, executionId } = input;
  const steps = ownScope();
  const inTurn = takeTurns();
  const driver = createDriver<ExecutionState, ExecutionEvent, ExecutionMove>({
    state: carried ?? newExecutionState(Date.now()),
    applyEvent,
    nextMoves,
    perform,
    started: (move, at) => ({ type: 'move_started', key: move.key, at }),
    failed: (move, at, reason) => ({ type: 'move_failed', key: move.key, at, reason }),
    tick: (at) => ({ type: 'tick', at }),
    over: executionOver,
    cancelRequested: (at) => ({
      type: 'cancelled',
      at,
      by: temporalOperator,
      reason: 'the workflow was cancelled in Temporal',
    }),
    inFlight: (state) => state.inFlight,
    // an attempt of a step is awaited to its end: begun again, it would run beside itself
    repeatable: (key) => !key.startsWith('step:') && !key.startsWith('undo:'),
    settled: (state) => {
      if (state.cancelled) steps.cancel();
    },
  });

  async function perform(move: ExecutionMove): Promise<ExecutionEvent> {
    const { key } = move;
    switch (move.kind) {
      case 'load':
        return { type: 'loaded', at: Date.now(), key, plan: await inTurn(() => loadExecutionPlan(input)) };
      case 'admit': {
        const refusal = await inTurn(() => admitExecution(input));
        return refusal === null
          ? { type: 'admitted', at: Date.now(), key }
          : { type: 'refused', at: Date.now(), key, reason: refusal };
      }
      case 'lock': {
        const heldBy = await inTurn(() => lockTarget(input));
        return heldBy === null
          ? { type: 'lock_acquired', at: Date.now(), key }
          : { type: 'lock_busy', at: Date.now(), key, heldBy };
      }
      case 'step':
        return await runStep(move);
      case 'undo':
        return await runUndo(move);
      case 'notice': {
        const { plan } = driver.state;
        const { type, target, detail } = move.notice;
        await notify({
          orgId,
          key: `execution:${executionId}:${key}`,
          type,
          executionId,
          target,
          detail,
          ...(plan?.incident ? { incidentId: plan.incident.id } : {}),
          ...(type === 'approval.needed' && plan ? { approvalId: plan.approvalId } : {}),
        });
        return { type: 'notice_sent', at: Date.now(), key };
      }
      case 'record':
        return await record(key);
      case 'report':
        await report();
        return { type: 'reported', at: Date.now(), key };
    }
  }

  async function runStep(move: Extract<ExecutionMove, { kind: 'step' }>): Promise<ExecutionEvent> {
    const { key, index, attempt, timeoutMs } = move;
    const ended = (
      outcome: 'succeeded' | 'failed' | 'unknown' | 'cancelled',
      error: string | null,
    ): ExecutionEvent => ({
      type: 'step_ended',
      at: Date.now(),
      key,
      index,
      outcome,
      error,
    });
    try {
      const result = await steps.run(() =>
        stepActivity(timeoutMs).runStep({ orgId, executionId, index, phase: 'step', attempt }),
      );
      return ended(result.ok ? 'succeeded' : 'failed', result.error ?? null);
    } catch (error) {
      if (isCancellation(error)) return ended('cancelled', null);
      return ended(outcomeUnknown(error) ? 'unknown' : 'failed', failureText(error));
    }
  }

  async function runUndo(move: Extract<ExecutionMove, { kind: 'undo' }>): Promise<ExecutionEvent> {
    const { key, index, attempt, timeoutMs } = move;
    try {
      // whatever becomes of the workflow: what was begun to be undone is undone
      const result = await CancellationScope.nonCancellable(() =>
        stepActivity(timeoutMs).runStep({ orgId, executionId, index, phase: 'undo', attempt }),
      );
      return { type: 'undo_ended', at: Date.now(), key, index, ok: result.ok, error: result.error ?? null };
    } catch (error) {
      return { type: 'undo_ended', at: Date.now(), key, index, ok: false, error: failureText(error) };
    }
  }

  async function record(key: string): Promise<ExecutionEvent> {
    const { state } = driver;
    const { seq, outbox: entries, plan, status, reason, startedAt, finishedAt, approval } = state;
    const release = state.phase === 'finishing';
    await inTurn(() =>
      recordExecution({
        orgId,
        executionId,
        seq,
        workflowId: executionWorkflowId(orgId, executionId),
        approvalId: plan?.approvalId ?? null,
        approvalsNeeded: plan?.approvalsNeeded ?? 0,
        runbook: plan?.runbook ?? '',
        requestedBy: plan?.requestedBy ?? '',
        incidentId: plan?.incident?.id ?? null,
        standing: { status, reason, startedAt, finishedAt, approval, steps: state.steps },
        entries,
        release,
      }),
    );
    return { type: 'recorded', at: Date.now(), key, seq, released: release };
  }

  /** Tells the incident how it ended. One that is closed for good reads it in the database. */
  async function report(): Promise<void> {
    const { plan, status, reason } = driver.state;
    if (!plan?.incident) return;
    try {
      await getExternalWorkflowHandle(incidentWorkflowId(orgId, plan.incident.number)).signal(
        executionReported,
        {
          executionId,
          runbook: plan.runbook,
          status,
          ...(reason === null ? {} : { reason }),
        },
      );
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }

  /** Folds what a person did; answers once it can be read. */
  async function accept(event: ExecutionEvent): Promise<Accepted> {
    driver.apply(event);
    const { seq } = driver.state;
    await driver.until((state) => state.recordedSeq >= seq);
    return { seq, status: driver.state.status };
  }

  const vote = (decision: 'approve' | 'reject') => (args: { actor: Actor; reason?: string }) =>
    accept({
      type: 'voted',
      at: Date.now(),
      person: args.actor.name,
      via: args.actor.via,
      decision,
      reason: args.reason ?? null,
    });
  const validator = ({ actor }: { actor: Actor }) => refuseVote(driver.state, actor);
  setHandler(approve, vote('approve'), { validator });
  setHandler(reject, vote('reject'), { validator });
  const operator = (decision: 'approve' | 'reject') => (args?: { reason?: string }) =>
    driver.apply({
      type: 'voted',
      at: Date.now(),
      person: temporalOperator,
      via: 'temporal',
      decision,
      reason: args?.reason ?? null,
    });
  setHandler(approveSignal, operator('approve'));
  setHandler(rejectSignal, operator('reject'));
  setHandler(incidentResolved, () =>
    driver.apply({ type: 'withdrawn', at: Date.now(), reason: 'the incident was resolved' }),
  );
  setHandler(
    cancelExecution,
    ({ actor, reason }) =>
      accept({ type: 'cancelled', at: Date.now(), by: actor.name, reason: reason ?? null }),
    {
      validator: (_: { actor: Actor }) => {
        const { state } = driver;
        if (state.cancelled) refuse(`already ${state.reason}`);
        if (state.phase === 'undoing') refuse('it is being rolled back already');
        if (state.phase === 'finishing') refuse(`it has ended: ${state.status.replaceAll('_', ' ')}`);
      },
    },
  );

  if ((await driver.run()) === 'renew') await continueAsNew<typeof execution>(input, carryOver(driver.state));
}

function refuseVote(state: ExecutionState, actor: Actor): void {
  const { approval } = state;
  if (!approval) refuse('it does not ask for approval');
  if (!approvalPending(state)) {
    refuse(`already ${approval.status}${approval.reason ? `: ${approval.reason}` : ''}`);
  }
  if (approval.votes.some((vote) => vote.person === actor.name)) refuse(`${actor.name} has voted already`);
}

/** The activity began, and nobody knows how far it came: its worker died or did not answer in time. */
function outcomeUnknown(error: unknown): boolean {
  return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
}

function failureText(error: unknown): string {
  if (outcomeUnknown(error)) return 'nobody knows how it ended: the process that ran it was lost';
  return reasonOf(error);
}

function refuse(reason: string): never {
  throw ApplicationFailure.nonRetryable(reason, refusedType);
}
