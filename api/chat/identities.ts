import type { Database } from '../../db/database.ts';
import { linkIdentity, listIdentities, unlinkIdentity, useLinkCode } from '../../db/user-identities.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, personEndpoint } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { presentIdentity } from './presenter.ts';
import { identityList, identityParams, identityShown, linkBody } from './schema.ts';

const tag = 'Chat';
const base = '/api/v1/chat/identities';

/** Who one is at a vendor: what is done there under that name is done in one's own. */
export function identityEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary: 'Who you are in chat',
      access: 'viewer',
      status: 200,
      response: identityList,
      handle: async ({ principal }) => {
        const identities = await db.read(scopeOf(principal), (tx) => listIdentities(tx, principal.userId));
        return { items: identities.map(presentIdentity) };
      },
    }),
    personEndpoint({
      method: 'post',
      path: base,
      tag,
      summary: 'Say that you are whoever was given this code in chat; it works once',
      access: 'viewer',
      body: linkBody,
      status: 201,
      response: identityShown,
      errors: { 409: 'The code is unknown, used or expired' },
      handle: async ({ principal, body: { code } }) => {
        const { orgId, userId, email: actor } = principal;
        const person = await db.write(scopeOf(principal), async (tx) => {
          const found = await useLinkCode(tx, code);
          if (found) await linkIdentity(tx, { ...found, orgId, userId, actor, how: 'code' });
          return found;
        });
        if (!person) {
          throw new ConflictError(
            "the code is unknown, used or more than a quarter of an hour old: write '/holdfast link' for a new one",
          );
        }
        return { ...person, linkedAt: iso(new Date()) };
      },
    }),
    personEndpoint({
      method: 'delete',
      path: `${base}/{provider}/{externalId}`,
      tag,
      summary: 'Disconnect yourself from somebody in chat',
      access: 'viewer',
      params: identityParams,
      status: 204,
      errors: { 404: 'You are not linked to that' },
      handle: async ({ principal, params }) => {
        const { orgId, userId, email: actor } = principal;
        const done = await db.write(scopeOf(principal), (tx) =>
          unlinkIdentity(tx, { ...params, orgId, userId, actor }),
        );
        if (!done) throw new NotFoundError(`identity ${params.externalId} of yours at ${params.provider}`);
        return undefined;
      },
    }),
  ];
}
