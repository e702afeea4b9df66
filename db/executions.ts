import { sql } from 'kysely';
import { isAskedAgain, retryOf } from '../domain/execution/retry.ts';
import type { RunbookDefinition } from '../domain/runbook/definition.ts';
import { describeLayout } from '../domain/runbook/describe.ts';
import { targetOf } from '../domain/runbook/inputs.ts';
import { type CatalogEntry, layOut } from '../domain/runbook/lay-out.ts';
import type { RunbookLayout } from '../domain/runbook/layout.ts';
import { environmentOf } from '../domain/runbook/match.ts';
import { masked } from '../domain/runbook/secret.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { storable } from './storable.ts';

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

/** What is asked for, before it is written down. */
export interface ExecutionRequest {
  runbook: string;
  incidentId?: string;
  /** The alert whose labels give values to inputs; without it, any alert of the incident. */
  alertId?: number;
  given?: Record<string, string>;
  /** Absent: what the alert's label `environment` or `env` says, or where the runbook comes from. */
  environment?: string;
}

/** An execution as it would be made: what a dry run shows and `createExecution` writes. */
export interface PlannedExecution {
  runbook: string;
  version: number;
  definition: RunbookDefinition;
  layout: RunbookLayout;
  target: string;
  environment: string | null;
  teamId: string | null;
}

/** Lays the runbook out with the values that it gets. Writes nothing. Throws ExecutionRefusedError. */
export async function planExecution(tx: Tx, request: ExecutionRequest): Promise<PlannedExecution> {
  const runbook = (await readRunbooks(tx, request.runbook)).get(request.runbook);
  if (!runbook) throw new ExecutionRefusedError([`there is no runbook '${request.runbook}'`]);
  const subject = request.incidentId ? await subjectOf(tx, request.incidentId, request.alertId) : null;
  const labels = subject?.labels ?? {};
  const service = subject?.service ?? null;
  const catalog = await catalogOf(tx, runbook);
  const laid = layOut({ runbook, catalog, sources: { given: request.given ?? {}, labels, service } });
  if ('problems' in laid) throw new ExecutionRefusedError(laid.problems);
  const { definition, version } = runbook;
  const target = targetOf(definition, laid.layout.scopes[0]?.values ?? {}, service);
  if (target.length > targetLimit) {
    throw new ExecutionRefusedError([
      `its target has ${target.length} characters, of at most ${targetLimit}`,
    ]);
  }
  const environment = request.environment ?? environmentOf(labels) ?? (runbook.environment || null);
  return {
    runbook: request.runbook,
    version,
    definition,
    layout: laid.layout,
    target,
    environment,
    teamId: runbook.teamId ?? subject?.teamId ?? null,
  };
}

/**
 * Writes down an execution with its steps before anything runs; its workflow is started afterwards, by whoever
 * asked or by the reconciler. The same `id` twice is the same execution. `retry`: goes on from the failed step of
 * that one, with its layout. Throws ExecutionRefusedError.
 */
export async function createExecution(
  tx: Tx,
  args: ExecutionRequest & {
    orgId: string;
    id: string;
    workflowId: string;
    requestedBy: string;
    retry?: { of: string };
  },
): Promise<{ target: string; mode: string }> {
  const former = args.retry ? await readFormer(tx, args.retry.of) : null;
  const planned = former ?? (await planExecution(tx, args));
  const { definition, layout, target, version } = planned;
  const { mode } = definition.execution;
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('executions')
    .values(
      storable({
        org_id: args.orgId,
        id: args.id,
        team_id: planned.teamId,
        runbook: args.runbook,
        runbook_version: version,
        incident_id: former?.incidentId ?? args.incidentId ?? null,
        alert_id: args.alertId ?? null,
        requested_by: args.requestedBy,
        mode,
        target,
        inputs: JSON.stringify(shownValues(layout)),
        status: 'waiting' as const,
        workflow_id: args.workflowId,
        layout: JSON.stringify(layout),
        environment: planned.environment,
        retry_of: args.retry?.of ?? null,
        retry_from: former?.from ?? null,
      }),
    )
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  if (!numInsertedOrUpdatedRows) return { target, mode };
  const steps = describeLayout(layout);
  await tx
    .insertInto('execution_steps')
    .values(
      steps.map((step, index) => ({
        org_id: args.orgId,
        execution_id: args.id,
        index,
        name: step.name,
        type: step.type,
        part: step.part,
        runner: step.runner,
        description: step.description,
        status: former?.takenOver.includes(index) ? ('succeeded' as const) : ('pending' as const),
        rollback_description: step.rollback ?? null,
      })),
    )
    .execute();
  await recordAudit(tx, {
    orgId: args.orgId,
    actor: args.requestedBy,
    action: 'execution.requested',
    subject: `execution:${args.id}`,
    data: {
      runbook: args.runbook,
      version,
      target,
      ...(args.retry ? { retryOf: args.retry.of } : {}),
    },
  });
  return { target, mode };
}

export async function executionExists(tx: Tx, id: string): Promise<boolean> {
  const row = await tx.selectFrom('executions').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}

/** The values of the runbook's own inputs, as people may see them. */
function shownValues(layout: RunbookLayout): Record<string, string> {
  const scope = layout.scopes[0];
  if (!scope) return {};
  const shown = Object.entries(scope.values).map(([name, value]) => [
    name,
    scope.secretInputs.includes(name) && value !== '' ? masked : value,
  ]);
  const references = Object.keys(scope.secretReferences).map((name) => [name, masked]);
  return Object.fromEntries([...shown, ...references]);
}

interface KnownRunbook extends CatalogEntry {
  teamId: string | null;
  environment: string;
}

/** Where the nested runbooks of this one are found, if it has any. */
async function catalogOf(tx: Tx, { definition }: KnownRunbook): Promise<Map<string, KnownRunbook>> {
  const nests = [...definition.steps, ...definition.verify].some(({ type }) => type === 'runbook');
  return nests ? await readRunbooks(tx) : new Map();
}

/** The runbooks that can be run, by name; only the one called `named`, where that is given. */
async function readRunbooks(tx: Tx, named?: string): Promise<Map<string, KnownRunbook>> {
  const rows = await tx
    .selectFrom('runbooks')
    .select(['name', 'version', 'definition', 'team_id', 'environment'])
    .where('removed_at', 'is', null)
    .$if(named !== undefined, (query) => query.where('name', '=', named ?? ''))
    .execute();
  return new Map(
    rows.map((row) => [
      row.name,
      {
        version: row.version,
        // written by saveRunbook from a validated definition
        definition: row.definition as unknown as RunbookDefinition,
        teamId: row.team_id,
        environment: row.environment,
      },
    ]),
  );
}

interface FormerExecution extends PlannedExecution {
  incidentId: string | null;
  /** Position of the first step that is not taken over as it stands. */
  from: number;
  /** Steps that succeeded and were not undone. */
  takenOver: number[];
}

async function readFormer(tx: Tx, id: string): Promise<FormerExecution> {
  const row = await tx
    .selectFrom('executions as e')
    .innerJoin('runbook_versions as v', (join) =>
      join.onRef('v.name', '=', 'e.runbook').onRef('v.version', '=', 'e.runbook_version'),
    )
    .select(['e.runbook', 'e.runbook_version', 'e.layout', 'e.target', 'e.environment', 'e.team_id'])
    .select(['e.incident_id', 'v.definition'])
    .where('e.id', '=', id)
    .executeTakeFirst();
  if (!row) throw new ExecutionRefusedError([`there is no execution ${id}`]);
  const steps = await tx
    .selectFrom('execution_steps')
    .select(['index', 'status', 'rollback_status', 'type', 'part'])
    .where('execution_id', '=', id)
    .orderBy('index')
    .execute();
  const { from, takenOver } = retryOf(
    steps.map(({ index, status, rollback_status, type, part }) => ({
      status,
      undo: rollback_status,
      mayFail: row.layout.steps[index]?.definition.continueOnFail ?? false,
      again: isAskedAgain({ type, part }),
    })),
  );
  return {
    runbook: row.runbook,
    version: row.runbook_version,
    definition: row.definition as unknown as RunbookDefinition,
    layout: row.layout,
    target: row.target,
    environment: row.environment,
    teamId: row.team_id,
    incidentId: row.incident_id,
    from,
    takenOver,
  };
}

async function subjectOf(tx: Tx, incidentId: string, alertId: number | undefined) {
  const { rows } = await sql<{
    labels: Record<string, string>;
    service: string | null;
    teamId: string | null;
  }>`
    select a.labels, coalesce(a.service, i.service) as service, i.team_id as "teamId"
    from incidents i join alerts a on a.incident_id = i.id
    where i.id = ${incidentId} and (${alertId ?? null}::bigint is null or a.id = ${alertId ?? null}::bigint)
    order by a.id limit 1`.execute(tx);
  return rows[0] ?? null;
}
