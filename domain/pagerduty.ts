/** What PagerDuty knows something by: at most 255 characters, of ids alone. */
export const dedupKeyOf = (subject: string): string => `holdfast:${subject}`.slice(0, 255);

/** The incident that a key of PagerDuty's is about; undefined: it is not one of Holdfast's incidents. */
export function incidentOfDedupKey(key: string): string | undefined {
  return /^holdfast:incident:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(key)?.[1];
}

/**
 * Under what a channel keeps what people said at PagerDuty of one opening of an incident, so that it is not told what it
 * said itself. What was done there before the incident opened again says nothing of it now.
 */
export const pagerDutySaid = (incidentId: string, opening: number): string =>
  `incident:${incidentId}:said:${opening}`;
