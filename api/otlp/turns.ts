import { HttpError } from '../auth/errors.ts';

/** Requests that are read and stored at once, and that wait for it: each may hold 10 MB and a connection. */
export interface Limits {
  atOnce: number;
  waiting: number;
}

const retryAfterSeconds = '2';

/**
 * Gives requests their turn in the order in which they came, so that a flood of telemetry leaves connections and time
 * to people. Beyond those that may wait throws HttpError (503), after which OTLP's senders come again.
 */
export function createTurns(limits: Limits) {
  const queue: (() => void)[] = [];
  let underWay = 0;

  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (underWay >= limits.atOnce) {
      if (queue.length >= limits.waiting) {
        throw new HttpError(503, 'Busy', 'more telemetry comes than can be stored: send it again', {
          headers: { 'Retry-After': retryAfterSeconds },
        });
      }
      // the turn is handed over: nobody gets in between
      await new Promise<void>((resolve) => queue.push(resolve));
    } else underWay++;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else underWay--;
    }
  };
}
