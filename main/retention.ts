import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { dependencyLifetimeMs } from '../db/topology.ts';
import { type Rounds, startRounds } from './rounds.ts';

const pauseMs = 10 * 60_000;
const batchSize = 10_000;
/** Fewer, for each alert is looked up. */
const memoryBatchSize = 500;

/** Milliseconds that spans are kept: long enough for the analysis of an incident, short for what they weigh. */
const spanLifetimeMs = 3_600_000;
/** Milliseconds after which a service that nobody declared, calls or alerts about is gone. */
const serviceLifetimeMs = 30 * 86_400_000;
/** Milliseconds that changes are kept: longer than the year that their service's history is looked at. */
const changeLifetimeMs = 400 * 86_400_000;
/** Milliseconds that a closed incident's feed is kept: its workflow has ended, the timeline says what was in it. */
const feedLifetimeMs = 7 * 86_400_000;
/** Milliseconds that the history of chat is kept. */
const chatLifetimeMs = 90 * 86_400_000;
/** Milliseconds for which the message about something is changed in place after it was last told of. */
const deliveryLifetimeMs = 90 * 86_400_000;
/** Milliseconds for which people's groupings hold without any sight of the alert. */
const memoryLifetimeMs = 180 * 86_400_000;

/**
 * Forgets what is only kept for a time: lines of the built-in log store after `logDays`, spans, changes, feeds of closed
 * incidents, the history of chat, where messages were delivered, memory of alerts that do not come any more, learned
 * dependencies and services. What can be much goes in batches that hold no lock for long.
 */
export function startRetention(options: { db: Database; logDays: number; logger: Logger }): Rounds {
  const { db, logDays, logger } = options;

  async function forgetInBatches(
    forget:
      | 'forget_old_logs'
      | 'forget_old_spans'
      | 'forget_old_changes'
      | 'forget_old_feeds'
      | 'forget_old_chat'
      | 'forget_old_deliveries'
      | 'forget_old_memory',
    lifetimeMs: number,
    stopping: AbortSignal,
    batch = batchSize,
  ): Promise<void> {
    const before = new Date(Date.now() - lifetimeMs);
    for (;;) {
      const { rows } = await db.unscoped((tx) =>
        sql<{ gone: number }>`select ${sql.id(forget)}(${before}, ${batch}) as gone`.execute(tx),
      );
      if ((rows[0]?.gone ?? 0) < batch || stopping.aborted) return;
    }
  }

  async function forgetTopology(): Promise<void> {
    const now = Date.now();
    await db.unscoped(async (tx) => {
      await sql`select forget_old_dependencies(${new Date(now - dependencyLifetimeMs)})`.execute(tx);
      await sql`select forget_old_services(${new Date(now - serviceLifetimeMs)})`.execute(tx);
    });
  }

  /** One that fails leaves the others their turn. */
  async function forget(stopping: AbortSignal): Promise<undefined> {
    const tasks: [what: string, task: () => Promise<void>][] = [
      ['log lines', () => forgetInBatches('forget_old_logs', logDays * 86_400_000, stopping)],
      ['spans', () => forgetInBatches('forget_old_spans', spanLifetimeMs, stopping)],
      ['changes', () => forgetInBatches('forget_old_changes', changeLifetimeMs, stopping)],
      ['feeds of incidents', () => forgetInBatches('forget_old_feeds', feedLifetimeMs, stopping)],
      ['chat messages', () => forgetInBatches('forget_old_chat', chatLifetimeMs, stopping)],
      ['deliveries', () => forgetInBatches('forget_old_deliveries', deliveryLifetimeMs, stopping)],
      ['groupings', () => forgetInBatches('forget_old_memory', memoryLifetimeMs, stopping, memoryBatchSize)],
      ['dependencies and services', forgetTopology],
    ];
    for (const [what, task] of tasks) {
      await task().catch((error: unknown) =>
        logger.warn({ err: error }, `old ${what} could not be forgotten`),
      );
    }
  }

  return startRounds({
    pauseMs,
    round: forget,
    failed: (error) => logger.warn({ err: error }, 'what is old could not be forgotten'),
  });
}
