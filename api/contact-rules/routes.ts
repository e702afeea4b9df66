import { type ContactSettings, getContactSettings, putContactSettings } from '../../db/contact-rules.ts';
import type { Database, Tx } from '../../db/database.ts';
import { methodsOf } from '../../domain/contact-method.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import { contactTests } from '../auth/contact-tests.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { presentContactRules } from './presenter.ts';
import { contactRulesBody, contactRulesParams, contactRulesShown, contactTest } from './schema.ts';

const tag = 'Users';
const path = '/api/v1/users/{id}/contact-rules';
const notFound = { 404: 'No user of this id' };

export function contactRulesEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  messages: Pick<MessageClient, 'testContact'>;
}): Endpoint[] {
  const { db, messages } = deps;
  return [
    personEndpoint({
      method: 'get',
      path,
      tag,
      summary: 'How somebody is reached when they are paged, and their time zone',
      access: 'viewer',
      params: contactRulesParams,
      status: 200,
      response: contactRulesShown,
      errors: notFound,
      handle: async ({ principal, params }) => {
        const userId = whose(principal, params.id);
        return presentContactRules(await db.read(scopeOf(principal), (tx) => requireSettings(tx, userId)));
      },
    }),
    personEndpoint({
      method: 'put',
      path,
      tag,
      summary: "Replace one's own contact rules, or as an Admin somebody's",
      access: 'viewer',
      params: contactRulesParams,
      body: contactRulesBody,
      status: 200,
      response: contactRulesShown,
      errors: notFound,
      handle: async ({ principal, params, body: { rules, timeZone } }) => {
        const { orgId, email: actor } = principal;
        const userId = whose(principal, params.id);
        return await db.write(scopeOf(principal), async (tx) => {
          await putContactSettings(tx, { orgId, userId, rules, timeZone, actor });
          return presentContactRules(await requireSettings(tx, userId));
        });
      },
    }),
    personEndpoint({
      method: 'post',
      path: `${path}/test`,
      tag,
      summary: 'Send a test message by each way that the contact rules name',
      access: 'viewer',
      params: contactRulesParams,
      status: 202,
      response: contactTest,
      errors: { ...notFound, 409: 'The user is disabled', 429: 'Too many tests in ten minutes' },
      handle: async ({ principal, params }) => {
        const { orgId, email: requestedBy } = principal;
        const userId = whose(principal, params.id);
        const { email, rules, disabledAt } = await db.read(scopeOf(principal), (tx) =>
          requireSettings(tx, userId),
        );
        if (disabledAt) throw new ConflictError(`${email} is disabled, and is not told anything`);
        const methods = methodsOf(rules);
        contactTests.take([principal.userId], Date.now());
        const { keys } = await messages.testContact(orgId, { email, methods, requestedBy });
        return { messages: methods.map((method, index) => ({ key: keys[index] ?? '', method })) };
      },
    }),
  ];
}

/** Everybody for themselves; Admins of the organization for others. Throws ForbiddenError. */
function whose(principal: Principal, id: string): string {
  if (id === 'me' || id === principal.userId) return principal.userId;
  assertRole(principal, 'admin', null);
  return id;
}

async function requireSettings(tx: Tx, userId: string): Promise<ContactSettings> {
  const settings = await getContactSettings(tx, userId);
  if (!settings) throw new NotFoundError(`user ${userId}`);
  return settings;
}
