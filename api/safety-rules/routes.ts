import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import {
  deleteSafetyRules,
  getSafetyRules,
  listSafetyRules,
  putSafetyRules,
  type StoredSafetyRules,
} from '../../db/safety.ts';
import { type SafetyScope, safetyRules, scopeText } from '../../domain/safety/rules.ts';
import { type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, personEndpoint } from '../endpoint.ts';
import { InvalidRequestError, NotFoundError, parseOrRefuse } from '../errors.ts';
import { safetyRulesBody, safetyRulesParams, safetyRulesShown } from './schema.ts';

const tag = 'Safety rules';
const base = '/api/v1/safety-rules';
const notFound = { 404: 'No such set of rules' };

interface Which {
  scope: SafetyScope;
  name: string;
}

export function safetyRuleEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  async function seen(principal: Principal, which: Which) {
    const stored = await db.read(scopeOf(principal), (tx) => getSafetyRules(tx, which));
    if (!stored) throw notThere(which);
    return present(stored);
  }

  async function put(principal: Principal, which: Which, body: z.output<typeof safetyRulesBody>) {
    const { scope, name, updatedAt: _at, updatedBy: _by, ...given } = body;
    for (const [field, again] of Object.entries({ scope, name })) {
      const inPath = which[field as keyof Which];
      if (again !== undefined && again !== inPath) {
        throw new InvalidRequestError([{ field, message: `the path says '${inPath}'` }]);
      }
    }
    const rules = parseOrRefuse(safetyRules, given);
    const { orgId, email: actor } = principal;
    await db.write(scopeOf(principal), (tx) => putSafetyRules(tx, { orgId, ...which, rules, actor }));
    return await seen(principal, which);
  }

  async function remove(principal: Principal, which: Which): Promise<undefined> {
    const { orgId, email: actor } = principal;
    const gone = await db.write(scopeOf(principal), (tx) =>
      deleteSafetyRules(tx, { orgId, ...which, actor }),
    );
    if (!gone) throw notThere(which);
    return undefined;
  }

  const organization: Which = { scope: 'organization', name: '' };
  return [
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary: 'List every set of safety rules, the widest scope first',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(safetyRulesShown) }),
      handle: async ({ principal }) => {
        const items = await db.read(scopeOf(principal), listSafetyRules);
        return { items: items.map(present) };
      },
    }),
    personEndpoint({
      method: 'put',
      path: `${base}/organization`,
      tag,
      summary: 'Make or replace the safety rules of the whole organization',
      access: 'admin',
      body: safetyRulesBody,
      status: 200,
      response: safetyRulesShown,
      handle: async ({ principal, body }) => await put(principal, organization, body),
    }),
    personEndpoint({
      method: 'delete',
      path: `${base}/organization`,
      tag,
      summary: 'Delete the safety rules of the whole organization: its defaults hold again',
      access: 'admin',
      status: 204,
      errors: notFound,
      handle: async ({ principal }) => await remove(principal, organization),
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/{scope}/{name}`,
      tag,
      summary: 'The safety rules of a team, a runbook or targets',
      access: 'viewer',
      params: safetyRulesParams,
      status: 200,
      response: safetyRulesShown,
      errors: notFound,
      handle: async ({ principal, params }) => await seen(principal, params),
    }),
    personEndpoint({
      method: 'put',
      path: `${base}/{scope}/{name}`,
      tag,
      summary: 'Make or replace the safety rules of a team, a runbook or targets',
      access: 'admin',
      params: safetyRulesParams,
      body: safetyRulesBody,
      status: 200,
      response: safetyRulesShown,
      handle: async ({ principal, params, body }) => await put(principal, params, body),
    }),
    personEndpoint({
      method: 'delete',
      path: `${base}/{scope}/{name}`,
      tag,
      summary: 'Delete the safety rules of a team, a runbook or targets',
      access: 'admin',
      params: safetyRulesParams,
      status: 204,
      errors: notFound,
      handle: async ({ principal, params }) => await remove(principal, params),
    }),
  ];
}

function present({
  scope,
  name,
  rules,
  updatedAt,
  updatedBy,
}: StoredSafetyRules): z.input<typeof safetyRulesShown> {
  return { scope, name, ...rules, updatedAt: iso(updatedAt), updatedBy };
}

function notThere({ scope, name }: Which): NotFoundError {
  return new NotFoundError(`set of safety rules of ${scopeText(scope, name)}`);
}
