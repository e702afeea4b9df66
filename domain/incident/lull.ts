import { formatDuration } from '../duration.ts';
import { closeByItsAlerts } from './resolution.ts';
import type { IncidentState } from './state.ts';
import { holdfast, tell } from './story.ts';

/**
 * Each lull of a flapping alert would be an end, and each return a reopening that pages again: such an incident is over
 * when it has stayed quiet. What fires again is not always read at once, so that the feed has the last word.
 */

/** Nothing fires: from now on, or still. `cameAndWent`: an alert has joined since the last reading and is over. */
export function waitForQuiet(
  state: IncidentState,
  { at, quietMs, cameAndWent }: { at: number; quietMs: number; cameAndWent: boolean },
): IncidentState {
  const { until, ending, told } = state.lull;
  if (until !== null && !cameAndWent) {
    return ending && !state.feedUnread ? closeByItsAlerts(state, at) : state;
  }
  const next: IncidentState = { ...state, lull: { until: at + quietMs, told: true } };
  if (told) return next;
  const summary = `Nothing fires, but its alerts flap: over when it stays so for ${formatDuration(quietMs)}`;
  return tell(next, at, 'flapping', holdfast, summary);
}

/** The quiet time is over: the feed is read once more, by a reading that begins now. */
export function endLull(state: IncidentState, now: number): IncidentState {
  const { until, ending } = state.lull;
  if (until === null || ending || now < until) return state;
  return { ...state, feedUnread: true, lull: { ...state.lull, ending: true } };
}
