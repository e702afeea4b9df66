import { isError, type LogLevel, type LogLine } from './log-line.ts';

/** Lines of a stretch of time, of which a source may have given only some. Epoch milliseconds, `to` not included. */
export interface LogSample {
  lines: readonly LogLine[];
  /** Lines that the source holds of it, of which `lines` may be the first: errors before others, then the latest. */
  total: number;
  from: number;
  to: number;
}

type Loudness = 'errors' | 'warnings' | 'rest';
const loudnesses: readonly Loudness[] = ['errors', 'warnings', 'rest'];

/** Milliseconds of a sample that lines of each loudness cover: all of it where none of them was left out. */
export type Coverage = Record<Loudness, number>;

export function loudness(level: LogLevel): Loudness {
  return isError(level) ? 'errors' : level === 'warn' ? 'warnings' : 'rest';
}

/** Sources give the loud lines first: only the quietest that they gave are cut off, at their earlier end. */
export function coverage({ lines, total, from, to }: LogSample): Coverage {
  const whole = Math.max(1, to - from);
  if (total <= lines.length) return { errors: whole, warnings: whole, rest: whole };
  const quietest = Math.max(0, ...lines.map((line) => loudnesses.indexOf(loudness(line.level))));
  const covered = (loud: Loudness): number => {
    const place = loudnesses.indexOf(loud);
    if (place < quietest) return whole;
    if (place > quietest || lines.length === 0) return 0;
    const first = lines.reduce(
      (earliest, line) => (loudness(line.level) === loud ? Math.min(earliest, line.at) : earliest),
      to,
    );
    return Math.max(1, to - first);
  };
  return { errors: covered('errors'), warnings: covered('warnings'), rest: covered('rest') };
}

/** What is too short a stretch to say that something was never seen, or how often. Milliseconds. */
const shortestStretch = 5 * 60_000;
/** Lines more than usual that are needed to speak of it: fewer come by chance. */
const linesBeyondUsual = 4;

/**
 * How many lines there would usually be where `before` were seen in `coveredBefore` milliseconds; null when that is
 * too short a stretch to say.
 */
export function usualCount(before: number, coveredBefore: number, covered: number): number | null {
  if (coveredBefore < shortestStretch) return null;
  return Math.round(((before * covered) / coveredBefore) * 100) / 100;
}

/** How many times its usual count something is; 1 where it is not known, or no more than chance. */
export function timesUsual(count: number, usual: number | null | undefined): number {
  if (usual === null || usual === undefined || usual <= 0) return 1;
  // a count varies by its square root
  const beyondChance = count - usual >= Math.max(linesBeyondUsual, 3 * Math.sqrt(usual));
  return beyondChance && count / usual >= 2 ? count / usual : 1;
}

/** For people: 'new', '7× usual', or nothing worth to be said. */
export function comparedWithUsual(pattern: {
  count: number;
  isNew: boolean;
  /** Absent in what was written before it was counted. */
  before?: number | null;
}): string | null {
  if (pattern.isNew) return 'new';
  const times = timesUsual(pattern.count, pattern.before);
  if (times === 1) return null;
  return `${times < 10 ? Math.round(times * 10) / 10 : Math.round(times)}× usual`;
}
