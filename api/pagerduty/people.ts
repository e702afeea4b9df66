import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { listPeople } from '../../db/identity.ts';
import { listPagerDutyPeople, type PagerDutyPerson } from '../../db/pagerduty.ts';
import { findIdentity, linkIdentity, unlinkIdentity } from '../../db/user-identities.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, personEndpoint } from '../endpoint.ts';
import { InvalidRequestError, NotFoundError } from '../errors.ts';
import { pagerDutyPerson, pagerDutyPersonBody, pagerDutyPersonParams } from './schema.ts';

const tag = 'Notification channels';
const path = '/api/v1/pagerduty/people/{externalId}';
const provider = 'pagerduty';

/** Who the people of PagerDuty are here: its webhooks name them, and not their mail addresses. */
export function pagerDutyPeopleEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/pagerduty/people',
      tag,
      summary: 'List who the people of PagerDuty are here',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(pagerDutyPerson) }),
      handle: async ({ principal }) => {
        const people = await db.read(scopeOf(principal), listPagerDutyPeople);
        return { items: people.map(present) };
      },
    }),
    personEndpoint({
      method: 'put',
      path,
      tag,
      summary: 'Say who somebody of PagerDuty is here: what they do there counts as theirs',
      access: 'owner',
      params: pagerDutyPersonParams,
      body: pagerDutyPersonBody,
      status: 200,
      response: pagerDutyPerson,
      handle: async ({ principal, params: { externalId }, body: { email, name } }) => {
        const { orgId, email: actor } = principal;
        return await db.write(scopeOf(principal), async (tx) => {
          const people = await listPeople(tx);
          const person = people.find((each) => each.email === email.toLowerCase());
          if (!person) {
            throw new InvalidRequestError([{ field: 'email', message: `there is no user '${email}'` }]);
          }
          const { userId } = person;
          await linkIdentity(tx, { orgId, userId, provider, externalId, name, actor, how: 'owner' });
          return present({ externalId, name, email: person.email, linkedAt: new Date() });
        });
      },
    }),
    personEndpoint({
      method: 'delete',
      path,
      tag,
      summary: 'Forget who somebody of PagerDuty is here',
      access: 'owner',
      params: pagerDutyPersonParams,
      status: 204,
      errors: { 404: 'Nobody of this id is linked' },
      handle: async ({ principal, params: { externalId } }) => {
        const { orgId, email: actor } = principal;
        await db.write(scopeOf(principal), async (tx) => {
          const identity = await findIdentity(tx, { provider, externalId });
          if (!identity) throw new NotFoundError(`person ${externalId} of PagerDuty`);
          await unlinkIdentity(tx, { orgId, userId: identity.userId, provider, externalId, actor });
        });
        return undefined;
      },
    }),
  ];
}

const present = ({ externalId, name, email, linkedAt }: PagerDutyPerson) => ({
  externalId,
  name,
  email,
  linkedAt: iso(linkedAt),
});
