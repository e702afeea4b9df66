import type { Request } from 'express';
import type { Database, Tx } from '../../db/database.ts';
import { forgetRunner, noteRunnerSeen, type RunnerIdentity } from '../../db/runners.ts';
import {
  type AttemptPlace,
  abandonAttempts,
  attemptsOfOthers,
  beginAttempt,
  endAttempt,
  isBeingUndone,
  loadAttempt,
  loadStepPlan,
  noteAttempt,
  reportAttempt,
  type StepAttempt,
  type StepPlan,
} from '../../db/step-ledger.ts';
import { attemptView, runsOn } from '../../domain/runbook/attempt-view.ts';
import { secretValuesOf } from '../../domain/runbook/secret.ts';
import { SecretMask } from '../../domain/runbook/secret-mask.ts';
import { HttpError } from '../auth/errors.ts';
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
const notIts = {
  404: 'No such step in an execution that has not ended, or it does not run on the queue of this token',
};
const notYet = {
  ...notIts,
  503: 'Holdfast has not asked for this undo, or another runner may be at work on an attempt: send it again',
};

/** What a runner asks and tells: that it lives, and the ledger of the steps that run on its queue. */
export function runnerEndpoints({ db }: { db: Pick<Database, 'write'> }): Endpoint[] {
  /** A token opens the steps of its own queue and nothing else. */
  async function onItsStep<T>(
    request: Request,
    place: AttemptPlace,
    work: (tx: Tx, runner: RunnerIdentity, plan: StepPlan) => Promise<T>,
  ): Promise<T> {
    const runner = runnerOf(request);
    return await db.write({ orgId: runner.orgId }, async (tx) => {
      const plan = await loadStepPlan(tx, place);
      if (!plan || !runsOn(runner.queue, plan, place.phase)) throw noSuchStep(place, runner);
      return await work(tx, runner, plan);
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
          // what has ended is told nobody any more
          if (!loaded || loaded.finished) throw noSuchStep(body, runner);
          const { own, open, before, said } = loaded;
          const { step, scope } = attemptView(loaded, body.phase);
          return {
            step: { ...step },
            scope: { ...scope },
            ...(own ? { own: { ...own } } : {}),
            open: open.map(processesOf),
            before: before.map(processesOf),
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
      errors: notYet,
      handle: async ({ request, body }) =>
        await onItsStep(request, body, async (tx, runner, { layout, finished }) => {
          if (finished) return { counts: false };
          // no step begins behind an undo: one that nobody asked for would stop all other runners
          if (body.phase === 'undo' && !(await isBeingUndone(tx, body))) {
            throw notNow(`Holdfast does not undo step ${body.index + 1} of this execution`);
          }
          await mayClose(tx, body, { runner, layout, keys: body.abandoned });
          return { counts: await beginAttempt(tx, body, { ...body, orgId: runner.orgId }) };
        }),
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
        await onItsStep(request, body, async (tx, _, plan) => ({
          counts: await reportAttempt(tx, body, body.output && maskOf(plan, body).apply(body.output)),
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
        await onItsStep(request, body, async (tx, _, plan) => {
          const mask = maskOf(plan, body);
          const { ok, error, output } = body;
          await endAttempt(tx, body, { ok, error: error && mask.apply(error), output: mask.apply(output) });
        });
        return undefined;
      },
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/runner/attempts/abandon',
      tag,
      summary: 'Close attempts of the same execution that are lost, and whose outcome stays unknown',
      access,
      body: abandonBody,
      status: 204,
      errors: notYet,
      handle: async ({ request, body }) => {
        await onItsStep(request, body, async (tx, runner, { layout, finished }) => {
          if (finished) throw noSuchStep(body, runner);
          await mayClose(tx, body, { runner, layout, keys: body.keys });
          await abandonAttempts(tx, body);
        });
        return undefined;
      },
    }),
  ];
}

function noSuchStep({ index }: AttemptPlace, { queue }: RunnerIdentity): NotFoundError {
  return new NotFoundError(`step ${index + 1} of this execution on the runner ${queue}`);
}

/** A runner closes attempts of its own queue, and those of others once Holdfast is done with them. */
async function mayClose(
  tx: Tx,
  place: AttemptPlace,
  { runner, layout, keys }: { runner: RunnerIdentity; layout: StepPlan['layout']; keys: readonly string[] },
): Promise<void> {
  const [first] = await attemptsOfOthers(tx, place, { queue: runner.queue, layout, keys });
  if (first === undefined) return;
  throw notNow(`${first} does not run on the runner ${runner.queue}, and Holdfast has not taken it for lost`);
}

/** A runner sends the request again for a while: what it was asked for may not have been written down yet. */
function notNow(detail: string): HttpError {
  return new HttpError(503, 'Not available now', `${detail}: send the request again`, {
    headers: { 'Retry-After': '1' },
  });
}

/** What it takes to end what an attempt left behind. */
function processesOf({ key, index, phase, status, detail }: StepAttempt) {
  const { executionId, carrier, group } = detail;
  return { key, index, phase, status, detail: { executionId, index, phase, carrier, group } };
}

/** Of the secrets that a runner was not told: its step may come upon them all the same. */
function maskOf(plan: StepPlan, { phase }: AttemptPlace): SecretMask {
  const told = new Set(secretValuesOf(attemptView(plan, phase).scope));
  return new SecretMask(secretValuesOf(plan.scope).filter((secret) => !told.has(secret)));
}
