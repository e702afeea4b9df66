import { z } from 'zod';
import { createRulesPreview } from '../../db/correlation-preview.ts';
import {
  deleteCorrelationRules,
  getCorrelationRules,
  listCorrelationRules,
  putCorrelationRules,
  type StoredCorrelationRules,
} from '../../db/correlation-rules.ts';
import type { Database } from '../../db/database.ts';
import { findTeam } from '../../db/teams.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, personEndpoint, whenLeft, withoutUndefined } from '../endpoint.ts';
import { InvalidRequestError, NotFoundError } from '../errors.ts';
import { previewErrors } from '../preview.ts';
import {
  correlationRulesBody,
  correlationRulesShown,
  previewBody,
  previewShown,
  teamParams,
} from './schema.ts';

const tag = 'Correlation rules';
const base = '/api/v1/correlation-rules';
const notFound = { 404: 'No rules of their own' };

/** The organization's rules are its admins'; a team's are also those of the team's own. */
export function correlationRuleEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  const preview = createRulesPreview(db);

  async function seen(principal: Principal, team: string | null) {
    const stored = await db.read(scopeOf(principal), (tx) => getCorrelationRules(tx, team));
    if (!stored) throw notThere(team);
    return present(stored);
  }

  async function assertAdminOf(principal: Principal, team: string | null): Promise<void> {
    const owner =
      team === null
        ? null
        : await db.read(scopeOf(principal), async (tx) => (await findTeam(tx, team)) ?? null);
    if (team !== null && !owner) throw new NotFoundError(`team '${team}'`);
    assertRole(principal, 'admin', owner?.id ?? null);
  }

  async function put(principal: Principal, team: string | null, body: z.output<typeof correlationRulesBody>) {
    const { team: teamAgain, updatedAt: _, ...rules } = body;
    if (teamAgain !== undefined && teamAgain !== team) {
      throw new InvalidRequestError([
        { field: 'team', message: `the path says '${team ?? 'organization'}'` },
      ]);
    }
    await assertAdminOf(principal, team);
    const { orgId, email: actor } = principal;
    await db.write(scopeOf(principal), (tx) =>
      putCorrelationRules(tx, { orgId, team, rules: withoutUndefined(rules), actor }),
    );
    return await seen(principal, team);
  }

  async function remove(principal: Principal, team: string | null): Promise<undefined> {
    await assertAdminOf(principal, team);
    const { orgId, email: actor } = principal;
    const gone = await db.write(scopeOf(principal), (tx) =>
      deleteCorrelationRules(tx, { orgId, team, actor }),
    );
    if (!gone) throw notThere(team);
    return undefined;
  }

  return [
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary: "List the rules of correlation, the organization's first",
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(correlationRulesShown) }),
      handle: async ({ principal }) => {
        const items = await db.read(scopeOf(principal), listCorrelationRules);
        return { items: items.map(present) };
      },
    }),
    personEndpoint({
      method: 'post',
      path: `${base}/preview`,
      tag,
      summary: 'Try rules on the alerts of the last 30 days: incidents and noise before and after',
      access: 'operator',
      body: previewBody,
      status: 200,
      response: previewShown,
      errors: previewErrors,
      handle: async ({ principal, body: { team, rules }, request }) => {
        const edited = { team, rules: withoutUndefined(rules) };
        const found = await preview(scopeOf(principal), edited, whenLeft(request));
        return { ...found, since: found.since && iso(found.since) };
      },
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/organization`,
      tag,
      summary: 'The rules of correlation of the organization',
      access: 'viewer',
      status: 200,
      response: correlationRulesShown,
      errors: notFound,
      handle: async ({ principal }) => await seen(principal, null),
    }),
    personEndpoint({
      method: 'put',
      path: `${base}/organization`,
      tag,
      summary: 'Make or replace the rules of correlation of the organization',
      access: 'admin',
      body: correlationRulesBody,
      status: 200,
      response: correlationRulesShown,
      handle: async ({ principal, body }) => await put(principal, null, body),
    }),
    personEndpoint({
      method: 'delete',
      path: `${base}/organization`,
      tag,
      summary: 'Delete the rules of correlation of the organization: the defaults hold again',
      access: 'admin',
      status: 204,
      errors: notFound,
      handle: async ({ principal }) => await remove(principal, null),
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/teams/{team}`,
      tag,
      summary: 'The rules of correlation of a team',
      access: 'viewer',
      params: teamParams,
      status: 200,
      response: correlationRulesShown,
      errors: notFound,
      handle: async ({ principal, params }) => await seen(principal, params.team),
    }),
    personEndpoint({
      method: 'put',
      path: `${base}/teams/{team}`,
      tag,
      summary: "Make or replace the rules of correlation of a team; needs its or the organization's Admin",
      access: 'operator',
      params: teamParams,
      body: correlationRulesBody,
      status: 200,
      response: correlationRulesShown,
      errors: { 404: 'No such team' },
      handle: async ({ principal, params, body }) => await put(principal, params.team, body),
    }),
    personEndpoint({
      method: 'delete',
      path: `${base}/teams/{team}`,
      tag,
      summary: "Delete the rules of correlation of a team: the organization's hold for it again",
      access: 'operator',
      params: teamParams,
      status: 204,
      errors: notFound,
      handle: async ({ principal, params }) => await remove(principal, params.team),
    }),
  ];
}

function present({ team, rules, updatedAt }: StoredCorrelationRules): z.input<typeof correlationRulesShown> {
  return { team: team?.slug ?? null, ...rules, updatedAt: iso(updatedAt) };
}

function notThere(team: string | null): NotFoundError {
  return new NotFoundError(
    team === null ? 'set of rules of the organization' : `set of rules of team '${team}'`,
  );
}
