import { z } from 'zod';
import type { Database, Tx } from '../../db/database.ts';
import { getOnCallSchedule } from '../../db/oncall.ts';
import { createOverride, endOverride, listOverrides } from '../../db/oncall-overrides.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { InvalidRequestError, NotFoundError } from '../errors.ts';
import { presentOverride } from './presenter.ts';
import { onCallScheduleParams, overrideBody, overrideParams, overrideShown } from './schema.ts';

const tag = 'On call';
const path = '/api/v1/on-call-schedules/{name}/overrides';

/** Who is on call for a time instead of another. An Operator may; on a team's schedule, of that team. */
export function overrideEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path,
      tag,
      summary: 'Overrides of a schedule that are not over, the next to begin first',
      access: 'viewer',
      params: onCallScheduleParams,
      status: 200,
      response: z.object({ items: z.array(overrideShown) }),
      errors: { 404: 'No on-call schedule of this name' },
      handle: async ({ principal, params: { name } }) => {
        const items = await db.read(scopeOf(principal), async (tx) => {
          await requireSchedule(tx, name);
          return await listOverrides(tx, { schedule: name, now: new Date() });
        });
        return { items: items.map(presentOverride) };
      },
    }),
    personEndpoint({
      method: 'post',
      path,
      tag,
      summary: 'Take over shifts for a time, or give them to somebody',
      access: 'operator',
      params: onCallScheduleParams,
      body: overrideBody,
      status: 201,
      response: overrideShown,
      errors: { 404: 'No on-call schedule of this name', 409: 'It has too many overrides already' },
      handle: async ({ principal, params: { name }, body }) => {
        const { orgId, email: actor } = principal;
        const now = new Date();
        if (body.endsAt <= now) {
          throw new InvalidRequestError([
            { field: 'endsAt', message: 'it is over already: the past stays as it was' },
          ]);
        }
        const override = { ...body, person: body.person ?? actor };
        if (override.person.toLowerCase() === body.insteadOf?.toLowerCase()) {
          throw new InvalidRequestError([
            { field: 'insteadOf', message: 'name somebody else, or null for everybody' },
          ]);
        }
        const made = await db.write(scopeOf(principal), async (tx) => {
          await requireOperator(tx, principal, name);
          return await createOverride(tx, { orgId, schedule: name, override, actor, now });
        });
        return presentOverride(made);
      },
    }),
    personEndpoint({
      method: 'delete',
      path: `${path}/{id}`,
      tag,
      summary: 'End an override that has begun, or delete one that has not',
      access: 'operator',
      params: overrideParams,
      status: 204,
      errors: { 404: 'No on-call schedule of this name, or no such override that is not over' },
      handle: async ({ principal, params: { name, id } }) => {
        const { orgId, email: actor } = principal;
        const done = await db.write(scopeOf(principal), async (tx) => {
          await requireOperator(tx, principal, name);
          return await endOverride(tx, { orgId, schedule: name, id, actor, now: new Date() });
        });
        if (!done) throw new NotFoundError(`override ${id} that is not over`);
        return undefined;
      },
    }),
  ];
}

async function requireOperator(tx: Tx, principal: Principal, name: string): Promise<void> {
  const { teamId } = await requireSchedule(tx, name);
  assertRole(principal, 'operator', teamId);
}

async function requireSchedule(tx: Tx, name: string) {
  const schedule = await getOnCallSchedule(tx, name);
  if (!schedule) throw new NotFoundError(`on-call schedule '${name}'`);
  return schedule;
}
