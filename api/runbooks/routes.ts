import type { Database } from '../../db/database.ts';
import { matchingNow } from '../../db/runbook-matches.ts';
import { getRunbook, getRunbookVersion, listRunbookProblems, listRunbooks } from '../../db/runbooks.ts';
import { unifiedDiff } from '../../domain/runbook-diff.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, isoOrNull, personEndpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { presentRunbook, presentRunbookSummary } from './presenter.ts';
import { runRunbook } from './run.ts';
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
  const { db } = deps;

  /** A version of a runbook that the person sees: its versions stand in a table without teams. */
  async function versionOf(principal: Principal, name: string, version: number) {
    const found = await db.read(scopeOf(principal), async (tx) =>
      (await getRunbook(tx, name)) ? await getRunbookVersion(tx, { name, version }) : undefined,
    );
    if (!found) throw new NotFoundError(`version ${version} of runbook '${name}'`);
    return found;
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
        const { id, target, started } = await runRunbook(deps, principal, params.name, body ?? {});
        return { id, runbook: params.name, target, status: 'waiting' as const, started };
      },
    }),
  ];
}
