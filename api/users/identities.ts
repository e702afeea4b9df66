import type { Database, Tx } from '../../db/database.ts';
import { getPerson } from '../../db/identity.ts';
import { listIdentities, unlinkIdentity } from '../../db/user-identities.ts';
import { scopeOf } from '../auth/principal.ts';
import { presentIdentity } from '../chat/presenter.ts';
import { identityList } from '../chat/schema.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { userIdentityParams, userParams } from './schema.ts';

const tag = 'Users';
const base = '/api/v1/users/{id}/identities';

/** Who others are at Slack and PagerDuty; an Owner disconnects what was linked wrongly, or whose person has left. */
export function userIdentityEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary: 'Who somebody is in chat and at PagerDuty',
      access: 'owner',
      params: userParams,
      status: 200,
      response: identityList,
      errors: { 404: 'No user of this id' },
      handle: async ({ principal, params: { id } }) => {
        const identities = await db.read(scopeOf(principal), async (tx) => {
          await requirePerson(tx, id);
          return await listIdentities(tx, id);
        });
        return { items: identities.map(presentIdentity) };
      },
    }),
    personEndpoint({
      method: 'delete',
      path: `${base}/{provider}/{externalId}`,
      tag,
      summary:
        'Disconnect somebody from who they are there: nothing is done in their name from there any more',
      access: 'owner',
      params: userIdentityParams,
      status: 204,
      errors: { 404: 'No user of this id, or they are not linked to that' },
      handle: async ({ principal, params: { id: userId, provider, externalId } }) => {
        const { orgId, email: actor } = principal;
        const done = await db.write(scopeOf(principal), async (tx) => {
          await requirePerson(tx, userId);
          return await unlinkIdentity(tx, { orgId, userId, provider, externalId, actor });
        });
        if (!done) throw new NotFoundError(`identity ${externalId} of user ${userId} at ${provider}`);
        return undefined;
      },
    }),
  ];
}

async function requirePerson(tx: Tx, id: string): Promise<void> {
  if (!(await getPerson(tx, id))) throw new NotFoundError(`user ${id}`);
}
