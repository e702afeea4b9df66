import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowClient } from '@temporalio/client';
import {
  defineSearchAttributeKey,
  type UpdateDefinition,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import type { ContactMethod } from '../domain/contact-rules.ts';
import type { DryRunInput, Finding } from '../domain/dry-run.ts';
import type { IncidentStatus } from '../domain/incident-status.ts';
import type { ReportSpan } from '../domain/reports/period.ts';
import type { SloState } from '../domain/slo/evaluate.ts';
import type { Slo } from '../domain/slo/slo.ts';
import {
  type Accepted,
  type Actor,
  acknowledge,
  addNote,
  approve,
  assign,
  type BreachExplained,
  type CauseJudgement,
  type ChangeJudgement,
  type ChannelPreviewInput,
  type ChannelPreviewOutcome,
  type ChannelProbeInput,
  type ChannelProbeOutcome,
  type ChannelTestInput,
  type ChannelTestOutcome,
  type ContactTestInput,
  cancelExecution,
  contactTestKey,
  decideUndo,
  type ExecutionInput,
  executionWorkflowId,
  explainBreach,
  incidentWorkflowId,
  judgeCause,
  judgeChange,
  type RegroupArgs,
  type Regrouped,
  type ReportInput,
  reapplyPolicy,
  regroup,
  reject,
  resolve,
  type Seen,
  type SloPreviewInput,
  searchAttributeNames,
  setStatus,
  snooze,
  taskQueue,
  type UndoDecisionArgs,
  type VoteArgs,
  workflowTypes,
} from './messages.ts';
import { isBusy, meaningOf } from './messages-errors.ts';

export { ClosedError, RefusedError, TemporalUnavailableError, unlessClosed } from './messages-errors.ts';

/** What people say to running workflows, and what comes of it. */

interface Command {
  actor: Actor;
  /**
   * `recordedSeq` of the incident as the person saw it. The same person doing the same as of the same state
   * is one act, however often it is sent; after the state has changed it is another act.
   */
  asOf: number;
}

export interface MessageClient {
  acknowledge(orgId: string, number: number, args: Command & Seen & { note?: string }): Promise<Accepted>;
  resolve(
    orgId: string,
    number: number,
    args: Command & Seen & { note?: string; falsePositive?: boolean },
  ): Promise<Accepted>;
  assign(orgId: string, number: number, args: Command & { to: string }): Promise<Accepted>;
  /** `key` names a note that was written elsewhere: however often and as of whatever it is sent, it is one. */
  addNote(orgId: string, number: number, args: Command & { text: string; key?: string }): Promise<Accepted>;
  /** `until` is ISO 8601. */
  snooze(orgId: string, number: number, args: Command & Seen & { until: string }): Promise<Accepted>;
  /** Escalation goes by the policies as they are now, instead of those of the opening. */
  reapplyPolicy(orgId: string, number: number, args: Command): Promise<Accepted>;
  setStatus(orgId: string, number: number, args: Command & { status: IncidentStatus }): Promise<Accepted>;
  /**
   * Moves alerts, by their ids, into another incident (`into`: its number; null: a new one); `alertIds: null` moves
   * all of them, which merges this incident into the other. Answers once they are there.
   */
  regroup(orgId: string, number: number, args: Command & RegroupArgs): Promise<Regrouped>;
  judgeCause(orgId: string, number: number, args: Command & CauseJudgement): Promise<Accepted>;
  judgeChange(orgId: string, number: number, args: Command & ChangeJudgement): Promise<Accepted>;
  /** Throws RefusedError for a clock that was not breached. */
  explainBreach(orgId: string, number: number, args: Command & BreachExplained): Promise<Accepted>;
  approve(orgId: string, executionId: string, args: VoteArgs): Promise<Accepted>;
  reject(orgId: string, executionId: string, args: VoteArgs): Promise<Accepted>;
  cancel(orgId: string, executionId: string, args: { actor: Actor; reason?: string }): Promise<Accepted>;
  /** `asOf`: attempts of the undo as the person saw them; the same decision on the same failure is one act. */
  decideUndo(
    orgId: string,
    executionId: string,
    args: UndoDecisionArgs & { asOf: number },
  ): Promise<Accepted>;
  /** Starts the workflow of an execution that was created in the database; started already is well, too. */
  startExecution(orgId: string, executionId: string): Promise<void>;
  /**
   * Makes and sends a report now. `requestedBy` is who asked; `of` is for SLA reports: without `teamId` the
   * organization's, and those of teams. Returns the id of the workflow.
   */
  startReport(
    orgId: string,
    kind: 'sla' | 'capacity',
    requestedBy: string,
    of?: { span: ReportSpan; teamId?: string },
  ): Promise<{ workflowId: string }>;
  /** Sends a test message to a person by each of these ways. Returns the messages' keys, in the order of `methods`. */
  testContact(
    orgId: string,
    args: { email: string; methods: ContactMethod[]; requestedBy: string },
  ): Promise<{ keys: string[] }>;
  /** Sends a test through a notification channel; answers when it has arrived, or failed. */
  testChannel(orgId: string, args: { channel: string; requestedBy: string }): Promise<ChannelTestOutcome>;
  /** Whether a notification channel would take messages, as far as that shows without sending one. */
  probeChannel(orgId: string, channel: string): Promise<ChannelProbeOutcome>;
  /** What would be sent through a notification channel. */
  previewChannel(orgId: string, args: Omit<ChannelPreviewInput, 'orgId'>): Promise<ChannelPreviewOutcome>;
  /** What each check found, in their order; takes as long as the slowest, at most half a minute. */
  dryRun(orgId: string, checks: DryRunInput['checks']): Promise<Finding[][]>;
  /** What an objective as edited would be now; asks Prometheus, at most some 25 s. */
  previewSlo(orgId: string, definition: Slo): Promise<SloState>;
  /** Answers when Temporal does. Throws TemporalUnavailableError. */
  probe(): Promise<void>;
}

export interface MessageClientOptions {
  /** Milliseconds to wait for an answer, all attempts together. */
  deadlineMs?: number;
  /** Milliseconds before the first repeat when the workflow has too much to answer at once; then doubled. */
  firstBackoffMs?: number;
}

/** What a workflow is asked takes at most: a dry run up to 22 s (workflows/dry-run.ts), and a worker a moment to begin. */
const askedMs = 30_000;

const orgAttribute = defineSearchAttributeKey(searchAttributeNames.org, 'KEYWORD');

/** Every method throws RefusedError, ClosedError or TemporalUnavailableError. */
export function createMessageClient(
  client: WorkflowClient,
  options: MessageClientOptions = {},
): MessageClient {
  const deadlineMs = options.deadlineMs ?? 10_000;
  const firstBackoffMs = options.firstBackoffMs ?? 50;

  async function update<A, Answer extends Accepted>(
    workflowId: string,
    definition: UpdateDefinition<Answer, [A]>,
    args: A,
    subject: (string | number)[],
  ): Promise<Answer> {
    const updateId = updateIdOf(definition.name, subject);
    return await untilAnswered(deadlineMs, firstBackoffMs, (deadline) =>
      client.withDeadline(deadline, () =>
        client
          .getHandle(workflowId)
          .executeUpdate<Answer, [A]>(definition, { args: [args] as [A], updateId }),
      ),
    );
  }

  async function tell<A extends { actor: Actor }, Answer extends Accepted>(
    orgId: string,
    number: number,
    definition: UpdateDefinition<Answer, [A]>,
    { asOf, ...args }: A & { asOf: number },
    ...subject: string[]
  ): Promise<Answer> {
    const workflowId = incidentWorkflowId(orgId, number);
    return await update(workflowId, definition, args as unknown as A, [args.actor.name, asOf, ...subject]);
  }

  /** As `tell`, of what the workflow refuses when it has begun anew since the person saw it. */
  async function tellAsSeen<A extends Seen & { actor: Actor }>(
    orgId: string,
    number: number,
    definition: UpdateDefinition<Accepted, [A]>,
    args: A & { asOf: number },
    ...subject: string[]
  ): Promise<Accepted> {
    const seen = [args.actor.name, args.asOf, ...subject];
    return await update(incidentWorkflowId(orgId, number), definition, args as A, seen);
  }

  async function vote(
    orgId: string,
    executionId: string,
    definition: UpdateDefinition<Accepted, [VoteArgs]>,
    args: VoteArgs,
  ): Promise<Accepted> {
    const subject = [args.actor.name, ...(args.approvalId === undefined ? [] : [args.approvalId])];
    return await update(executionWorkflowId(orgId, executionId), definition, args, subject);
  }

  async function start(
    workflowType: string,
    workflowId: string,
    input: ExecutionInput | ReportInput | ContactTestInput,
  ) {
    try {
      await untilAnswered(deadlineMs, firstBackoffMs, (deadline) =>
        client.withDeadline(deadline, () =>
          client.start(workflowType, {
            workflowId,
            taskQueue,
            args: [input],
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            typedSearchAttributes: [{ key: orgAttribute, value: input.orgId }],
          }),
        ),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  /** Runs a workflow that somebody waits for. */
  async function ask<Input extends { orgId: string }, Answer>(
    workflowType: string,
    workflowId: string,
    input: Input,
  ): Promise<Answer> {
    return await untilAnswered(askedMs, firstBackoffMs, (deadline) =>
      client.withDeadline(deadline, () =>
        client.execute<(input: Input) => Promise<Answer>>(workflowType, {
          workflowId,
          taskQueue,
          args: [input],
          workflowExecutionTimeout: askedMs,
          typedSearchAttributes: [{ key: orgAttribute, value: input.orgId }],
        }),
      ),
    );
  }

  return {
    acknowledge: (orgId, number, args) => tellAsSeen(orgId, number, acknowledge, args),
    resolve: (orgId, number, args) =>
      tellAsSeen(orgId, number, resolve, args, String(args.falsePositive ?? false)),
    assign: (orgId, number, args) => tell(orgId, number, assign, args, args.to),
    addNote: (orgId, number, { key, ...args }) =>
      tell(orgId, number, addNote, key === undefined ? args : { ...args, asOf: 0 }, key ?? args.text),
    snooze: (orgId, number, args) => tellAsSeen(orgId, number, snooze, args, args.until),
    reapplyPolicy: (orgId, number, args) => tell(orgId, number, reapplyPolicy, args),
    setStatus: (orgId, number, args) => tell(orgId, number, setStatus, args, args.status),
    regroup: (orgId, number, args) =>
      tell(orgId, number, regroup, args, JSON.stringify([args.alertIds?.toSorted(ascending), args.into])),
    judgeCause: (orgId, number, args) => tell(orgId, number, judgeCause, args, args.service),
    explainBreach: (orgId, number, args) =>
      tell(orgId, number, explainBreach, args, args.clock, args.reason, args.note ?? ''),
    judgeChange: (orgId, number, args) =>
      tell(orgId, number, judgeChange, args, String(args.changeId), args.verdict),
    approve: (orgId, executionId, args) => vote(orgId, executionId, approve, args),
    reject: (orgId, executionId, args) => vote(orgId, executionId, reject, args),
    cancel: (orgId, executionId, args) => vote(orgId, executionId, cancelExecution, args),
    decideUndo: (orgId, executionId, { asOf, ...args }) =>
      update(executionWorkflowId(orgId, executionId), decideUndo, args, [
        args.actor.name,
        args.index,
        args.decision,
        asOf,
      ]),
    startExecution: (orgId, executionId) =>
      start(workflowTypes.execution, executionWorkflowId(orgId, executionId), { orgId, executionId }),
    startReport: async (orgId, kind, requestedBy, of) => {
      const workflowId = `report:${orgId}:${kind}:${randomUUID()}`;
      const type = kind === 'sla' ? workflowTypes.slaReport : workflowTypes.capacityReport;
      await start(type, workflowId, { orgId, requestedBy, ...of });
      return { workflowId };
    },
    testContact: async (orgId, { email, methods, requestedBy }) => {
      const key = `contact-test:${randomUUID()}`;
      await start(workflowTypes.contactTest, `${key}:${orgId}`, { orgId, key, email, methods, requestedBy });
      return { keys: methods.map((_, index) => contactTestKey(key, index)) };
    },
    testChannel: async (orgId, { channel, requestedBy }) => {
      const key = `channel-test:${randomUUID()}`;
      const input: ChannelTestInput = { orgId, key, channel, requestedBy };
      return await ask<ChannelTestInput, ChannelTestOutcome>(
        workflowTypes.channelTest,
        `${key}:${orgId}`,
        input,
      );
    },
    probeChannel: async (orgId, channel) => {
      const workflowId = `channel-probe:${orgId}:${randomUUID()}`;
      const input: ChannelProbeInput = { orgId, channel };
      return await ask<ChannelProbeInput, ChannelProbeOutcome>(workflowTypes.channelProbe, workflowId, input);
    },
    previewChannel: async (orgId, args) => {
      const workflowId = `channel-preview:${orgId}:${randomUUID()}`;
      const input: ChannelPreviewInput = { orgId, ...args };
      return await ask<ChannelPreviewInput, ChannelPreviewOutcome>(
        workflowTypes.channelPreview,
        workflowId,
        input,
      );
    },
    dryRun: async (orgId, checks) => {
      if (checks.length === 0) return [];
      const input: DryRunInput = { orgId, checks };
      return await ask<DryRunInput, Finding[][]>(
        workflowTypes.dryRun,
        `dry-run:${orgId}:${randomUUID()}`,
        input,
      );
    },
    previewSlo: async (orgId, definition) => {
      const input: SloPreviewInput = { orgId, definition };
      return await ask<SloPreviewInput, SloState>(
        workflowTypes.sloPreview,
        `slo-preview:${orgId}:${randomUUID()}`,
        input,
      );
    },
    probe: async () => {
      await untilAnswered(Math.min(deadlineMs, 2000), firstBackoffMs, (deadline) =>
        client.withDeadline(deadline, () => client.workflowService.getSystemInfo({})),
      );
    },
  };
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** The same act gets the same id, and nobody's name is readable in it. */
function updateIdOf(action: string, subject: (string | number)[]): string {
  const digest = createHash('sha256').update(JSON.stringify(subject)).digest('base64url');
  return `${action}:${digest.slice(0, 32)}`;
}

/** A run takes 10 updates at once; the eleventh is asked again, until the deadline. */
async function untilAnswered<T>(
  deadlineMs: number,
  firstBackoffMs: number,
  ask: (deadline: number) => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (let backoff = firstBackoffMs; ; backoff *= 2) {
    try {
      return await ask(deadline);
    } catch (error) {
      if (!isBusy(error) || Date.now() + backoff >= deadline) throw meaningOf(error);
      await delay(backoff);
    }
  }
}
