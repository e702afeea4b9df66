import type { Database } from '../../db/database.ts';
import { learnExternalCalls } from '../../db/spans.ts';

/** Milliseconds after which the span of a called service has come, if the service sends any. */
const settledMs = 30_000;

/**
 * A host that a client span names may be a service that reports its own spans, under its own name: such calls are
 * learned a little later, and only those that nobody answered to. One pass per organization at a time.
 */
export function createExternalCalls(
  { db, onError }: { db: Pick<Database, 'write'>; onError(error: unknown): void },
  waitMs = settledMs,
) {
  const waiting = new Set<string>();

  /** Spans that name hosts came for `orgId` at `now`, epoch ms. */
  return (orgId: string, now: number): void => {
    if (waiting.has(orgId)) return;
    waiting.add(orgId);
    const timer = setTimeout(
      () => {
        waiting.delete(orgId);
        const given = { orgId, from: now, to: now + waitMs };
        db.write({ orgId }, (tx) => learnExternalCalls(tx, given)).catch(onError);
      },
      // those of the whole window are then as old as they have to be
      2 * waitMs,
    );
    timer.unref();
  };
}
