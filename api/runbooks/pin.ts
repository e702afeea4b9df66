import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { pinRunbook, unpinRunbook } from '../../db/runbook-pins.ts';
import { getRunbook } from '../../db/runbooks.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, instant, isoOrNull, personEndpoint } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { runbookParams } from './schema.ts';

const tag = 'Runbooks';

const pinBody = z.strictObject({
  version: z.int().min(1).max(2_147_483_647).meta({ description: 'That is to be in force until unpinned' }),
});

const pinned = z
  .object({
    name: z.string(),
    version: z.int().meta({ description: 'In force' }),
    latestVersion: z.int(),
    pinnedAt: instant.nullable(),
    pinnedBy: z.string().nullable(),
  })
  .meta({ id: 'RunbookPin' });

/** Rolling back to an earlier version, and going on with the newest. */
export function pinEndpoints({ db }: { db: Pick<Database, 'write'> }): Endpoint[] {
  async function change(
    principal: Principal,
    name: string,
    work: (tx: Parameters<typeof getRunbook>[0]) => Promise<void>,
  ): Promise<z.input<typeof pinned>> {
    return await db.write(scopeOf(principal), async (tx) => {
      const before = await getRunbook(tx, name);
      if (!before) throw new NotFoundError(`runbook '${name}'`);
      assertRole(principal, 'admin', before.teamId);
      await work(tx);
      const after = (await getRunbook(tx, name)) ?? before;
      const { version, latestVersion, pinnedAt, pinnedBy } = after;
      return { name, version, latestVersion, pinnedAt: isoOrNull(pinnedAt), pinnedBy };
    });
  }

  return [
    personEndpoint({
      method: 'post',
      path: '/api/v1/runbooks/{name}/pin',
      tag,
      summary: 'Put an earlier version in force until it is unpinned; running executions keep theirs',
      access: 'operator',
      params: runbookParams,
      body: pinBody,
      status: 200,
      response: pinned,
      errors: { 404: 'No runbook of this name, or no such version' },
      handle: ({ principal, params: { name }, body: { version } }) =>
        change(principal, name, async (tx) => {
          const { orgId, email: actor } = principal;
          if (await pinRunbook(tx, { orgId, name, version, actor })) return;
          throw new NotFoundError(`version ${version} of '${name}'`);
        }),
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/runbooks/{name}/unpin',
      tag,
      summary: 'Put the newest version in force again',
      access: 'operator',
      params: runbookParams,
      status: 200,
      response: pinned,
      errors: { 404: 'No runbook of this name', 409: 'It is not pinned' },
      handle: ({ principal, params: { name } }) =>
        change(principal, name, async (tx) => {
          const { orgId, email: actor } = principal;
          if (await unpinRunbook(tx, { orgId, name, actor })) return;
          throw new ConflictError(`'${name}' is not pinned: its newest version is in force already`);
        }),
    }),
  ];
}
