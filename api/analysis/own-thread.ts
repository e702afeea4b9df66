import { Piscina } from 'piscina';
import { fairTurns, NoTurnError } from '../../domain/fair-turns.ts';
import { HttpError } from '../auth/errors.ts';

/** Requests that wait for the thread: each holds all that it sent. */
const waiting = { ofOne: 4, ofAll: 8 };

/** What the thread is given, and what of it is handed over instead of copied. */
interface Task<Input> {
  input: Input;
  transferList?: ArrayBuffer[];
}

/**
 * Answers large requests in a thread of its own, one after the other, so that all others are answered meanwhile;
 * organizations take turns. The thread ends when it has had nothing to do for half a minute.
 * @param file of the thread, beside this one
 * @param words for people: what is being done ('other lines are being mined'), and what to do when it is too much
 *   ('send fewer lines at once')
 * @param patience milliseconds that a request may keep the thread, and that it may wait for it
 * @returns what answers a request of an organization; it is made ready when its turn has come. Throws HttpError 503
 *   when too many wait or it waited in vain, 422 when it takes too long itself
 */
export function ownThread<Input, Output>(
  file: URL,
  words: { busy: string; tooMuch: string },
  patience: { work: number; wait: number } = { work: 30_000, wait: 30_000 },
): (orgId: string, task: () => Task<Input>) => Promise<Output> {
  const threads = new Piscina<Input, Output>({
    filename: file.href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 30_000,
  });
  const inTurn = fairTurns({ atOnce: 1, waiting });

  async function work(task: () => Task<Input>): Promise<Output> {
    const { input, transferList = [] } = task();
    try {
      return await threads.run(input, { signal: AbortSignal.timeout(patience.work), transferList });
    } catch (error) {
      if (!(error instanceof Error && error.name === 'AbortError')) throw error;
      throw new HttpError(422, 'Too much at once', words.tooMuch);
    }
  }

  return async (orgId, task) => {
    try {
      return await inTurn(orgId, () => work(task), AbortSignal.timeout(patience.wait));
    } catch (error) {
      if (!(error instanceof NoTurnError)) throw error;
      throw new HttpError(503, 'Too busy', `${words.busy}: send it again in some seconds`, {
        headers: { 'Retry-After': '5' },
        cause: error,
      });
    }
  };
}

/** Answers of an endpoint that works in a thread of its own, for the OpenAPI document. */
export const ownThreadErrors = { 422: 'It took too long', 503: 'Too many such requests wait already' };
