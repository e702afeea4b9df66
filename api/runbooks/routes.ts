import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/database.ts';
import { createExecution } from '../../db/executions.ts';
import { findIncident } from '../../db/incident-detail.ts';
import { matchingNow } from '../../db/runbook-matches.ts';
import { getRunbook, getRunbookVersion, listRunbookProblems, listRunbooks } from '../../db/runbooks.ts';
import { unifiedDiff } from '../../domain/runbook-diff.ts';
import { executionWorkflowId } from '../../workflows/messages.ts';
import { type MessageClient, TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, isoOrNull, personEndpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { presentRunbook, presentRunbookSummary } from './presenter.ts';
import {
  diffQuery,
  runBody,
  runbookDetail,
  runbookDiff,
  runbookList,
  runbookParams,
  runbookVersion,
  runStarted,
  versionParams,
} from './schema.ts';

const tag = 'Runbooks';

export function runbookEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  messages: MessageClient;
}): Endpoint[] {
  const { db, messages } = deps;

  /** A version of a runbook that the person sees: its versions stand in a table without teams. */
  async function versionOf(principal: Principal, name: string, version: number) {
    const found = await db.read(scopeOf(principal), async (tx) =>
      (await getRunbook(tx, name)) ? await getRunbookVersion(tx, { name, version }) : undefined,
    );
    if (!found) throw new NotFoundError(`version ${version} of runbook '${name}'`);
    return found;
  }

  /** Writes the execution down, for its workflow to carry out. */
  async function writeDown(
    principal: Principal,
    name: string,
    asked: {
      inputs?: Record<string, string>;
      incident?: number | undefined;
      environment?: string | undefined;
    },
  ): Promise<{ id: string; target: string }> {
    const { orgId, email: requestedBy } = principal;
    const id = randomUUID();
    return await db.write(scopeOf(principal), async (tx) => {
      const runbook = await getRunbook(tx, name);
      if (!runbook || runbook.removedAt) throw new NotFoundError(`runbook '${name}'`);
      assertRole(principal, 'operator', runbook.teamId);
      const incident = asked.incident === undefined ? undefined : await findIncident(tx, asked.incident);
      if (asked.incident !== undefined && !incident) throw new NotFoundError(`incident ${asked.incident}`);
      const { target } = await createExecution(tx, {
        orgId,
        id,
        runbook: name,
        workflowId: executionWorkflowId(orgId, id),
        requestedBy,
        given: asked.inputs ?? {},
        ...(asked.environment === undefined ? {} : { environment: asked.environment }),
        ...(incident ? { incidentId: incident.id } : {}),
      });
      return { id, target };
    });
  }

  /** False while Temporal is away: the reconciler starts what is written down. */
  async function start(orgId: string, id: string): Promise<boolean> {
    try {
      await messages.startExecution(orgId, id);
      return true;
    } catch (error) {
      if (error instanceof TemporalUnavailableError) return false;
      throw error;
    }
  }

  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/runbooks',
      tag,
      summary: 'List runbooks, and the files that cannot be read',
      access: 'viewer',
      status: 200,
      response: runbookList,
      handle: async ({ principal }) =>
        await db.read(scopeOf(principal), async (tx) => {
          const runbooks = await listRunbooks(tx);
          const problems = await listRunbookProblems(tx);
          return {
            items: runbooks.map(presentRunbookSummary),
            problems: problems.map((problem) => ({ ...problem, foundAt: iso(problem.foundAt) })),
          };
        }),
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/runbooks/{name}',
      tag,
      summary: 'One runbook with its source, versions and last runs',
      access: 'viewer',
      params: runbookParams,
      status: 200,
      response: runbookDetail,
      errors: { 404: 'No runbook of this name' },
      handle: async ({ principal, params }) => {
        return await db.read(scopeOf(principal), async (tx) => {
          const runbook = await getRunbook(tx, params.name);
          if (!runbook) throw new NotFoundError(`runbook '${params.name}'`);
          return presentRunbook(runbook, await matchingNow(tx, runbook.definition));
        });
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/runbooks/{name}/versions/{version}',
      tag,
      summary: 'One version with its source',
      access: 'viewer',
      params: versionParams,
      status: 200,
      response: runbookVersion,
      errors: { 404: 'No runbook or version of this name' },
      handle: async ({ principal, params }) => {
        const found = await versionOf(principal, params.name, params.version);
        const { version, source, commit, author } = found;
        return {
          name: params.name,
          version,
          source,
          commit,
          author,
          loadedAt: iso(found.loadedAt),
          committedAt: isoOrNull(found.committedAt),
        };
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/runbooks/{name}/diff',
      tag,
      summary: 'What differs between two versions',
      access: 'viewer',
      params: runbookParams,
      query: diffQuery,
      status: 200,
      response: runbookDiff,
      errors: { 404: 'No runbook or version of this name' },
      handle: async ({ principal, params: { name }, query: { from, to } }) => {
        const before = await versionOf(principal, name, from);
        const after = await versionOf(principal, name, to);
        return { name, from, to, unified: unifiedDiff(name, before, after) };
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/runbooks/{name}/run',
      tag,
      summary: 'Run it',
      access: 'operator',
      params: runbookParams,
      body: runBody,
      status: 202,
      response: runStarted,
      errors: { 404: 'No runbook or incident of this name' },
      handle: async ({ principal, params, body }) => {
        const { id, target } = await writeDown(principal, params.name, body ?? {});
        const started = await start(principal.orgId, id);
        return { id, runbook: params.name, target, status: 'waiting' as const, started };
      },
    }),
  ];
}
