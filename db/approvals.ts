import { sql } from 'kysely';
import type { ApprovalStatus } from '../domain/incident-status.ts';
import type { Role } from '../domain/roles.ts';
import { masked } from '../domain/runbook/secret.ts';
import type { Severity } from '../domain/severity.ts';
import type { Page } from './cursor.ts';
import type { Tx } from './database.ts';
import { newestByMoment } from './newest-page.ts';

export interface ApprovalRecord {
  id: string;
  teamId: string | null;
  executionId: string;
  runbook: string;
  /** What the runbook acts on. */
  target: string;
  /** The values of secret inputs are masked. */
  inputs: Record<string, string>;
  incident: { number: number; title: string; severity: Severity; service: string | null } | null;
  requestedBy: string;
  requestedAt: Date;
  expiresAt: Date;
  /** Votes that it takes. */
  required: number;
  status: ApprovalStatus;
  decidedAt: Date | null;
  reason: string | null;
  /** Null: before the first step. */
  stepIndex: number | null;
  /** What the step asks, for the approver; '' before the first step. */
  message: string;
  /** The least role that may vote. */
  role: Role;
  /** Slugs of teams whose members may vote; empty: of any team or none. */
  teams: string[];
  /** Whether the one who asked for the execution may not vote. */
  notRequester: boolean;
  onTimeout: 'expire' | 'escalate';
  /** Levels of the escalation policy that were asked so far. */
  level: number;
  /** Oldest first. */
  votes: ApprovalVote[];
}

export interface ApprovalVote {
  person: string;
  decision: 'approve' | 'reject';
  via: string;
  reason: string | null;
  /** ISO 8601. */
  at: string;
}

/** Newest first. Throws InvalidCursorError. */
export async function listApprovals(
  tx: Tx,
  args: { status?: readonly ApprovalStatus[]; cursor?: string; limit: number },
): Promise<Page<ApprovalRecord>> {
  let query = approvals(tx);
  if (args.status) query = query.where('approvals.status', 'in', args.status);
  const page = await newestByMoment(
    query,
    { at: 'approvals.requested_at', id: 'approvals.id', kind: 'uuid' },
    args,
  );
  return { ...page, items: page.items.map(toRecord) };
}

/** Undefined when there is none of this id (a uuid), or none that this scope sees. */
export async function getApproval(tx: Tx, id: string): Promise<ApprovalRecord | undefined> {
  const row = await approvals(tx).where('approvals.id', '=', id).executeTakeFirst();
  return row && toRecord(row);
}

/** Newest first. */
export async function approvalsOfIncident(tx: Tx, incidentId: string): Promise<ApprovalRecord[]> {
  const rows = await approvals(tx)
    .where('approvals.incident_id', '=', incidentId)
    .orderBy('approvals.requested_at', 'desc')
    .limit(100)
    .execute();
  return rows.map(toRecord);
}

/** Newest first. */
export async function approvalsOfExecution(tx: Tx, executionId: string): Promise<ApprovalRecord[]> {
  const rows = await approvals(tx)
    .where('approvals.execution_id', '=', executionId)
    .orderBy('approvals.requested_at', 'desc')
    .execute();
  return rows.map(toRecord);
}

/** For the count beside 'Approvals' in the pages. */
export async function countPendingApprovals(tx: Tx): Promise<number> {
  const { count } = await tx
    .selectFrom('approvals')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('status', '=', 'pending')
    .executeTakeFirstOrThrow();
  return count;
}

/** The inputs of `executions`, without what the pinned version of the runbook calls secret. */
export const shownInputs = sql<Record<string, string>>`coalesce((
  select jsonb_object_agg(input.key, case
    when coalesce((v.definition #>> array['inputs', input.key, 'secret'])::boolean, false) then ${masked}
    else input.value end)
  from jsonb_each_text(executions.inputs) as input
  left join runbook_versions v on v.org_id = executions.org_id and v.name = executions.runbook
    and v.version = executions.runbook_version), '{}')`.as('inputs');

function approvals(tx: Tx) {
  return tx
    .selectFrom('approvals')
    .innerJoin('executions', 'executions.id', 'approvals.execution_id')
    .leftJoin('incidents', 'incidents.id', 'approvals.incident_id')
    .select([
      'approvals.id',
      'approvals.team_id as teamId',
      'approvals.execution_id as executionId',
      'approvals.runbook',
      'executions.target',
      shownInputs,
      'approvals.requested_by as requestedBy',
      'approvals.requested_at as requestedAt',
      'approvals.expires_at as expiresAt',
      'approvals.required',
      'approvals.status',
      'approvals.decided_at as decidedAt',
      'approvals.reason',
      'approvals.step_index as stepIndex',
      'approvals.message',
      'approvals.role',
      'approvals.teams',
      'approvals.not_requester as notRequester',
      'approvals.on_timeout as onTimeout',
      'approvals.level',
      'incidents.number as incidentNumber',
      'incidents.title as incidentTitle',
      'incidents.severity as incidentSeverity',
      'incidents.service as incidentService',
      sql<ApprovalVote[]>`coalesce((
        select jsonb_agg(jsonb_build_object('person', v.person, 'decision', v.decision, 'via', v.via,
          'reason', v.reason, 'at', to_char(v.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by v.at)
        from approval_votes v where v.approval_id = approvals.id), '[]')`.as('votes'),
    ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof approvals>['executeTakeFirstOrThrow']>>;

function toRecord(row: Row): ApprovalRecord {
  const { incidentNumber, incidentTitle, incidentSeverity, incidentService, ...approval } = row;
  return {
    ...approval,
    incident:
      incidentNumber === null || incidentTitle === null || incidentSeverity === null
        ? null
        : {
            number: incidentNumber,
            title: incidentTitle,
            severity: incidentSeverity,
            service: incidentService,
          },
  };
}
