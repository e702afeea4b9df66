import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { claimDueAlerts, claimUnreadFeeds, type DueAlert, markDispatched } from '../db/dispatch.ts';
import { createDispatchLine, lateAfterMs } from './dispatch-line.ts';
import { pause, startRounds } from './rounds.ts';
import type { WorkflowStarter } from './workflow-client.ts';

export interface DispatcherOptions {
  db: Database;
  starter: WorkflowStarter;
  logger: Logger;
  /** Starts and signals that are under way at once. */
  concurrency?: number;
  /** How often to look without being woken: what another process accepted, or what was left by a crash. */
  pollMs?: number;
  /** Alerts that were dispatched and that their workflows have not seen yet: at least so many, more where workers are quick. */
  outstanding?: number;
}

export interface Dispatcher {
  /** Alerts were accepted: look now. */
  wake(): void;
  stop(): Promise<void>;
}

const batchSize = 200;
/** After this an alert that was claimed and not marked is anybody's again. */
const leaseMs = 15_000;
/** Keeps workers busy whose pace nobody knows yet. */
const leastOutstanding = 10;
/** What no worker has seen after this is waited for no longer: it must not keep others out for ever. */
const patienceMs = 5_000;
/** How soon to look again when it was full. */
const fullPauseMs = 100;
/** So many failures in a batch mean that Temporal is away. */
const failuresTaken = 5;
/** A feed that is unread for longer was left by whoever owed the signal. */
const feedPatienceMs = 5_000;
const longestBackoffMs = 5_000;

/**
 * Brings what the intake stored to Temporal, worst severity first. Several may run at once: each takes its own
 * by leases. While Temporal is away the alerts stay due; when it is back they are started.
 */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  const { db, starter, logger, concurrency = 50, pollMs = 1_000, outstanding = leastOutstanding } = options;
  const stopping = new AbortController();
  let woken = Promise.withResolvers<void>();
  const line = createDispatchLine(outstanding);

  /** One alert that Temporal does not take holds up no other; after a few failures the rest waits for better times. */
  async function dispatchBatch(): Promise<'more' | 'full' | 'none'> {
    const claim = await claimDueAlerts(db, {
      batch: batchSize,
      leaseMs,
      outstanding: line.length,
      patienceMs,
      lateAfterMs,
    });
    line.look(claim);
    const { alerts: due, isFull } = claim;
    const done: DueAlert[] = [];
    const failures: unknown[] = [];
    const queue = due.values();
    await Promise.all(
      Array.from({ length: Math.min(concurrency, due.length) }, async () => {
        while (failures.length < failuresTaken) {
          const { value: alert, done: isEmpty } = queue.next();
          if (isEmpty) return;
          try {
            await starter.dispatchAlert(alert);
            done.push(alert);
          } catch (error) {
            failures.push(error);
            logger.warn({ err: error, orgId: alert.orgId, alertId: alert.id }, 'an alert was not dispatched');
          }
        }
      }),
    );
    await markDispatched(db, done);
    if (failures.length >= failuresTaken) throw failures[0];
    if (isFull) return 'full';
    return due.length === batchSize ? 'more' : 'none';
  }

  /** Beside dispatching: in a storm, which keeps that busy, an incident must not wait for a signal that was lost. */
  async function sweepFeeds(): Promise<undefined> {
    const feeds = await claimUnreadFeeds(db, feedPatienceMs, batchSize);
    const signals = await Promise.allSettled(feeds.map((feed) => starter.signalFeedUnread(feed)));
    const failed = signals.find((signal) => signal.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async function run(): Promise<void> {
    let backoffMs = 0;
    while (!stopping.signal.aborted) {
      woken = Promise.withResolvers<void>();
      try {
        const left = await dispatchBatch();
        backoffMs = 0;
        if (left === 'more') continue;
        if (left === 'full') {
          await pause(fullPauseMs, stopping.signal);
          continue;
        }
      } catch (error) {
        backoffMs = Math.min(longestBackoffMs, Math.max(250, backoffMs * 2));
        logger.warn({ err: error, retryInMs: backoffMs }, 'alerts wait: dispatch failed');
      }
      await (backoffMs > 0
        ? pause(backoffMs, stopping.signal)
        : Promise.race([pause(pollMs, stopping.signal), woken.promise]));
    }
  }

  const running = run();
  const sweeping = startRounds({
    round: sweepFeeds,
    pauseMs: pollMs,
    failed: (error) => logger.warn({ err: error }, 'incidents wait: their unread feeds could not be swept'),
  });
  return {
    wake: () => woken.resolve(),
    async stop() {
      stopping.abort();
      woken.resolve();
      await Promise.all([running, sweeping.stop()]);
    },
  };
}
