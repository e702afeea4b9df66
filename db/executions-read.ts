import { sql } from 'kysely';
import type { ExecutionStatus, StepStatus } from '../domain/incident-status.ts';
import { type ApprovalRecord, approvalsOfExecution, shownInputs } from './approvals.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import type { Tx } from './database.ts';

export interface ExecutionSummary {
  id: string;
  teamId: string | null;
  runbook: string;
  runbookVersion: number;
  incidentNumber: number | null;
  requestedBy: string;
  mode: 'manual' | 'semi_auto' | 'auto';
  target: string;
  status: ExecutionStatus;
  statusReason: string | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

export interface ExecutionDetail extends ExecutionSummary {
  /** The values of secret inputs are masked. */
  inputs: Record<string, string>;
  steps: ExecutionStep[];
  approvals: ApprovalRecord[];
  workflowId: string;
}

export interface ExecutionStep {
  index: number;
  name: string;
  type: string;
  description: string;
  status: StepStatus;
  attempts: number;
  startedAt: Date | null;
  finishedAt: Date | null;
  output: string;
  error: string | null;
  /** Null where the step has nothing to undo it with. */
  rollback: {
    description: string;
    /** Null until the step has begun and its undo is registered. */
    status: 'registered' | 'running' | 'succeeded' | 'failed' | null;
    attempts: number;
    startedAt: Date | null;
    finishedAt: Date | null;
    output: string;
    error: string | null;
  } | null;
}

/** Newest first. Throws InvalidCursorError. */
export async function listExecutions(
  tx: Tx,
  args: { runbook?: string; status?: readonly ExecutionStatus[]; cursor?: string; limit: number },
): Promise<Page<ExecutionSummary>> {
  let query = summaries(tx).select(sql<string>`executions.created_at::text`.as('exactAt'));
  if (args.runbook !== undefined) query = query.where('executions.runbook', '=', args.runbook);
  if (args.status) query = query.where('executions.status', 'in', args.status);
  if (args.cursor !== undefined) {
    const [at, id] = decodeCursor(args.cursor, ['instant', 'uuid']);
    query = query.where((eb) =>
      eb(
        eb.refTuple('executions.created_at', 'executions.id'),
        '<',
        eb.tuple(sql<Date>`${at}::timestamptz`, sql<string>`${id}::uuid`),
      ),
    );
  }
  const rows = await query
    .orderBy('executions.created_at', 'desc')
    .orderBy('executions.id', 'desc')
    .limit(args.limit + 1)
    .execute();
  const page = toPage(rows, args.limit, (last) => encodeCursor(last.exactAt, last.id));
  return { ...page, items: page.items.map(({ exactAt: _, ...item }) => item) };
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
    .select([shownInputs, 'executions.workflow_id as workflowId'])
    .where('executions.id', '=', id)
    .executeTakeFirst();
  if (!execution) return undefined;
  return { ...execution, steps: await listSteps(tx, id), approvals: await approvalsOfExecution(tx, id) };
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
      'executions.status',
      'executions.status_reason as statusReason',
      'executions.created_at as createdAt',
      'executions.started_at as startedAt',
      'executions.finished_at as finishedAt',
    ]);
}

async function listSteps(tx: Tx, executionId: string): Promise<ExecutionStep[]> {
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
    description: row.description,
    status: row.status,
    attempts: row.attempts,
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
            attempts: row.rollback_attempts,
            startedAt: row.rollback_started_at,
            finishedAt: row.rollback_finished_at,
            output: row.rollback_output,
            error: row.rollback_error,
          },
  }));
}
