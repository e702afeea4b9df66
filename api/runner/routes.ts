import type { Request } from 'express';
import type { Database, Tx } from '../../db/database.ts';
import { forgetRunner, noteRunnerSeen, type RunnerIdentity } from '../../db/runners.ts';
import {
  type AttemptPlace,
  abandonAttempts,
  beginAttempt,
  endAttempt,
  loadAttempt,
  loadStepPlan,
  noteAttempt,
  reportAttempt,
} from '../../db/step-ledger.ts';
import { runnerOf as runnerOfStep } from '../../domain/runbook/runner.ts';
import { runnerOf } from '../auth/runner-token.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import {
  abandonBody,
  attemptBody,
  beginBody,
  counts,
  endBody,
  loadedAttempt,
  noteBody,
  outputBody,
  runnerSelf,
  signOfLife,
} from './schema.ts';

const tag = 'Runner';
const access = 'runner';
const notIts = { 404: 'No such step, or it does not run on the queue of this token' };

/** What a runner asks and tells: that it lives, and the ledger of the steps that run on its queue. */
export function runnerEndpoints({ db }: { db: Pick<Database, 'write'> }): Endpoint[] {
  /** A token opens the steps of its own queue and nothing else. */
  async function onItsStep<T>(
    request: Request,
    place: AttemptPlace,
    work: (tx: Tx, runner: RunnerIdentity) => Promise<T>,
  ): Promise<T> {
    const runner = runnerOf(request);
    return await db.write({ orgId: runner.orgId }, async (tx) => {
      const plan = await loadStepPlan(tx, place);
      if (!plan || runnerOfStep(plan.step.definition, place.phase) !== runner.queue) {
        throw new NotFoundError(`step ${place.index + 1} of this execution on the runner ${runner.queue}`);
      }
      return await work(tx, runner);
    });
  }

  return [
    endpoint({
      method: 'get',
      path: '/api/v1/runner',
      tag,
      summary: 'Whose token it is, and which queue it stands for',
      access,
      status: 200,
      response: runnerSelf,
      handle: async ({ request }) => {
        const { orgId, queue } = runnerOf(request);
        return { orgId, queue };
      },
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/runner/sign-of-life',
      tag,
      summary: 'Say that the runner lives, every 15 seconds, or that it ends',
      access,
      body: signOfLife,
      status: 204,
      handle: async ({ request, body }) => {
        const runner = runnerOf(request);
        const { stopping, startedAt, ...rest } = body;
        await db.write({ orgId: runner.orgId }, async (tx) => {
          if (stopping) await forgetRunner(tx, { ...runner, instance: body.instance });
          else await noteRunnerSeen(tx, { ...runner, ...rest, startedAt: new Date(startedAt) });
        });
        return undefined;
      },
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/runner/attempts/load',
      tag,
      summary: 'What an attempt of a step has to know before it begins',
      access,
      body: attemptBody,
      status: 200,
      response: loadedAttempt,
      errors: notIts,
      handle: async ({ request, body }) =>
        await onItsStep(request, body, async (tx, runner) => {
          const loaded = await loadAttempt(tx, body);
          if (!loaded) throw new NotFoundError(`step ${body.index + 1} on the runner ${runner.queue}`);
          const { step, scope, own, open, before, said } = loaded;
          return {
            step: { ...step },
            scope: { ...scope },
            ...(own ? { own: { ...own } } : {}),
            open: open.map((attempt) => ({ ...attempt })),
            before: before.map((attempt) => ({ ...attempt })),
            said,
          };
        }),
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/runner/attempts/begin',
      tag,
      summary: 'Write the attempt down before it begins',
      access,
      body: beginBody,
      status: 200,
      response: counts,
      errors: notIts,
      handle: async ({ request, body }) =>
        await onItsStep(request, body, async (tx, { orgId }) => ({
          counts: await beginAttempt(tx, body, { ...body, orgId }),
        })),
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/runner/attempts/note',
      tag,
      summary: 'Write the process group of the attempt down before its command begins',
      access,
      body: noteBody,
      status: 200,
      response: counts,
      errors: notIts,
      handle: async ({ request, body }) =>
        await onItsStep(request, body, async (tx) => ({
          counts: await noteAttempt(tx, body, { group: body.group }),
        })),
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/runner/attempts/output',
      tag,
      summary: 'What the attempt has said so far, twice a second at most',
      access,
      body: outputBody,
      status: 200,
      response: counts,
      errors: notIts,
      handle: async ({ request, body }) =>
        await onItsStep(request, body, async (tx) => ({
          counts: await reportAttempt(tx, body, body.output),
        })),
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/runner/attempts/end',
      tag,
      summary: 'How the attempt ended, and all that it said',
      access,
      body: endBody,
      status: 204,
      errors: notIts,
      handle: async ({ request, body }) => {
        await onItsStep(request, body, (tx) => endAttempt(tx, body, body));
        return undefined;
      },
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/runner/attempts/abandon',
      tag,
      summary: 'Close attempts of the same execution whose outcome stays unknown',
      access,
      body: abandonBody,
      status: 204,
      errors: notIts,
      handle: async ({ request, body }) => {
        await onItsStep(request, body, (tx) => abandonAttempts(tx, body));
        return undefined;
      },
    }),
  ];
}
