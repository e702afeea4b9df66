import type { IncidentState } from './state.ts';

/** What somebody had before their eyes when they clicked. Absent: it is not known, and taken as up to date. */
export interface AsOf {
  /** Of the incident: 1, and one more with each reopening. */
  opening?: number | undefined;
  /** Number of the last event that was recorded then. */
  asOf?: number | undefined;
}

/**
 * Why a click on what was shown then is to change nothing, for the person; null: it is up to date enough. What has
 * begun anew since, by a reopening or because an acknowledgement was taken back, was not what they meant.
 */
export function outOfDate(state: IncidentState, { opening, asOf }: AsOf): string | null {
  if (opening !== undefined && opening < state.openings) {
    return 'this was about an earlier opening: it was resolved and fires again since. Look at it as it is now, and act from there';
  }
  if (asOf === undefined || asOf >= state.renewedSeq) return null;
  return 'it has begun anew since then: it fired again, or its acknowledgement was taken back because nothing happened. Look at it as it is now, and act from there';
}
