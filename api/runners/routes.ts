import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { createRunnerToken, listRunners, listRunnerTokens, revokeRunnerToken } from '../../db/runners.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { presentRunner, presentRunnerToken } from './presenter.ts';
import { runner, runnerToken, runnerTokenBody, runnerTokenMade, runnerTokenParams } from './schema.ts';

const tag = 'Runners';

export function runnersEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/runners',
      tag,
      summary: 'Runners with their last sign of life',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(runner) }),
      handle: async ({ principal }) => {
        const runners = await db.read(scopeOf(principal), listRunners);
        return { items: runners.map((record) => presentRunner(record, Date.now())) };
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/runner-tokens',
      tag,
      summary: 'Tokens by which runners are known, without the revoked ones',
      access: 'admin',
      status: 200,
      response: z.object({ items: z.array(runnerToken) }),
      handle: async ({ principal }) => ({
        items: (await db.read(scopeOf(principal), listRunnerTokens)).map(presentRunnerToken),
      }),
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/runner-tokens',
      tag,
      summary: 'Make a token for the runners of a queue',
      access: 'admin',
      body: runnerTokenBody,
      status: 201,
      response: runnerTokenMade,
      handle: async ({ principal, body }) => {
        const { orgId, email: actor } = principal;
        return await db.write(scopeOf(principal), (tx) => createRunnerToken(tx, { orgId, ...body, actor }));
      },
    }),
    personEndpoint({
      method: 'delete',
      path: '/api/v1/runner-tokens/{id}',
      tag,
      summary: 'Revoke a token: runners that use it are refused at once',
      access: 'admin',
      params: runnerTokenParams,
      status: 204,
      errors: { 404: 'No token of this id, or it is revoked already' },
      handle: async ({ principal, params }) => {
        const { orgId, email: actor } = principal;
        const done = await db.write(scopeOf(principal), (tx) =>
          revokeRunnerToken(tx, { orgId, tokenId: params.id, actor }),
        );
        if (!done) throw new NotFoundError(`runner token ${params.id}`);
        return undefined;
      },
    }),
  ];
}
