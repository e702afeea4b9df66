import { sql } from 'kysely';
import type { ExecutionPlan } from '../domain/execution/state.ts';
import type { RunbookDefinition } from '../domain/runbook/definition.ts';
import { describeSteps } from '../domain/runbook/describe.ts';
import { resolveInputs, targetOf } from '../domain/runbook/inputs.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { getEscalationPolicy } from './policies.ts';

/** The execution cannot be made as asked; `problems` say what is wrong and the remedy. */
export class ExecutionRefusedError extends Error {
  override name = 'ExecutionRefusedError';
  readonly problems: string[];
  constructor(problems: string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/** Targets are locked by name, in an index, which takes no text of any length. */
const targetLimit = 500;

/**
 * Writes down an execution with its steps before anything runs; its workflow is started afterwards, by whoever
 * asked or by the reconciler. The same `id` twice is the same execution. Throws ExecutionRefusedError.
 */
export async function createExecution(
  tx: Tx,
  args: {
    orgId: string;
    id: string;
    runbook: string;
    workflowId: string;
    requestedBy: string;
    incidentId?: string;
    /** The alert whose labels give values to inputs; without it, any alert of the incident. */
    alertId?: number;
    given?: Record<string, string>;
  },
): Promise<{ target: string; mode: string }> {
  const runbook = await tx
    .selectFrom('runbooks')
    .select(['version', 'definition', 'team_id'])
    .where('name', '=', args.runbook)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (!runbook) throw new ExecutionRefusedError([`there is no runbook '${args.runbook}'`]);
  // written by saveRunbook from a validated definition
  const definition = runbook.definition as unknown as RunbookDefinition;
  const subject = args.incidentId ? await subjectOf(tx, args.incidentId, args.alertId) : null;
  const resolved = resolveInputs(definition, {
    given: args.given ?? {},
    labels: subject?.labels ?? {},
    service: subject?.service ?? null,
  });
  if ('problems' in resolved) throw new ExecutionRefusedError(resolved.problems);
  const target = targetOf(definition, resolved.values, subject?.service ?? null);
  if (target.length > targetLimit) {
    throw new ExecutionRefusedError([
      `its target has ${target.length} characters, of at most ${targetLimit}`,
    ]);
  }
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('executions')
    .values({
      org_id: args.orgId,
      id: args.id,
      team_id: runbook.team_id ?? subject?.team_id ?? null,
      runbook: args.runbook,
      runbook_version: runbook.version,
      incident_id: args.incidentId ?? null,
      requested_by: args.requestedBy,
      mode: definition.execution.mode,
      target,
      inputs: JSON.stringify(resolved.values),
      status: 'waiting',
      workflow_id: args.workflowId,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows) {
    await tx
      .insertInto('execution_steps')
      .values(
        describeSteps(definition, resolved.values).map((step, index) => ({
          org_id: args.orgId,
          execution_id: args.id,
          index,
          name: step.name,
          type: step.type,
          description: step.description,
          status: 'pending' as const,
          rollback_description: step.rollback ?? null,
        })),
      )
      .execute();
    await recordAudit(tx, {
      orgId: args.orgId,
      actor: args.requestedBy,
      action: 'execution.requested',
      subject: `execution:${args.id}`,
      data: { runbook: args.runbook, version: runbook.version, target },
    });
  }
  return { target, mode: definition.execution.mode };
}

export async function executionExists(tx: Tx, id: string): Promise<boolean> {
  const row = await tx.selectFrom('executions').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}

async function subjectOf(tx: Tx, incidentId: string, alertId: number | undefined) {
  const { rows } = await sql<{
    labels: Record<string, string>;
    service: string | null;
    team_id: string | null;
  }>`
    select a.labels, coalesce(a.service, i.service) as service, i.team_id
    from incidents i join alerts a on a.incident_id = i.id
    where i.id = ${incidentId} and (${alertId ?? null}::bigint is null or a.id = ${alertId ?? null}::bigint)
    order by a.id limit 1`.execute(tx);
  return rows[0] ?? null;
}

/** What the execution's workflow goes by: the pinned version of its runbook, and whom it concerns. */
export async function loadExecutionPlan(
  tx: Tx,
  executionId: string,
): Promise<Omit<ExecutionPlan, 'approveBySignal'>> {
  const row = await tx
    .selectFrom('executions as e')
    .innerJoin('runbook_versions as v', (join) =>
      join.onRef('v.name', '=', 'e.runbook').onRef('v.version', '=', 'e.runbook_version'),
    )
    .leftJoin('incidents as i', 'i.id', 'e.incident_id')
    .select([
      'e.runbook',
      'e.mode',
      'e.target',
      'e.requested_by',
      'e.incident_id',
      'i.number',
      'i.escalation_policy',
    ])
    .select('v.definition')
    .where('e.id', '=', executionId)
    .executeTakeFirst();
  if (!row) throw new Error(`there is no execution ${executionId} with its runbook's version`);
  const definition = row.definition as unknown as RunbookDefinition;
  const policy =
    (row.escalation_policy ? await getEscalationPolicy(tx, row.escalation_policy) : undefined) ??
    (await getEscalationPolicy(tx, 'default'));
  return {
    runbook: row.runbook,
    mode: row.mode,
    target: row.target,
    requestedBy: row.requested_by,
    incident: row.incident_id && row.number !== null ? { id: row.incident_id, number: row.number } : null,
    approvers: policy?.definition.levels[0]?.targets ?? [],
    // one approval before the start: it shares the execution's id
    approvalId: executionId,
    approvalsNeeded: definition.execution.approvalsNeeded,
    approvalTimeoutMs: definition.execution.approvalTimeoutMs,
    steps: definition.steps.map((step) => ({
      name: step.name,
      timeoutMs: step.timeoutMs,
      retries: step.retries,
      retryDelayMs: step.retryDelayMs,
      continueOnFail: step.continueOnFail,
      idempotent: step.idempotent,
      undoTimeoutMs: step.rollback?.timeoutMs ?? null,
    })),
  };
}

/** Whether the runbook's own limits let this execution begin now; if not, which rule and until when. */
export async function admitExecution(
  tx: Tx,
  args: { orgId: string; executionId: string },
): Promise<{ admitted: true } | { admitted: false; reason: string }> {
  const execution = await tx
    .selectFrom('executions')
    .select(['runbook', 'target', 'created_at'])
    .where('id', '=', args.executionId)
    .executeTakeFirstOrThrow();
  await sql`select pg_advisory_xact_lock(hashtextextended(${`admit:${args.orgId}:${execution.runbook}`}, 0))`.execute(
    tx,
  );
  const { rows } = await sql<{
    max_per_hour: number;
    cooldown_ms: number;
    recent: number;
    oldest: Date | null;
    last_end: Date | null;
    now: Date;
  }>`
    select (v.definition->'execution'->>'maxPerHour')::int as max_per_hour,
      (v.definition->'execution'->>'cooldownMs')::bigint as cooldown_ms,
      now() as now,
      r.recent, r.oldest, l.last_end
    from executions e
    join runbook_versions v on v.name = e.runbook and v.version = e.runbook_version,
    lateral (
      select count(*) as recent, min(o.created_at) as oldest
      from executions o
      where o.runbook = e.runbook and o.id <> e.id and o.created_at > now() - interval '1 hour'
        and o.created_at <= e.created_at and not (o.status = 'cancelled' and o.started_at is null)
    ) r,
    lateral (
      -- a cooldown may be longer than an hour, and what was asked for long ago may have ended just now
      select max(o.finished_at) as last_end
      from executions o
      where o.runbook = e.runbook and o.target = e.target and o.id <> e.id and o.started_at is not null
        and o.created_at > now() - interval '1 day' * 30
    ) l
    where e.id = ${args.executionId}`.execute(tx);
  const limits = rows[0];
  if (!limits) throw new Error(`there is no execution ${args.executionId} with its runbook's version`);
  if (limits.recent >= limits.max_per_hour && limits.oldest) {
    const until = new Date(limits.oldest.getTime() + 3_600_000).toISOString();
    return {
      admitted: false,
      reason: `max_per_hour: ${limits.recent} of ${limits.max_per_hour} executions in the last hour; possible again at ${until}`,
    };
  }
  if (limits.last_end && limits.last_end.getTime() + limits.cooldown_ms > limits.now.getTime()) {
    const until = new Date(limits.last_end.getTime() + limits.cooldown_ms).toISOString();
    return {
      admitted: false,
      reason: `cooldown: ${execution.runbook} worked on ${execution.target} just before; possible again at ${until}`,
    };
  }
  return { admitted: true };
}

/**
 * One remediation per target at a time. Asking again while holding it is fine. A lock that was left behind by an
 * execution that has ended holds nobody up.
 */
export async function lockTarget(
  tx: Tx,
  args: { orgId: string; executionId: string },
): Promise<{ acquired: true } | { acquired: false; heldBy: string }> {
  const { rows } = await sql<{ execution_id: string }>`
    with wanted as (select org_id, target, id from executions where id = ${args.executionId}),
    taken as (
      insert into target_locks (org_id, target, execution_id) select org_id, target, id from wanted
      on conflict (org_id, target) do update set execution_id = excluded.execution_id, acquired_at = now()
        where exists (
          select 1 from executions e where e.id = target_locks.execution_id and e.finished_at is not null)
      returning execution_id
    )
    select execution_id from taken
    union all
    select l.execution_id from target_locks l join wanted w on w.target = l.target and w.org_id = l.org_id
    limit 1`.execute(tx);
  const holder = rows[0]?.execution_id;
  if (holder === args.executionId) return { acquired: true };
  return { acquired: false, heldBy: holder ?? 'another' };
}
