import { randomUUID } from 'node:crypto';
import { saveRunbook } from '../../db/runbooks.ts';
import type { RunbookDefinition } from '../../domain/runbook/definition.ts';
import type { RunbookLayout } from '../../domain/runbook/layout.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import type { TestDatabase } from './database.ts';

/** An execution of a runbook with these steps, as its workflow finds it when they begin. Returns its id. */
export async function insertExecution(
  { db, owner, orgId: first }: Pick<TestDatabase, 'db' | 'owner' | 'orgId'>,
  args: {
    /** YAML, indented by two. */
    steps: string;
    inputs?: Record<string, string>;
    /** YAML that stands before the steps. */
    top?: string;
    /** Which carries every step out. */
    runner?: string;
    orgId?: string;
  },
): Promise<string> {
  const { steps, inputs = {}, top = '', runner, orgId = first } = args;
  const id = randomUUID();
  const source = `name: r-${id}\n${top}steps:\n${steps}`;
  const parsed = parseRunbook(source, 'test.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { definition } = parsed;
  const { version } = await db.write({ orgId }, (tx) =>
    saveRunbook(tx, { orgId, file: `${id}.yaml`, source, definition }),
  );
  const layout = layoutOf(definition, { version, inputs, ...(runner === undefined ? {} : { runner }) });
  await owner.query(
    `insert into executions
       (org_id, id, runbook, runbook_version, requested_by, mode, target, inputs, status, workflow_id, layout)
     values ($1, $2, $3, $4, 'me', 'manual', 't', $5, 'running', 'w', $6)`,
    [orgId, id, definition.name, version, inputs, JSON.stringify(layout)],
  );
  for (const [index, step] of definition.steps.entries()) {
    await owner.query(
      `insert into execution_steps (org_id, execution_id, index, name, type, description, status)
       values ($1, $2, $3, $4, $5, '', 'running')`,
      [orgId, id, index, step.name, step.type],
    );
  }
  return id;
}

/** The runbook alone, nothing nested. */
function layoutOf(
  definition: RunbookDefinition,
  { version, inputs, runner }: { version: number; inputs: Record<string, string>; runner?: string },
): RunbookLayout {
  const secret = Object.entries(definition.inputs).filter(([, input]) => input.secret);
  return {
    scopes: [
      {
        runbook: definition.name,
        version,
        values: inputs,
        secretReferences: {},
        secretInputs: secret.map(([name]) => name),
        allowedHosts: definition.execution.allowedHosts,
      },
    ],
    steps: definition.steps.map((step) => ({
      scope: 0,
      name: step.name,
      part: 'step',
      definition: runner === undefined ? step : { ...step, runner },
    })),
  };
}
