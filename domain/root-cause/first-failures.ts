import type { TraceEvidence } from './evidence.ts';

/** One span of a trace, reduced to who called whom and how it ended. */
export interface TraceSpan {
  traceId: string;
  spanId: string;
  /** Null for the first of its trace; may name a span that was never received. */
  parentSpanId: string | null;
  service: string;
  failed: boolean;
  /** In any unit that is the same for all. */
  startedAt: number;
}

/**
 * In how many failed traces each service failed first: the failed span none of whose own calls failed. Its callers
 * fail because it did. Of several in one trace the earliest counts, as the others may be retries or come of giving up.
 * Most often first, then by name.
 */
export function firstFailures(spans: readonly TraceSpan[]): TraceEvidence[] {
  const counts = new Map<string, number>();
  let failedTraces = 0;
  for (const trace of Map.groupBy(spans, ({ traceId }) => traceId).values()) {
    const first = firstFailure(trace);
    if (!first) continue;
    failedTraces++;
    counts.set(first.service, (counts.get(first.service) ?? 0) + 1);
  }
  return [...counts]
    .map(([service, first]) => ({ service, firstFailures: first, of: failedTraces }))
    .sort((a, b) => b.firstFailures - a.firstFailures || a.service.localeCompare(b.service));
}

function firstFailure(trace: readonly TraceSpan[]): TraceSpan | undefined {
  const failed = trace.filter((span) => span.failed);
  const parentsOfFailed = new Set(failed.map(({ parentSpanId }) => parentSpanId));
  const deepest = failed.filter(({ spanId }) => !parentsOfFailed.has(spanId));
  // a cycle of parents leaves none, which only a broken sender makes
  return (deepest.length > 0 ? deepest : failed).toSorted((a, b) => a.startedAt - b.startedAt)[0];
}
