import { sql } from 'kysely';
import { holdfast } from '../domain/execution/story.ts';
import { placeholders } from '../domain/runbook/template.ts';
import type { PastExecution, StartableRunbook } from '../domain/safety/maintenance-preview.ts';
import type { MaintenanceWindow } from '../domain/safety/maintenance-window.ts';
import type { Database, Scope, Tx } from './database.ts';
import type { MaintenanceToTry, TriedMaintenance } from './maintenance-preview-thread.ts';
import { createPreviewThread } from './preview-thread.ts';
import { teamIdOf } from './teams.ts';

/** What a maintenance window would have held back in the last 30 days, and would hold back now. */
export interface FoundByMaintenance extends TriedMaintenance {
  since: Date;
  /** There were more executions than are looked at: the oldest are left out. */
  cut: boolean;
}

const lookBackMs = 30 * 86_400_000;
const executionsLimit = 20_000;
const runbooksLimit = 5_000;

/**
 * Tries a maintenance window on the executions of the last 30 days, in a thread of its own.
 * Throws UnknownReferenceError for a team that there is not, NotTriedError.
 */
export function createMaintenancePreview(db: Pick<Database, 'read'>, clock: () => number = Date.now) {
  const tryOut = createPreviewThread<MaintenanceToTry, TriedMaintenance>({
    file: new URL('./maintenance-preview-thread.ts', import.meta.url),
    messages: {
      busy: 'Other maintenance windows are being tried: try again in some seconds.',
      tooMuch: 'Trying this maintenance window takes too long: write a shorter pattern.',
    },
  });

  return async (scope: Scope, window: MaintenanceWindow, left: AbortSignal): Promise<FoundByMaintenance> => {
    const since = new Date(clock() - lookBackMs);
    let cut = false;
    const read = async () => {
      const found = await db.read(scope, (tx) => readMaintenanceToTry(tx, window, since));
      cut = found.executions.length > executionsLimit;
      return { ...found, executions: found.executions.slice(0, executionsLimit) };
    };
    return { ...(await tryOut(scope.orgId, read, left)), since, cut };
  };
}

/** Three statements; one execution more than are looked at. Throws UnknownReferenceError for a team that there is not. */
export async function readMaintenanceToTry(
  tx: Tx,
  { target, team, weekly }: MaintenanceWindow,
  since: Date,
): Promise<MaintenanceToTry> {
  const teamId = await teamIdOf(tx, team);
  return {
    about: { target, teamId, weekly: weekly ?? null },
    executions: await listActedSince(tx, since),
    runbooks: await listStartable(tx),
  };
}

/** What never acted was kept from it by something else. */
async function listActedSince(tx: Tx, since: Date): Promise<PastExecution[]> {
  const { rows } = await sql<PastExecution>`
    select e.runbook, e.target, e.team_id as "teamId", e.requested_by = ${holdfast} as automatic,
      extract(epoch from e.created_at)::float8 * 1000 as "askedAt",
      extract(epoch from e.admitted_at)::float8 * 1000 as "actedAt"
    from executions e
    where e.admitted_at > ${since}
    order by e.admitted_at desc limit ${executionsLimit + 1}`.execute(tx);
  return rows;
}

/** A target with a variable, and that of a runbook that names none, come from the alert. */
async function listStartable(tx: Tx): Promise<StartableRunbook[]> {
  const { rows } = await sql<StartableRunbook>`
    select r.name, r.definition #>> '{execution,target}' as target, r.team_id as "teamId"
    from runbooks r
    where r.removed_at is null and r.definition #>> '{execution,mode}' <> 'manual'
    order by r.name limit ${runbooksLimit}`.execute(tx);
  return rows.map(({ target, ...runbook }) => ({
    ...runbook,
    target: target === null || placeholders(target).length > 0 ? null : target.trim(),
  }));
}
