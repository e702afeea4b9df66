import type { Request, RequestHandler } from 'express';
import type { Database } from '../../db/database.ts';
import { findRunnerToken, type RunnerIdentity } from '../../db/runners.ts';
import { secretPrefixes } from '../../db/secrets.ts';
import { bearerOf } from './authenticate.ts';
import { UnauthenticatedError } from './errors.ts';

const runners = new WeakMap<Request, RunnerIdentity>();

/** Whose token the request brought. Only behind `requireRunnerToken`. */
export function runnerOf(request: Request): RunnerIdentity {
  const runner = runners.get(request);
  if (!runner) throw new UnauthenticatedError('send the token of a runner as Bearer');
  return runner;
}

/** Refuses with 401 what does not bring the token of a runner. A revoked one stops working at once. */
export function requireRunnerToken(db: Pick<Database, 'unscoped'>): RequestHandler {
  return async (request, _response, next) => {
    const token = bearerOf(request);
    if (token === undefined) {
      throw new UnauthenticatedError("send the runner's token as 'Authorization: Bearer <token>'");
    }
    const runner = await findRunnerToken(db, token);
    if (!runner) {
      throw new UnauthenticatedError(
        token.startsWith(secretPrefixes.runnerToken)
          ? 'the runner token is unknown or was revoked: make another under Settings, Runners'
          : 'this is no runner token: those begin with hfr_ and are made under Settings, Runners',
      );
    }
    runners.set(request, runner);
    next();
  };
}
