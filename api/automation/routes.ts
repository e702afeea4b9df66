import type { z } from 'zod';
import {
  letGoOn,
  listRunningExecutions,
  listStops,
  resumeAutomation,
  stopAutomation,
} from '../../db/automation.ts';
import type { Database, Tx } from '../../db/database.ts';
import { UnknownReferenceError } from '../../db/policies.ts';
import { findTeam } from '../../db/teams.ts';
import { assertRole, type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, personEndpoint } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import { automationExecutionParams, automationState, resumeBody, stopBody } from './schema.ts';

const tag = 'Automation';

export function automationEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  async function state(principal: Principal): Promise<z.input<typeof automationState>> {
    return await db.read(scopeOf(principal), async (tx) => ({
      stopped: (await listStops(tx)).map(({ team, stoppedAt, stoppedBy, reason }) => ({
        team: team?.slug ?? null,
        since: iso(stoppedAt),
        by: stoppedBy,
        reason,
      })),
      running: (await listRunningExecutions(tx)).map(({ teamId: _, since, ...execution }) => ({
        ...execution,
        since: iso(since),
      })),
    }));
  }

  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/automation',
      tag,
      summary: 'Whether automation is stopped, and what is running',
      access: 'viewer',
      status: 200,
      response: automationState,
      handle: async ({ principal }) => await state(principal),
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/automation/stop',
      tag,
      summary: 'The kill switch: nothing new acts, by automation or by hand; what runs is asked about',
      access: 'operator',
      body: stopBody,
      status: 200,
      response: automationState,
      handle: async ({ principal, body }) => {
        const { orgId, email: actor } = principal;
        await db.write(scopeOf(principal), async (tx) => {
          const teamId = await teamIdOf(tx, body.team);
          assertRole(principal, 'operator', teamId);
          // pressed twice it is stopped all the same
          await stopAutomation(tx, { orgId, teamId, actor, reason: body.reason });
        });
        return await state(principal);
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/automation/resume',
      tag,
      summary: 'Let automation act again; what was refused meanwhile stays refused',
      access: 'viewer',
      body: resumeBody,
      status: 200,
      response: automationState,
      errors: { 409: 'It is not stopped' },
      handle: async ({ principal, body }) => {
        const { orgId, email: actor } = principal;
        await db.write(scopeOf(principal), async (tx) => {
          const teamId = await teamIdOf(tx, body?.team);
          assertRole(principal, 'admin', teamId);
          if (await resumeAutomation(tx, { orgId, teamId, actor })) return;
          throw new ConflictError(
            body?.team ? `the automation of team '${body.team}' is not stopped` : 'automation is not stopped',
          );
        });
        return await state(principal);
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/automation/executions/{id}/let-go-on',
      tag,
      summary: 'Answer the kill switch: this running execution goes on (to end it, cancel it)',
      access: 'operator',
      params: automationExecutionParams,
      status: 200,
      response: automationState,
      errors: { 404: 'No running execution of this id', 409: 'Nothing is stopped where it runs' },
      handle: async ({ principal, params: { id } }) => {
        const { orgId, email: actor } = principal;
        await db.write(scopeOf(principal), async (tx) => {
          const execution = (await listRunningExecutions(tx)).find((running) => running.id === id);
          if (!execution) throw new NotFoundError(`running execution ${id}`);
          assertRole(principal, 'operator', execution.teamId);
          if (!execution.stopped) throw new ConflictError('automation is not stopped where it runs');
          await letGoOn(tx, { orgId, executionId: id, actor });
        });
        return await state(principal);
      },
    }),
  ];
}

/** Null: the whole organization. Throws UnknownReferenceError. */
async function teamIdOf(tx: Tx, slug: string | undefined): Promise<string | null> {
  if (slug === undefined) return null;
  const team = await findTeam(tx, slug);
  if (!team) throw new UnknownReferenceError('team', `there is no team '${slug}'`);
  return team.id;
}
