import { oneLine } from './markup.ts';

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

/** A note of Holdfast's timeline: `seq` is the number of its event. */
export interface WrittenNote {
  incident: number;
  seq: number;
  writer: string;
  text: string;
}

/**
 * What a note says at PagerDuty, which knows Holdfast's user there alone: who wrote it, and which note it is. That stands
 * at the beginning, for PagerDuty's webhooks cut the end of a long note.
 */
export const noteForPagerDuty = ({ incident, seq, writer, text }: WrittenNote): string =>
  `${oneLine(writer, longestWriter)} (Holdfast #${incident}, event ${seq}): ${text}`;

/** Which of Holdfast's notes stands there; undefined: somebody wrote it at PagerDuty. */
export function noteOfHoldfast(content: string): Pick<WrittenNote, 'incident' | 'seq'> | undefined {
  const found = /^(.+?) \(Holdfast #(\d{1,9}), event (\d{1,9})\):/.exec(content);
  if (!found || (found[1] ?? '').length > longestWriter) return undefined;
  return { incident: Number(found[2]), seq: Number(found[3]) };
}

const longestWriter = 200;
