import type { Request, RequestHandler, Response } from 'express';
import { fairTurns, NoTurnError } from '../../domain/fair-turns.ts';
import { HttpError } from '../auth/errors.ts';
import { integrationOf } from '../auth/ingest-key.ts';

/** Requests of one organization that are read at once, and that wait for it without their bodies. */
const ofOne = { atOnce: 4, waiting: 32 };
/** Bodies that are worked on at once, of all: a flood leaves connections and time to people. */
const worked = 2;

const retryAfterSeconds = '2';

/**
 * Gives requests their turn. `before` stands before the body is read and keeps each organization in a line of its
 * own, until it is answered: what waits holds no memory, and a slow or busy sender keeps nobody else waiting. Throws
 * HttpError (503) where too many wait, after which OTLP's senders come again. `work` runs what was read,
 * organizations one after the other.
 */
export function createTurns(
  lineOf: (request: Request) => string = (request) => integrationOf(request).orgId,
) {
  const lines = new Map<string, ReturnType<typeof fairTurns>>();
  const working = fairTurns({
    atOnce: worked,
    // as many as were let in
    waiting: { ofOne: Number.POSITIVE_INFINITY, ofAll: Number.POSITIVE_INFINITY },
  });

  function ownLine(orgId: string) {
    const waiting = { ofOne: ofOne.waiting, ofAll: ofOne.waiting };
    const line = lines.get(orgId) ?? fairTurns({ atOnce: ofOne.atOnce, waiting });
    lines.set(orgId, line);
    return line;
  }

  const before: RequestHandler = (request, response, next) => {
    const orgId = lineOf(request);
    const { signal, closed } = untilClosed(response);
    const answered = async () => {
      next();
      await closed;
    };
    ownLine(orgId)(orgId, answered, signal).catch((error: unknown) => {
      // whoever has gone gets no answer
      if (!signal.aborted) next(error instanceof NoTurnError ? busy(error) : error);
    });
  };

  return { before, work: working };
}

function untilClosed(response: Response): { signal: AbortSignal; closed: Promise<void> } {
  const gone = new AbortController();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  response.once('close', () => {
    gone.abort();
    resolve();
  });
  return { signal: gone.signal, closed };
}

function busy(cause: NoTurnError): HttpError {
  return new HttpError(503, 'Busy', 'more telemetry comes than can be stored: send it again', {
    headers: { 'Retry-After': retryAfterSeconds },
    cause,
  });
}
