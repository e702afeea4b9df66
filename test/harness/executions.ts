import { randomUUID } from 'node:crypto';
import type { ExecutionStatus } from '../../domain/incident-status.ts';
import type { ExecutionRules } from '../../domain/runbook/definition.ts';
import type { RunbookLayout } from '../../domain/runbook/layout.ts';
import type { TestDatabase } from './database.ts';

/** Writes rows of executions as if they had come about, for tests of what is made of them. */
export interface ExecutionSeed {
  runbook?: string;
  target?: string;
  teamId?: string | null;
  requestedBy?: string;
  environment?: string | null;
  status?: ExecutionStatus;
  retryOf?: string;
  layout?: RunbookLayout;
  /** Minutes ago; absent: not yet. */
  admitted?: number;
  finished?: number;
}

/** A version 1 of the runbook that says so little about safety that only what the test adds counts. */
export async function seedRunbookVersion(
  { owner, orgId }: Pick<TestDatabase, 'owner' | 'orgId'>,
  name: string,
  rules: Partial<ExecutionRules> = {},
): Promise<void> {
  const execution = { maxPerHour: 100_000, cooldownMs: 0, environments: [], ...rules };
  await owner.query(
    `insert into runbook_versions (org_id, name, version, source, definition) values ($1, $2, 1, '', $3)
     on conflict (org_id, name, version) do update set definition = excluded.definition`,
    [orgId, name, JSON.stringify({ name, execution, inputs: {}, steps: [] })],
  );
}

export async function seedExecution(
  { owner, orgId }: Pick<TestDatabase, 'owner' | 'orgId'>,
  seed: ExecutionSeed = {},
): Promise<string> {
  const id = randomUUID();
  await owner.query(
    `insert into executions (org_id, id, team_id, runbook, runbook_version, requested_by, mode, target, inputs,
       status, workflow_id, environment, retry_of, layout, admitted_at, started_at, finished_at)
     values ($1, $2::uuid, $3, $4, 1, $5, 'auto', $6, '{}', $7, $2::uuid::text, $8, $9, $10,
       now() - $11::float8 * interval '1 minute', now() - $11::float8 * interval '1 minute',
       now() - $12::float8 * interval '1 minute')`,
    [
      orgId,
      id,
      seed.teamId ?? null,
      seed.runbook ?? 'restart',
      seed.requestedBy ?? 'ana@example.com',
      seed.target ?? 'checkout',
      seed.status ?? 'waiting',
      seed.environment ?? null,
      seed.retryOf ?? null,
      JSON.stringify(seed.layout ?? { scopes: [], steps: [] }),
      seed.admitted ?? null,
      seed.finished ?? null,
    ],
  );
  return id;
}
