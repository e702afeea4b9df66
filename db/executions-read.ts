import { sql } from 'kysely';
import type { ExecutionStatus, StepStatus, UndoStatus } from '../domain/incident-status.ts';
import type { LayoutStep, RunbookLayout, StepPart } from '../domain/runbook/layout.ts';
import { type ApprovalRecord, approvalsOfExecution, shownInputs } from './approvals.ts';
import type { Page } from './cursor.ts';
import type { Tx } from './database.ts';
import { type ExecutionStanding, executionStanding } from './execution-standing.ts';
import { newestByMoment } from './newest-page.ts';

export interface ExecutionSummary {
  id: string;
  teamId: string | null;
  runbook: string;
  runbookVersion: number;
  incidentNumber: number | null;
  requestedBy: string;
  mode: 'manual' | 'semi_auto' | 'auto';
  target: string;
  environment: string | null;
  status: ExecutionStatus;
  statusReason: string | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** The execution that this one goes on from. */
  retryOf: string | null;
}

export interface ExecutionDetail extends ExecutionSummary {
  /** The description of its runbook in the version that it runs. */
  purpose: string | null;
  incidentTitle: string | null;
  /** The values of secret inputs are masked. */
  inputs: Record<string, string>;
  steps: ExecutionStep[];
  /** Newest first. */
  approvals: ApprovalRecord[];
  workflowId: string;
  /** Of one that goes on from another: the first step that it may run itself. */
  retryFrom: number | null;
  /** Those that went on from this one, newest first. */
  retries: { id: string; status: ExecutionStatus; createdAt: Date }[];
  standing: ExecutionStanding;
}

export interface ExecutionStep {
  index: number;
  name: string;
  type: string;
  part: StepPart;
  /** The nested runbook that it comes from, and which call of it; null: the runbook that was asked for. */
  nested: { scope: number; runbook: string } | null;
  description: string;
  /** The runner that carries it out; null: Holdfast's own worker. */
  runner: string | null;
  status: StepStatus;
  attempts: number;
  /** How often it is tried before it counts as failed. */
  maxAttempts: number;
  /** Of a step that only waits: how long. */
  waitMs: number | null;
  /** Whether the execution goes on when it fails. */
  mayFail: boolean;
  /** Whether it may be run again when a crash left its outcome unknown. */
  idempotent: boolean;
  /** A crash left open how an attempt of it ended. */
  outcomeUnknown: boolean;
  startedAt: Date | null;
  finishedAt: Date | null;
  output: string;
  error: string | null;
  /** Null where the step has nothing to undo it with. */
  rollback: {
    description: string;
    /** Null until the step has begun and its undo is registered. */
    status: UndoStatus | null;
    runner: string | null;
    attempts: number;
    startedAt: Date | null;
    finishedAt: Date | null;
    output: string;
    error: string | null;
    /** Of one that failed and waited for a person. */
    decision: { decision: 'retry' | 'skip'; by: string; reason: string | null } | null;
  } | null;
}

export interface ExecutionFilter {
  runbook?: string;
  target?: string;
  status?: readonly ExecutionStatus[];
  /** Only those that ask for an approval, or whose undo failed and waits to be decided on. */
  waitsForPerson?: boolean;
}

const waitingForPerson = sql<boolean>`executions.finished_at is null and (
  exists (select from approvals a where a.execution_id = executions.id and a.status = 'pending')
  or exists (select from execution_steps s
    where s.execution_id = executions.id and s.rollback_status = 'waiting'))`;

/** Newest first. Throws InvalidCursorError. */
export async function listExecutions(
  tx: Tx,
  args: ExecutionFilter & { cursor?: string; limit: number },
): Promise<Page<ExecutionSummary>> {
  let query = summaries(tx);
  if (args.runbook !== undefined) query = query.where('executions.runbook', '=', args.runbook);
  if (args.target !== undefined) query = query.where('executions.target', '=', args.target);
  if (args.status) query = query.where('executions.status', 'in', args.status);
  if (args.waitsForPerson) query = query.where(waitingForPerson);
  return await newestByMoment(
    query,
    { at: 'executions.created_at', id: 'executions.id', kind: 'uuid' },
    args,
  );
}

/** How many there are, counted no further than `most`. */
export async function countExecutions(tx: Tx, filter: ExecutionFilter, most: number): Promise<number> {
  let query = tx.selectFrom('executions').select('id');
  if (filter.runbook !== undefined) query = query.where('runbook', '=', filter.runbook);
  if (filter.target !== undefined) query = query.where('target', '=', filter.target);
  if (filter.status) query = query.where('status', 'in', filter.status);
  if (filter.waitsForPerson) query = query.where(waitingForPerson);
  const { count } = await tx
    .selectFrom(query.limit(most).as('counted'))
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

/** Those of them that have an undo which failed, and which a person has to decide on. */
export async function whichWaitForPerson(tx: Tx, executions: ExecutionSummary[]): Promise<Set<string>> {
  const running = executions.filter(({ status }) => status === 'running').map(({ id }) => id);
  if (running.length === 0) return new Set();
  const rows = await tx
    .selectFrom('execution_steps')
    .select('execution_id')
    .distinct()
    .where('execution_id', 'in', running)
    .where('rollback_status', '=', 'waiting')
    .execute();
  return new Set(rows.map((row) => row.execution_id));
}

/** Newest first. */
export async function executionsOfIncident(tx: Tx, incidentId: string): Promise<ExecutionSummary[]> {
  return await summaries(tx)
    .where('executions.incident_id', '=', incidentId)
    .orderBy('executions.created_at', 'desc')
    .limit(100)
    .execute();
}

/** Undefined when there is none of this id (a uuid), or none that this scope sees. */
export async function getExecution(tx: Tx, id: string): Promise<ExecutionDetail | undefined> {
  const execution = await summaries(tx)
    .leftJoin('runbook_versions', (join) =>
      join
        .onRef('runbook_versions.name', '=', 'executions.runbook')
        .onRef('runbook_versions.version', '=', 'executions.runbook_version'),
    )
    .select([
      shownInputs,
      'incidents.title as incidentTitle',
      sql<string | null>`runbook_versions.definition->>'description'`.as('purpose'),
      'executions.workflow_id as workflowId',
      'executions.retry_from as retryFrom',
      'executions.layout',
      'executions.next_at as nextAt',
      'executions.next_what as nextWhat',
    ])
    .where('executions.id', '=', id)
    .executeTakeFirst();
  if (!execution) return undefined;
  const { layout, nextAt, nextWhat, ...detail } = execution;
  const next = nextAt && { at: nextAt, what: nextWhat ?? '' };
  const steps = await listSteps(tx, id, layout);
  return {
    ...detail,
    steps,
    approvals: await approvalsOfExecution(tx, id),
    retries: await retriesOf(tx, id),
    standing: await executionStanding(tx, { ...detail, steps, next }),
  };
}

async function retriesOf(tx: Tx, id: string): Promise<ExecutionDetail['retries']> {
  return await tx
    .selectFrom('executions')
    .select(['id', 'status', 'created_at as createdAt'])
    .where('retry_of', '=', id)
    .orderBy('created_at', 'desc')
    .limit(10)
    .execute();
}

function summaries(tx: Tx) {
  return tx
    .selectFrom('executions')
    .leftJoin('incidents', 'incidents.id', 'executions.incident_id')
    .select([
      'executions.id',
      'executions.team_id as teamId',
      'executions.runbook',
      'executions.runbook_version as runbookVersion',
      'incidents.number as incidentNumber',
      'executions.requested_by as requestedBy',
      'executions.mode',
      'executions.target',
      'executions.environment',
      'executions.status',
      'executions.status_reason as statusReason',
      'executions.created_at as createdAt',
      'executions.started_at as startedAt',
      'executions.finished_at as finishedAt',
      'executions.retry_of as retryOf',
    ]);
}

async function listSteps(
  tx: Tx,
  executionId: string,
  /** Null on rows from before layouts whose runbook's version is gone. */
  layout: RunbookLayout | null,
): Promise<ExecutionStep[]> {
  const rows = await tx
    .selectFrom('execution_steps')
    .selectAll()
    .where('execution_id', '=', executionId)
    .orderBy('index')
    .execute();
  return rows.map((row) => ({
    index: row.index,
    name: row.name,
    type: row.type,
    part: row.part,
    description: row.description,
    runner: row.runner,
    status: row.status,
    attempts: row.attempts,
    ...asLaidOut(layout, row.index),
    outcomeUnknown: row.outcome_unknown,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    output: row.output,
    error: row.error,
    rollback:
      row.rollback_description === null
        ? null
        : {
            description: row.rollback_description,
            status: row.rollback_status,
            runner: layout?.steps[row.index]?.definition.rollback?.runner ?? row.runner,
            attempts: row.rollback_attempts,
            startedAt: row.rollback_started_at,
            finishedAt: row.rollback_finished_at,
            output: row.rollback_output,
            error: row.rollback_error,
            decision:
              row.rollback_decision === null || row.rollback_decided_by === null
                ? null
                : {
                    decision: row.rollback_decision,
                    by: row.rollback_decided_by,
                    reason: row.rollback_decision_reason,
                  },
          },
  }));
}

type LaidOut = Pick<ExecutionStep, 'nested' | 'maxAttempts' | 'waitMs' | 'mayFail' | 'idempotent'>;

function asLaidOut(layout: RunbookLayout | null, index: number): LaidOut {
  const step: LayoutStep | undefined = layout?.steps[index];
  const definition = step?.definition;
  const scope = step && layout?.scopes[step.scope];
  return {
    nested: step && scope && step.scope > 0 ? { scope: step.scope, runbook: scope.runbook } : null,
    maxAttempts: (definition?.retries ?? 0) + 1,
    waitMs: definition?.action.kind === 'wait' ? definition.action.durationMs : null,
    mayFail: definition?.continueOnFail ?? false,
    idempotent: definition?.idempotent ?? false,
  };
}
