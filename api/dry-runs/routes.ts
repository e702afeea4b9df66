import type { Database } from '../../db/database.ts';
import { dryRunRole, planDryRun } from '../../db/dry-run.ts';
import { ExecutionRefusedError } from '../../db/executions.ts';
import { findIncident } from '../../db/incident-detail.ts';
import { getRunbook } from '../../db/runbooks.ts';
import { dryRunReport as assembled } from '../../domain/dry-run.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { assertRole, roleOn, scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint, withoutUndefined } from '../endpoint.ts';
import { InvalidRequestError, NotFoundError } from '../errors.ts';
import { dryRunBody, dryRunParams, dryRunReport } from './schema.ts';

export function dryRunEndpoints(deps: { db: Pick<Database, 'read'>; messages: MessageClient }): Endpoint[] {
  const { db, messages } = deps;
  return [
    personEndpoint({
      method: 'post',
      path: '/api/v1/runbooks/{name}/dry-run',
      tag: 'Runbooks',
      summary: 'Show what it would run, and check all that it needs; nothing is run or written down',
      access: dryRunRole,
      params: dryRunParams,
      body: dryRunBody,
      status: 200,
      response: dryRunReport,
      errors: {
        404: 'No runbook or incident of this name',
        422: 'The inputs cannot be used; each problem is named',
      },
      handle: async ({ principal, params, body }) => {
        const plan = await db.read(scopeOf(principal), async (tx) => {
          const runbook = await getRunbook(tx, params.name);
          if (!runbook || runbook.removedAt) throw new NotFoundError(`runbook '${params.name}'`);
          assertRole(principal, dryRunRole, runbook.teamId);
          const incident = body?.incident === undefined ? undefined : await findIncident(tx, body.incident);
          if (body?.incident !== undefined && !incident) throw new NotFoundError(`incident ${body.incident}`);
          try {
            return await planDryRun(tx, {
              runbook: params.name,
              requestedBy: principal.email,
              given: body?.inputs ?? {},
              ...withoutUndefined({ incidentId: incident?.id, environment: body?.environment }),
            });
          } catch (error) {
            if (error instanceof ExecutionRefusedError)
              throw new InvalidRequestError(error.problems.map(fieldOf), 422);
            throw error;
          }
        });
        const permission = { needed: dryRunRole, held: roleOn(principal, plan.teamId) ?? null };
        const findings = await messages.dryRun(principal.orgId, plan.checks);
        return assembled({ ...plan.report, permission }, plan.checks, findings);
      },
    }),
  ];
}

/** A problem with an input begins with its name. */
function fieldOf(message: string): { field: string; message: string } {
  const name = /^'(\w+)'/.exec(message)?.[1];
  return { field: name === undefined ? 'inputs' : `inputs.${name}`, message };
}
