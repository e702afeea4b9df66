import {
  ApplicationFailure,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import type { AnnounceActivities } from '../activities/announce.ts';
import type { ExecutionActivities } from '../activities/execution.ts';
import type { NotifyActivities } from '../activities/notify.ts';
import { applyEvent } from '../domain/execution/apply-event.ts';
import { refusalOfVote } from '../domain/execution/approval.ts';
import type { ExecutionEvent } from '../domain/execution/events.ts';
import { nextDeadline } from '../domain/execution/next-deadline.ts';
import { type ExecutionMove, executionOver, nextMoves } from '../domain/execution/next-moves.ts';
import { planOf } from '../domain/execution/plan.ts';
import { carryOver, type ExecutionState, newExecutionState } from '../domain/execution/state.ts';
import { refusalOfDecision } from '../domain/execution/undo.ts';
import { expireApproval } from '../domain/execution/votes.ts';
import { createDriver, ownScope, reasonOf } from './drive.ts';
import { takeTurns } from './in-turn.ts';
import {
  type Accepted,
  type Actor,
  approve,
  approveSignal,
  cancelExecution,
  decideUndo,
  type ExecutionInput,
  executionReported,
  executionWorkflowId,
  incidentResolved,
  incidentWorkflowId,
  notificationTaskQueue,
  refusedType,
  reject,
  rejectSignal,
  targetFreed,
  temporalOperator,
  type VoteArgs,
} from './messages.ts';
import { attemptStep, attemptUndo, endOf } from './step-attempt.ts';

const { loadExecutionPlan, admitExecution, lockTarget, recordExecution, announce } = proxyLocalActivities<
  ExecutionActivities & AnnounceActivities
>({
  startToCloseTimeout: '20s',
  localRetryThreshold: '1m',
  retry: { initialInterval: '200ms', maximumInterval: '30s' },
});
const { notify } = proxyActivities<NotifyActivities>({
  taskQueue: notificationTaskQueue,
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '5m', maximumAttempts: 200 },
});

/** What a step has to tell is told within minutes, or the step has failed. */
const messageActivity = proxyActivities<NotifyActivities>({
  taskQueue: notificationTaskQueue,
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 8 },
});

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

  const patience = () => driver.state.plan?.runnerPatienceMs ?? 0;

  async function perform(move: ExecutionMove): Promise<ExecutionEvent> {
    const { key } = move;
    switch (move.kind) {
      case 'load':
        return {
          type: 'loaded',
          at: Date.now(),
          key,
          plan: planOf(await inTurn(() => loadExecutionPlan(input))),
        };
      case 'admit': {
        const refusal = await inTurn(() => admitExecution(input));
        return refusal === null
          ? { type: 'admitted', at: Date.now(), key }
          : { type: 'refused', at: Date.now(), key, reason: refusal };
      }
      case 'lock': {
        const answer = await inTurn(() => lockTarget(input));
        const at = Date.now();
        if (answer === null) return { type: 'lock_acquired', at, key };
        if ('refusal' in answer) return { type: 'refused', at, key, reason: answer.refusal };
        return { type: 'lock_busy', at, key, ...answer };
      }
      case 'step':
        return await steps.run(() => attemptStep({ orgId, executionId, patienceMs: patience() }, move));
      case 'undo':
        return await attemptUndo({ orgId, executionId, patienceMs: patience() }, move);
      case 'message':
        return await sendMessage(move);
      case 'notice': {
        const { type, target, detail, approvalId, cause } = move.notice;
        await notify({
          orgId,
          key: `execution:${executionId}:${key}`,
          type,
          executionId,
          target,
          detail,
          ...aboutIncident(),
          ...(approvalId === undefined ? {} : { approvalId }),
          ...(cause === undefined ? {} : { cause }),
        });
        return { type: 'notice_sent', at: Date.now(), key };
      }
      case 'announce': {
        const { trigger, occurrence, at } = move.announcement;
        const { notices } = await inTurn(() => announce({ ...input, trigger, occurrence, at }));
        return { type: 'announced', at: Date.now(), key, notices };
      }
      case 'record':
        return await record(key);
      case 'report':
        await report();
        return { type: 'reported', at: Date.now(), key };
    }
  }

  /** A step that tells people something: it has succeeded when each of them was told. */
  async function sendMessage({ key, index }: Extract<ExecutionMove, { kind: 'message' }>) {
    const { plan } = driver.state;
    const work = plan?.steps[index]?.work;
    const ended = endOf(key, index);
    if (!plan || work?.kind !== 'notify') return ended('failed', 'it has nothing to tell');
    const targets = work.targets.length > 0 ? work.targets : (plan.levels[0] ?? []);
    if (targets.length === 0)
      return ended('failed', 'nobody is named and no escalation policy says whom to tell');
    try {
      await steps.run(() =>
        Promise.all(
          targets.map((target, n) =>
            messageActivity.notify({
              orgId,
              key: `execution:${executionId}:message:${index}:${n}`,
              type: 'execution.message',
              executionId,
              target,
              detail: { message: work.message },
              ...aboutIncident(),
            }),
          ),
        ),
      );
      return ended('succeeded', null);
    } catch (error) {
      return isCancellation(error) ? ended('cancelled', null) : ended('failed', reasonOf(error));
    }
  }

  function aboutIncident(): { incidentId?: string } {
    const { incident } = driver.state.plan ?? {};
    return incident ? { incidentId: incident.id } : {};
  }

  async function record(key: string): Promise<ExecutionEvent> {
    const { state } = driver;
    const { seq, outbox: entries, plan, status, reason, startedAt, finishedAt, approvals } = state;
    const release = state.phase === 'finishing';
    const answer = await inTurn(() =>
      recordExecution({
        orgId,
        executionId,
        seq,
        workflowId: executionWorkflowId(orgId, executionId),
        runbook: plan?.runbook ?? '',
        requestedBy: plan?.requestedBy ?? '',
        incidentId: plan?.incident?.id ?? null,
        standing: {
          status,
          reason,
          startedAt,
          finishedAt,
          approvals,
          steps: state.steps,
          next: nextDeadline(state),
        },
        entries,
        release,
      }),
    );
    if (answer?.next) await tellNext(answer.next);
    return { type: 'recorded', at: Date.now(), key, seq, released: release };
  }

  /** The next execution in the target's queue need not wait until it asks again by itself. */
  async function tellNext(next: string): Promise<void> {
    try {
      await getExternalWorkflowHandle(executionWorkflowId(orgId, next)).signal(targetFreed);
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
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

  const vote = (decision: 'approve' | 'reject') => (args: VoteArgs) =>
    accept({ ...voteOf(args, decision), type: 'voted', at: Date.now() });
  const validator = (decision: 'approve' | 'reject') => (args: VoteArgs) => {
    const { approvalId, ...voter } = voteOf(args, decision);
    const refusal = refusalOfVote(expireApproval(driver.state, Date.now()), approvalId, decision, voter);
    if (refusal !== undefined) refuse(refusal);
  };
  setHandler(approve, vote('approve'), { validator: validator('approve') });
  setHandler(reject, vote('reject'), { validator: validator('reject') });
  const operator = (decision: 'approve' | 'reject') => (args?: { reason?: string }) =>
    driver.apply({
      ...voteOf({ actor: { name: temporalOperator, via: 'temporal' }, ...args }, decision),
      type: 'voted',
      at: Date.now(),
    });
  setHandler(approveSignal, operator('approve'));
  setHandler(rejectSignal, operator('reject'));
  setHandler(targetFreed, () => driver.apply({ type: 'target_freed', at: Date.now() }));
  setHandler(
    decideUndo,
    ({ actor, index, decision, reason }) =>
      accept({
        type: 'undo_decided',
        at: Date.now(),
        index,
        decision,
        by: actor.name,
        reason: reason ?? null,
      }),
    {
      validator: ({ index, decision, reason }) => {
        const refusal = refusalOfDecision(driver.state, index, decision, reason ?? null);
        if (refusal !== undefined) refuse(refusal);
      },
    },
  );
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

function voteOf({ actor, approvalId, reason }: VoteArgs, decision: 'approve' | 'reject') {
  return {
    approvalId: approvalId ?? null,
    person: actor.name,
    via: actor.via,
    role: actor.role ?? null,
    teams: actor.teams ?? [],
    decision,
    reason: reason ?? null,
  };
}

function refuse(reason: string): never {
  throw ApplicationFailure.nonRetryable(reason, refusedType);
}
