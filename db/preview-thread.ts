import { Piscina } from 'piscina';
import { fairTurns, NoTurnError } from '../domain/fair-turns.ts';

/** Nothing was tried: others are ('busy'), or it takes too long ('too much'). The message is for people. */
export class NotTriedError extends Error {
  override name = 'NotTriedError';
  readonly why: 'busy' | 'too much';

  constructor(why: 'busy' | 'too much', message: string, cause: unknown) {
    super(message, { cause });
    this.why = why;
  }
}

/** Milliseconds that a try may take, and that it may wait for others. */
const patience = { work: 30_000, wait: 20_000 };

/**
 * Tries edited configuration on the past in a thread of its own, so that nobody else waits; one try at a time,
 * organizations take turns. A try ends when its signal is aborted. `file` exports what the thread runs; `messages` are
 * for people.
 * @returns what reads the past and tries; throws NotTriedError, and whatever reading throws
 */
export function createPreviewThread<Given, Found>(options: {
  file: URL;
  messages: { busy: string; tooMuch: string };
}) {
  const { file, messages } = options;
  const threads = new Piscina<Given, Found>({
    filename: file.href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 30_000,
  });
  const inTurn = fairTurns({ atOnce: 1, waiting: { ofOne: 2, ofAll: 6 } });

  return async (orgId: string, read: () => Promise<Given>, left: AbortSignal): Promise<Found> => {
    const waiting = AbortSignal.any([left, AbortSignal.timeout(patience.wait)]);
    const work = async () => {
      const signal = AbortSignal.any([left, AbortSignal.timeout(patience.work)]);
      return await threads.run(await read(), { signal });
    };
    try {
      return await inTurn(orgId, work, waiting);
    } catch (error) {
      if (error instanceof NoTurnError) throw new NotTriedError('busy', messages.busy, error);
      if (error instanceof Error && error.name === 'AbortError') {
        throw new NotTriedError('too much', messages.tooMuch, error);
      }
      throw error;
    }
  };
}
