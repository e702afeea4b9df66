import { logsByService, type ServiceLogs } from './by-service.ts';
import { cut, isError, type LogLevel, type LogLine, logLevels, worstLevel } from './log-line.ts';
import { minePatterns } from './patterns.ts';
import { type RelevanceContext, relevantLines, type WeighedLine } from './relevance.ts';
import { foldStackTraces, type StackTrace } from './stack-traces.ts';
import { minedText } from './text-patterns.ts';
import { type Coverage, coverage, type LogSample, loudness, timesUsual, usualCount } from './usual.ts';

/** What stands on the incident of its logs. Instants are ISO 8601; small enough for one row (see `sizes`). */
export interface LogEvidence {
  patterns: LogPattern[];
  stackTraces: StackTraceEvidence[];
  /** Most relevant first. */
  lines: RelevantLine[];
  /** The services that the lines are of, those with the most errors first. */
  services: ServiceLogs[];
}

export interface LogPattern {
  /** With '<*>' where its lines differ. */
  template: string;
  count: number;
  /** The worst of its lines. */
  level: LogLevel;
  firstAt: string;
  lastAt: string;
  sample: string;
  /** Not seen in the lines from before the incident; false where there are none to compare with. */
  isNew: boolean;
  /**
   * How many there would be by the hour before, scaled to the time that `count` was counted in; null: not known.
   * See comparedWithUsual in usual.ts.
   */
  before: number | null;
}

export interface StackTraceEvidence {
  language: StackTrace['language'];
  exception: string;
  message: string;
  cause: StackTrace['cause'];
  file: string | null;
  line: number | null;
  function: string | null;
  service: string | null;
  count: number;
  firstAt: string;
  lastAt: string;
  sample: string;
  isNew: boolean;
}

export interface RelevantLine {
  at: string;
  level: LogLevel;
  service: string | null;
  host: string | null;
  message: string;
  isNew: boolean;
}

const most = { patterns: 50, stackTraces: 20, lines: 100 };
/** Bytes that the evidence may take; texts are cut shorter until it fits. */
const budget = 190_000;
/** Characters of a template, sample or message, and of a stack trace's sample: the first that fits is taken. */
const sizes = [
  { text: 1000, trace: 2000 },
  { text: 500, trace: 1500 },
  { text: 250, trace: 1000 },
  { text: 100, trace: 500 },
];

export interface EvidenceContext extends RelevanceContext {
  /** Names of services that errors may mention, beside those that wrote lines. */
  knownServices?: readonly string[];
}

/**
 * The lines around the incident, and those from `before` it (null: there are none to compare with). Both are mined
 * together, so that 'new' and 'usual' compare like with like.
 */
export function logEvidence(
  around: LogSample,
  before: LogSample | null,
  context: EvidenceContext,
): LogEvidence {
  const during = foldStackTraces(around.lines);
  const earlier = foldStackTraces(before?.lines ?? []);
  const comparison = before !== null && before.lines.length > 0 ? compare(around, before) : null;
  const weighed = weigh(during.lines, earlier.lines, comparison);
  const patterns = aggregate(weighed);
  const knownTraces = new Set(earlier.traces.map(identity));
  const traces = during.traces.slice(0, most.stackTraces);
  const relevant = relevantLines(weighed, context, most.lines);
  const services = logsByService(weighed, usualErrors(earlier.lines, comparison), [
    ...context.services,
    ...(context.knownServices ?? []),
  ]);

  const write = (size: { text: number; trace: number }): LogEvidence => ({
    patterns: patterns.slice(0, most.patterns).map((pattern) => ({
      ...pattern,
      template: cut(pattern.template, size.text),
      sample: cut(pattern.sample, size.text),
    })),
    stackTraces: traces.map((trace) => ({
      language: trace.language,
      exception: cut(trace.exception, size.text),
      message: cut(trace.message, size.text),
      cause: trace.cause && {
        exception: cut(trace.cause.exception, size.text),
        message: cut(trace.cause.message, size.text),
      },
      file: trace.frame && cut(trace.frame.file, size.text),
      line: trace.frame?.line ?? null,
      function: trace.frame && cut(trace.frame.function, size.text),
      service: trace.service,
      count: trace.count,
      firstAt: iso(trace.firstAt),
      lastAt: iso(trace.lastAt),
      sample: cut(trace.sample, size.trace),
      isNew: comparison !== null && !knownTraces.has(identity(trace)),
    })),
    lines: relevant.map((line) => ({
      at: iso(line.at),
      level: line.level,
      service: line.service && cut(line.service, 200),
      host: line.host && cut(line.host, 255),
      message: cut(line.message, size.text),
      isNew: line.isNew,
    })),
    services: services.map((one) => ({
      ...one,
      service: cut(one.service, 200),
      ...(one.sample ? { sample: cut(one.sample, size.text) } : {}),
    })),
  });
  const tried = sizes.map(write);
  return (
    tried.find((evidence) => bytes(evidence) <= budget) ?? tried.at(-1) ?? write({ text: 100, trace: 500 })
  );
}

interface Comparison {
  covered: Coverage;
  coveredBefore: Coverage;
}

function compare(around: LogSample, before: LogSample): Comparison {
  return { covered: coverage(around), coveredBefore: coverage(before) };
}

/** What of a line's level was read of the time before, scaled to what was read of the incident's. */
function usualOf(level: LogLevel, before: number, comparison: Comparison | null): number | null {
  if (!comparison) return null;
  const loud = loudness(level);
  return usualCount(before, comparison.coveredBefore[loud], comparison.covered[loud]);
}

type PatternLine = WeighedLine & { template: string; before: number | null };

function weigh(lines: LogLine[], earlier: LogLine[], comparison: Comparison | null): PatternLine[] {
  const mined = minePatterns(
    [...earlier, ...lines].map((line) => minedText(line.message.trimStart().split('\n'))),
  );
  const groups = mined.slice(earlier.length);
  const earlierCounts = countBy(mined.slice(0, earlier.length).map((one) => one.group));
  const counts = countBy(groups.map((one) => one.group));
  // of one pattern the worst level decides, as a source gives the worst lines first
  const levels = new Map<number, LogLevel>();
  for (const [index, { group }] of groups.entries()) {
    const level = lines[index]?.level ?? 'info';
    levels.set(group, worstLevel(levels.get(group) ?? level, level));
  }
  return lines.map((line, index) => {
    const { group, template } = groups[index] ?? { group: -1, template: '' };
    const groupCount = counts.get(group) ?? 1;
    const seen = earlierCounts.get(group) ?? 0;
    const before = usualOf(levels.get(group) ?? line.level, seen, comparison);
    const isNew = before !== null && seen === 0;
    return {
      ...line,
      group,
      template,
      groupCount,
      before,
      isNew,
      timesUsual: timesUsual(groupCount, before),
    };
  });
}

function countBy(groups: number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + 1);
  return counts;
}

function usualErrors(earlier: LogLine[], comparison: Comparison | null): Map<string, number> {
  const ofService = Map.groupBy(
    earlier.filter((line) => line.service !== null && isError(line.level)),
    (line) => line.service ?? '',
  );
  return new Map(
    [...ofService].map(([service, errors]) => [service, usualOf('error', errors.length, comparison) ?? 0]),
  );
}

/** Errors first, among them the new ones, then what is far more than usual, then by count. */
function aggregate(lines: PatternLine[]): LogPattern[] {
  const rank = (pattern: LogPattern): number =>
    (isError(pattern.level) ? 0 : logLevels.indexOf(pattern.level)) * 3 +
    (pattern.isNew ? 0 : timesUsual(pattern.count, pattern.before) > 1 ? 1 : 2);
  return [...Map.groupBy(lines, (line) => line.group).values()]
    .flatMap((group): LogPattern[] => {
      const [first] = group;
      if (!first) return [];
      const times = group.map((line) => line.at);
      return [
        {
          template: first.template,
          count: group.length,
          level: group.map((line) => line.level).reduce(worstLevel),
          firstAt: iso(times.reduce((a, b) => Math.min(a, b))),
          lastAt: iso(times.reduce((a, b) => Math.max(a, b))),
          sample: first.message,
          isNew: first.isNew,
          before: first.before,
        },
      ];
    })
    .sort((a, b) => rank(a) - rank(b) || b.count - a.count);
}

function identity(trace: StackTrace): string {
  return [trace.exception, trace.cause?.exception, trace.frame?.at].join('\n');
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function bytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

/** One sentence for the timeline: '412 lines, 9 patterns (3 new), 2 stack traces: java.io.IOException…'. */
export function summarizeEvidence(evidence: LogEvidence, total: number): string {
  if (total === 0) return 'No log lines around the alert';
  const isNew = evidence.patterns.filter((pattern) => pattern.isNew).length;
  const worst = evidence.stackTraces[0] ?? evidence.patterns.find((pattern) => isError(pattern.level));
  const parts = [
    count(total, 'log line'),
    `${count(evidence.patterns.length, 'pattern')}${isNew > 0 ? ` (${isNew} new)` : ''}`,
    ...(evidence.stackTraces.length > 0 ? [count(evidence.stackTraces.length, 'stack trace')] : []),
  ];
  const named = worst && ('exception' in worst ? `${worst.exception}: ${worst.message}` : worst.template);
  return `${parts.join(', ')}${named ? `; most telling: ${cut(named, 160)}` : ''}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
