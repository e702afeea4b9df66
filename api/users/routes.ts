import { z } from 'zod';
import type { Database, Tx } from '../../db/database.ts';
import {
  createSignInLink,
  createUser,
  getPerson,
  listPeople,
  type Person,
  setDisabled,
  setMembership,
} from '../../db/identity.ts';
import { type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, isoOrNull, personEndpoint } from '../endpoint.ts';
import { ConflictError, InvalidRequestError, NotFoundError } from '../errors.ts';
import { disabledBody, membershipBody, signInLink, user, userBody, userMade, userParams } from './schema.ts';

const tag = 'Users';
const linkLivesMs = 24 * 3_600_000;
const notFound = { 404: 'No user of this id' };

export function userEndpoints(deps: { db: Pick<Database, 'read' | 'write'>; publicUrl: string }): Endpoint[] {
  const { db } = deps;

  async function linkFor(tx: Tx, principal: Principal, userId: string) {
    const expiresAt = new Date(Date.now() + linkLivesMs);
    const { orgId, email: actor } = principal;
    const token = await createSignInLink(tx, { orgId, userId, expiresAt, actor });
    return { url: `${deps.publicUrl}/sign-in/${token}`, expiresAt: iso(expiresAt) };
  }

  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/users',
      tag,
      summary: 'Who is in the organization',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(user) }),
      handle: async ({ principal }) => ({
        items: (await db.read(scopeOf(principal), listPeople)).map(presentUser),
      }),
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/users',
      tag,
      summary: 'Add somebody, with a link to sign in for the first time',
      access: 'owner',
      body: userBody,
      status: 201,
      response: userMade,
      errors: { 409: 'The address is taken' },
      handle: async ({ principal, body }) => {
        const { orgId, email: actor } = principal;
        return await db.write(scopeOf(principal), async (tx) => {
          const email = body.email.toLowerCase();
          const taken = (await listPeople(tx)).some((person) => person.email === email);
          if (taken) throw new ConflictError(`there is a user '${email}' already`);
          await requireTeam(tx, body.teamId);
          const id = await createUser(tx, { orgId, email, name: body.name, actor });
          await setMembership(tx, { orgId, userId: id, teamId: body.teamId, role: body.role, actor });
          return { id, signInLink: await linkFor(tx, principal, id) };
        });
      },
    }),
    personEndpoint({
      method: 'put',
      path: '/api/v1/users/{id}/membership',
      tag,
      summary: 'Set the role in the organization or in a team',
      access: 'owner',
      params: userParams,
      body: membershipBody,
      status: 200,
      response: user,
      errors: { ...notFound, 409: 'The last Owner stays Owner' },
      handle: async ({ principal, params, body }) => {
        const { orgId, email: actor } = principal;
        return await db.write(scopeOf(principal), async (tx) => {
          await requirePerson(tx, params.id);
          await requireTeam(tx, body.teamId);
          await setMembership(tx, { orgId, userId: params.id, ...body, actor });
          return presentUser(await requirePerson(tx, params.id));
        });
      },
    }),
    personEndpoint({
      method: 'put',
      path: '/api/v1/users/{id}/disabled',
      tag,
      summary: 'Shut somebody out at once, or let them in again',
      access: 'owner',
      params: userParams,
      body: disabledBody,
      status: 200,
      response: user,
      errors: { ...notFound, 409: 'The last Owner stays' },
      handle: async ({ principal, params, body }) => {
        const { orgId, email: actor } = principal;
        return await db.write(scopeOf(principal), async (tx) => {
          await setDisabled(tx, { orgId, userId: params.id, disabled: body.disabled, actor });
          return presentUser(await requirePerson(tx, params.id));
        });
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/users/{id}/sign-in-link',
      tag,
      summary: 'A link that signs the user in once, within a day',
      access: 'owner',
      params: userParams,
      status: 201,
      response: signInLink,
      errors: notFound,
      handle: async ({ principal, params }) =>
        await db.write(scopeOf(principal), async (tx) => {
          await requirePerson(tx, params.id);
          return await linkFor(tx, principal, params.id);
        }),
    }),
  ];
}

async function requirePerson(tx: Tx, id: string): Promise<Person> {
  const person = await getPerson(tx, id);
  if (!person) throw new NotFoundError(`user ${id}`);
  return person;
}

async function requireTeam(tx: Tx, teamId: string | null): Promise<void> {
  if (teamId === null) return;
  const team = await tx.selectFrom('teams').select('id').where('id', '=', teamId).executeTakeFirst();
  if (!team) throw new InvalidRequestError([{ field: 'teamId', message: 'there is no such team' }]);
}

function presentUser(person: Person): z.input<typeof user> {
  return {
    id: person.userId,
    email: person.email,
    name: person.name,
    disabledAt: isoOrNull(person.disabledAt),
    memberships: person.memberships,
  };
}
