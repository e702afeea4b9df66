import { sql } from 'kysely';
import type { ExecutionStatus } from '../domain/incident-status.ts';
import { circuitOpen } from '../domain/safety/admit.ts';
import { latestOutcomes } from './admission.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';

/** A runbook that failed again and again on a target and runs there no more until a person resets it. */
export interface OpenCircuit {
  runbook: string;
  target: string;
  teamId: string | null;
  /** Newest first. */
  failures: { executionId: string; status: ExecutionStatus; at: Date }[];
}

/** The newest failure first. Steps from one runbook and target to the next by index, not through all executions. */
export async function listOpenCircuits(tx: Tx): Promise<OpenCircuit[]> {
  return await openCircuits(
    tx,
    sql`
      (select runbook, target from executions order by runbook, target limit 1)
      union all
      select n.runbook, n.target from pairs p, lateral (
        select runbook, target from executions e where (e.runbook, e.target) > (p.runbook, p.target)
        order by runbook, target limit 1) n`,
  );
}

export async function getOpenCircuit(
  tx: Tx,
  of: { runbook: string; target: string },
): Promise<OpenCircuit | undefined> {
  const [circuit] = await openCircuits(tx, sql`select ${of.runbook}::text, ${of.target}::text`);
  return circuit;
}

/** False when it is not open. */
export async function resetCircuit(
  tx: Tx,
  change: { orgId: string; runbook: string; target: string; actor: string; reason: string },
): Promise<boolean> {
  const { orgId, runbook, target, actor, reason } = change;
  if (!(await getOpenCircuit(tx, change))) return false;
  const row = { reset_by: actor, reason };
  await tx
    .insertInto('circuit_resets')
    .values({ org_id: orgId, runbook, target, ...row, reset_at: sql<Date>`clock_timestamp()` })
    .onConflict((conflict) =>
      conflict
        .columns(['org_id', 'runbook', 'target'])
        .doUpdateSet({ ...row, reset_at: sql<Date>`clock_timestamp()` }),
    )
    .execute();
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'circuit-breaker.reset',
    subject: `runbook:${runbook}`,
    data: { target, reason },
  });
  return true;
}

async function openCircuits(tx: Tx, pairs: ReturnType<typeof sql>): Promise<OpenCircuit[]> {
  const { rows } = await sql<{
    runbook: string;
    target: string;
    execution_id: string;
    status: ExecutionStatus;
    finished_at: Date;
    team_id: string | null;
  }>`
    with recursive pairs(runbook, target) as (${pairs})
    select p.runbook, p.target, o.id as execution_id, o.status, o.finished_at, o.team_id
    from pairs p, lateral (${latestOutcomes(sql`p.runbook`, sql`p.target`)}) o
    order by p.runbook, p.target, o.finished_at desc`.execute(tx);
  const circuits = new Map<string, OpenCircuit>();
  for (const row of rows) {
    const key = JSON.stringify([row.runbook, row.target]);
    const { runbook, target, team_id: teamId } = row;
    const circuit = circuits.get(key) ?? { runbook, target, teamId, failures: [] };
    circuit.failures.push({ executionId: row.execution_id, status: row.status, at: row.finished_at });
    circuits.set(key, circuit);
  }
  const newest = (circuit: OpenCircuit) => circuit.failures[0]?.at.getTime() ?? 0;
  return [...circuits.values()]
    .filter(({ failures }) => circuitOpen(failures.map(({ status }) => status)))
    .sort((a, b) => newest(b) - newest(a));
}
