import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';

export interface LogRetention {
  stop(): Promise<void>;
}

const intervalMs = 10 * 60_000;
const batchSize = 10_000;

/** Forgets lines of the built-in log store that are older than `days`, in batches that hold no lock for long. */
export function startLogRetention(options: { db: Database; days: number; logger: Logger }): LogRetention {
  const { db, days, logger } = options;
  const stopping = new AbortController();

  async function forget(): Promise<void> {
    const before = new Date(Date.now() - days * 86_400_000);
    for (;;) {
      const { rows } = await db.unscoped((tx) =>
        sql<{ gone: number }>`select forget_old_logs(${before}, ${batchSize}) as gone`.execute(tx),
      );
      if ((rows[0]?.gone ?? 0) < batchSize || stopping.signal.aborted) return;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await forget().catch((error: unknown) =>
        logger.warn({ err: error }, 'old log lines could not be forgotten'),
      );
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => {});
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
