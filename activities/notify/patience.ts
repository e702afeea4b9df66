import { ApplicationFailure } from '@temporalio/common';
import type { Severity } from '../../domain/severity.ts';

/**
 * How long a message waits for its next attempt. Temporal makes some 200 of them (workflows/incident.ts): an answer that
 * asks for the next one soon, or a destination that has no turn for hours, must not use them up while it is still worth
 * waiting.
 */

/** So many attempts are made as soon as they may be; then they become rarer, so that all take some seven hours. */
const freely = 50;
const oftenUntil = 120;
const oftenMs = 15_000;
const seldomMs = 5 * 60_000;

export function leastDelayMs(attempt: number): number {
  if (attempt <= freely) return 0;
  return attempt <= oftenUntil ? oftenMs : seldomMs;
}

const longestSpreadMs = 60_000;
const longestSpreadOfCriticalMs = 10_000;

/**
 * Those who wait for a turn come back spread out, the further the longer they have waited, so that many do not ask all at
 * once; what is critical asks more often, and so is not one among a storm of others. `chance`: from 0 to 1.
 */
export function busy(
  why: string,
  forMs: number,
  { attempt, severity, chance }: { attempt: number; severity: Severity; chance: number },
): ApplicationFailure {
  const longestMs = severity === 'critical' ? longestSpreadOfCriticalMs : longestSpreadMs;
  const spreadMs = Math.min(longestMs, 500 * 2 ** Math.min(attempt, 10));
  return ApplicationFailure.create({
    type: 'DestinationBusy',
    message: `the destination has no turn now: ${why}`,
    nextRetryDelay: Math.round(forMs + Math.max(spreadMs, 2 * leastDelayMs(attempt)) * chance),
  });
}

/** The failure of this attempt, with the next one not too soon for an attempt of this number. */
export function withPatience(failure: ApplicationFailure, attempt: number): ApplicationFailure {
  const { nextRetryDelay, message, type, details, cause } = failure;
  const least = leastDelayMs(attempt);
  if (failure.nonRetryable || nextRetryDelay == null || Number(nextRetryDelay) >= least) return failure;
  return ApplicationFailure.create({
    message,
    ...(type != null && { type }),
    ...(details != null && { details }),
    ...(cause !== undefined && { cause }),
    nextRetryDelay: least,
  });
}
