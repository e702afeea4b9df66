/*
 * Workflows import this file, and each workflow evaluates what it imports anew: no library here, least of all
 * zod, which takes 3.5 ms and 300 kB a workflow. The schema of durations is in duration-text.ts.
 */

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Ten years: a time that is added to now must remain one that can be written down. */
const longestMs = 3_650 * unitMs.d;

/**
 * Milliseconds of a duration such as '500ms', '2s', '15m', '4h' or '7d'; undefined if it is none, or longer than
 * ten years.
 */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text.trim());
  if (!match) return undefined;
  const ms = Math.round(Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]);
  return ms <= longestMs ? ms : undefined;
}

/** Milliseconds of a duration that was validated before. Throws RangeError on text that is no duration. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new RangeError(`not a duration: '${text}' (write '30s', '15m', '4h' or '7d')`);
  return ms;
}

/** For people: '45 s', '12 min', '2 h 14 min', '3 d 4 h'. Rounds to seconds, then down to the smaller of its two units. */
export function formatDuration(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000));
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
