import { Piscina } from 'piscina';
import { HttpError } from '../auth/errors.ts';

/** Milliseconds that one request may keep the thread. */
const patience = 30_000;
/** Requests that wait for it. */
const queue = 8;

/**
 * Answers large requests in a thread of its own, one after the other, so that all others are answered meanwhile. The
 * thread ends when it has had nothing to do for half a minute.
 * @param file of the thread, beside this one
 * @param words for people: what is being done ('other lines are being mined'), and what to do when it is too much
 *   ('send fewer lines at once')
 * @returns what answers one request; throws HttpError 503 when too many wait, 422 when it takes too long
 */
export function ownThread<Input, Output>(
  file: URL,
  words: { busy: string; tooMuch: string },
): (input: Input, transferList?: ArrayBuffer[]) => Promise<Output> {
  const threads = new Piscina<Input, Output>({
    filename: file.href,
    minThreads: 0,
    maxThreads: 1,
    maxQueue: queue,
    idleTimeout: 30_000,
  });
  return async (input, transferList = []) => {
    if (threads.queueSize >= queue) {
      throw new HttpError(503, 'Too busy', `${words.busy}: send it again in some seconds`);
    }
    try {
      return await threads.run(input, { signal: AbortSignal.timeout(patience), transferList });
    } catch (error) {
      if (!(error instanceof Error && error.name === 'AbortError')) throw error;
      throw new HttpError(422, 'Too much at once', words.tooMuch);
    }
  };
}

/** Answers of an endpoint that works in a thread of its own, for the OpenAPI document. */
export const ownThreadErrors = { 422: 'It took too long', 503: 'Too many such requests wait already' };
