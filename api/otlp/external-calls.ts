export interface CallWindow {
  orgId: string;
  /** When the spans came, epoch ms. */
  from: number;
  to: number;
}

/** Milliseconds after which the span of a called service has come, if the service sends any. */
const settledMs = 30_000;

/**
 * A host that a client span names may be a service that reports its own spans, under its own name: such calls are
 * learned a little later, and only those that nobody answered to. One pass per organization at a time; passes follow
 * one another without a gap as long as spans come.
 */
export function createExternalCalls(
  { learn, onError }: { learn(window: CallWindow): Promise<void>; onError(error: unknown): void },
  waitMs = settledMs,
) {
  /** By organization, until when spans came, epoch ms. */
  const stored = new Map<string, number>();

  function lookAt(orgId: string, from: number, inMs: number): void {
    const to = from + waitMs;
    const timer = setTimeout(() => {
      const more = (stored.get(orgId) ?? 0) >= to;
      if (more) lookAt(orgId, to, waitMs);
      else stored.delete(orgId);
      learn({ orgId, from, to }).catch(onError);
    }, inMs);
    timer.unref();
  }

  /** Spans that name hosts were stored for `orgId` in that time, epoch ms. */
  return (orgId: string, { from, to }: { from: number; to: number }): void => {
    const isWaiting = stored.has(orgId);
    stored.set(orgId, to);
    // those of the whole window are then as old as they have to be
    if (!isWaiting) lookAt(orgId, from, 2 * waitMs);
  };
}
