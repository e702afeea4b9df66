import { z } from 'zod';
import type { Database, Tx } from '../db/database.ts';
import type { Named } from '../db/named-configuration.ts';
import { type Principal, scopeOf } from './auth/principal.ts';
import { type Endpoint, instant, iso, personEndpoint, type Reader } from './endpoint.ts';
import { InvalidRequestError, NotFoundError } from './errors.ts';

/** The four operations on a kind of named configuration; each change has its audit entry in its transaction. */
export interface ConfigurationKind<T extends object, S extends object, N extends Named<T> = Named<T>> {
  /** In the path: '/api/v1/{plural}/{name}'. */
  plural: string;
  /** For people: 'escalation policy'. */
  singular: string;
  tag: string;
  /** Of the body; may also take `readBack`, which is what a reader got and sends again. */
  body: z.ZodType<T & ReadBack>;
  /** Of what is shown, without name and time. */
  shown: z.ZodObject;
  /** `named`: with what a kind has besides its definition. `reader`: some may be shown more than others. */
  present(definition: T, named: N, reader: Principal): S;
  list(tx: Tx): Promise<N[]>;
  get(tx: Tx, name: string): Promise<N | undefined>;
  put(tx: Tx, change: { orgId: string; name: string; definition: T; actor: string }): Promise<void>;
  /** What takes more than an Admin to put. Throws ForbiddenError. */
  assertMayPut?(principal: Principal, definition: T): void;
  remove(tx: Tx, change: { orgId: string; name: string; actor: string }): Promise<boolean>;
  /** Of a kind that teams own: asked in the transaction of the change. Without it, all are the organization's Admins'. */
  owned?: {
    assertMayPut(tx: Tx, principal: Principal, change: { name: string; definition: T }): Promise<void>;
    assertMayRemove(tx: Tx, principal: Principal, name: string): Promise<void>;
  };
  /**
   * What follows once a definition that was put stands; throws nothing that the change need not wait for. Answers what
   * has yet to come of it, for people.
   */
  afterPut?(orgId: string, definition: T): Promise<string | undefined>;
}

export interface ReadBack {
  name?: string | undefined;
  updatedAt?: string | undefined;
}

/** What the answer has besides the definition: taken in a body too, so that what was read can be put again. */
export const readBack = {
  name: z.string().optional().meta({ description: 'As in the path' }),
  updatedAt: z.string().optional().meta({ description: 'Ignored: as read' }),
};

/** Of an address that names one. */
export const configurationParams = z.object({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/i, "write a name of letters, digits, '.', '_' and '-', at most 100"),
});

export function configurationEndpoints<T extends object, S extends object, N extends Named<T> = Named<T>>(
  kind: ConfigurationKind<T, S, N>,
  deps: { db: Reader & Pick<Database, 'write'> },
): Endpoint[] {
  const { db } = deps;
  const item = kind.shown.extend({ name: z.string(), updatedAt: instant });
  const put = item.extend({
    notice: z.string().optional().meta({ description: 'It is saved; what has yet to come of it, and when' }),
  });
  const path = `/api/v1/${kind.plural}/{name}`;
  const notFound = { 404: `No ${kind.singular} of this name` };
  // on what is shared an Admin of a team counts as an Operator
  const access = kind.owned ? 'operator' : 'admin';
  const owners = kind.owned ? ', as an Admin of the team that owns it' : '';

  const present = (named: N, reader: Principal) =>
    ({
      name: named.name,
      ...kind.present(named.definition, named, reader),
      updatedAt: iso(named.updatedAt),
    }) as z.input<typeof item>;

  async function seen(principal: Principal, name: string): Promise<N> {
    const named = await db.read(scopeOf(principal), (tx) => kind.get(tx, name));
    if (!named) throw new NotFoundError(`${kind.singular} '${name}'`);
    return named;
  }

  return [
    personEndpoint({
      method: 'get',
      path: `/api/v1/${kind.plural}`,
      tag: kind.tag,
      summary: `List: every ${kind.singular}`,
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(item) }),
      handle: async ({ principal }) => {
        const items = await db.read(scopeOf(principal), (tx) => kind.list(tx));
        return { items: items.map((named) => present(named, principal)) };
      },
    }),
    personEndpoint({
      method: 'get',
      path,
      tag: kind.tag,
      summary: `One ${kind.singular}`,
      access: 'viewer',
      params: configurationParams,
      status: 200,
      response: item,
      errors: notFound,
      handle: async ({ principal, params: { name } }) => present(await seen(principal, name), principal),
    }),
    personEndpoint({
      method: 'put',
      path,
      tag: kind.tag,
      summary: `Make or replace: ${kind.singular}${owners}`,
      access,
      params: configurationParams,
      body: kind.body,
      status: 200,
      response: kind.afterPut ? put : item,
      handle: async ({ principal, params: { name }, body }) => {
        const { name: nameAgain, updatedAt: _, ...rest } = body;
        if (nameAgain !== undefined && nameAgain !== name) {
          throw new InvalidRequestError([{ field: 'name', message: `the path says '${name}'` }]);
        }
        const { orgId, email: actor } = principal;
        // the rest of T & ReadBack is T
        const definition = rest as unknown as T;
        kind.assertMayPut?.(principal, definition);
        await db.write(scopeOf(principal), async (tx) => {
          await kind.owned?.assertMayPut(tx, principal, { name, definition });
          await kind.put(tx, { orgId, name, definition, actor });
        });
        const notice = await kind.afterPut?.(orgId, definition);
        const standing = present(await seen(principal, name), principal);
        return notice === undefined ? standing : { ...standing, notice };
      },
    }),
    personEndpoint({
      method: 'delete',
      path,
      tag: kind.tag,
      summary: `Delete: ${kind.singular}${owners}`,
      access,
      params: configurationParams,
      status: 204,
      errors: { ...notFound, 409: 'Still in use' },
      handle: async ({ principal, params: { name } }) => {
        const { orgId, email: actor } = principal;
        const gone = await db.write(scopeOf(principal), async (tx) => {
          await kind.owned?.assertMayRemove(tx, principal, name);
          return await kind.remove(tx, { orgId, name, actor });
        });
        if (!gone) throw new NotFoundError(`${kind.singular} '${name}'`);
        return undefined;
      },
    }),
  ];
}
