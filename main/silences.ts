import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { beginSilences } from '../db/silences.ts';
import { type Rounds, startRounds } from './rounds.ts';

const pauseMs = 2_000;
const batch = 100;

/** Tells open incidents that a silence begins that was made for later, or that comes back every week. */
export function startSilences({ db, logger }: { db: Database; logger: Logger }): Rounds {
  return startRounds({
    pauseMs,
    async round() {
      const begun = await beginSilences(db, { now: new Date(), batch });
      return begun === batch ? 'more' : undefined;
    },
    failed: (error) => logger.warn({ err: error }, 'silences could not begin; they are looked at again'),
  });
}
