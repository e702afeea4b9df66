import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { beginSilences } from '../db/silences.ts';

export interface Silences {
  stop(): Promise<void>;
}

const intervalMs = 2_000;
const batch = 100;

/** Tells open incidents that a silence begins that was made for later, or that comes back every week. */
export function startSilences({ db, logger }: { db: Database; logger: Logger }): Silences {
  const stopping = new AbortController();

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const begun = await beginSilences(db, { now: new Date(), batch });
        if (begun === batch) continue;
      } catch (error) {
        logger.warn({ err: error }, 'silences could not begin; they are looked at again');
      }
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => {}); // stopped
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
