import { isError, type LogLine } from './log-line.ts';

/** A line with what is known of its pattern. */
export interface WeighedLine extends LogLine {
  /** The pattern's number, and how many lines have it. */
  group: number;
  groupCount: number;
  /** Its pattern was not seen before the incident. */
  isNew: boolean;
  /** How many times its usual count its pattern has; 1: as usual, or not known. */
  timesUsual: number;
}

export interface RelevanceContext {
  /** When the alerts began, epoch milliseconds. */
  alertTimes: readonly number[];
  services: readonly string[];
}

/** Points: an error outweighs everything else; what is rare, new, close in time and of the service adds up. */
const points = {
  fatal: 140,
  error: 130,
  warn: 40,
  info: 0,
  debug: -20,
  trace: -30,
  rare: 25,
  isNew: 25,
  unusual: 20,
  near: 20,
  ownService: 15,
};
/** A pattern this many times its usual count, or more, has all the points for it. */
const veryUnusual = 10;
/** Milliseconds after which closeness has fallen to a third. */
const nearness = 60_000;
/** Lines of one pattern: the fourth teaches nothing that the first three did not. */
const linesPerPattern = 3;

/** The `limit` most relevant lines, most relevant first; of equals the earlier one. */
export function relevantLines(
  lines: readonly WeighedLine[],
  context: RelevanceContext,
  limit: number,
): WeighedLine[] {
  const services = new Set(context.services.map((service) => service.toLowerCase()));
  const scored = lines
    .map((line) => ({ line, score: relevance(line, lines.length, context.alertTimes, services) }))
    .sort((a, b) => b.score - a.score || a.line.at - b.line.at);
  const taken = new Map<number, number>();
  const chosen: WeighedLine[] = [];
  for (const { line } of scored) {
    if (chosen.length === limit) break;
    const count = taken.get(line.group) ?? 0;
    if (count === linesPerPattern) continue;
    taken.set(line.group, count + 1);
    chosen.push(line);
  }
  return chosen;
}

function relevance(
  line: WeighedLine,
  total: number,
  alertTimes: readonly number[],
  services: ReadonlySet<string>,
): number {
  const rarity = total > 1 ? Math.max(0, 1 - Math.log(line.groupCount) / Math.log(total)) : 1;
  const distance = Math.min(...alertTimes.map((time) => Math.abs(time - line.at)), Number.MAX_SAFE_INTEGER);
  return (
    points[line.level] +
    points.rare * rarity * (isError(line.level) || line.level === 'warn' ? 1 : 0.5) +
    (line.isNew ? points.isNew : 0) +
    points.unusual * Math.min(1, Math.log(line.timesUsual) / Math.log(veryUnusual)) +
    points.near * Math.exp(-distance / nearness) +
    (line.service !== null && services.has(line.service.toLowerCase()) ? points.ownService : 0)
  );
}
