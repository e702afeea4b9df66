import { cut, isError, type LogLevel, type LogLine, logLevels, worstLevel } from './log-line.ts';
import { minePatterns } from './patterns.ts';
import { type RelevanceContext, relevantLines, type WeighedLine } from './relevance.ts';
import { foldStackTraces, type StackTrace } from './stack-traces.ts';

/** What stands on the incident of its logs. Instants are ISO 8601; small enough for one row (see `sizes`). */
export interface LogEvidence {
  patterns: LogPattern[];
  stackTraces: StackTraceEvidence[];
  /** Most relevant first. */
  lines: RelevantLine[];
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

/**
 * `lines` around the incident, `before` from before it (null: there are none to compare with). Both are mined
 * together, so that 'new' compares like with like.
 */
export function logEvidence(
  lines: readonly LogLine[],
  before: readonly LogLine[] | null,
  context: RelevanceContext,
): LogEvidence {
  const during = foldStackTraces(lines);
  const earlier = foldStackTraces(before ?? []);
  const weighed = weigh(during.lines, earlier.lines, before !== null && before.length > 0);
  const patterns = aggregate(weighed);
  const knownTraces = new Set(earlier.traces.map(identity));
  const traces = during.traces.slice(0, most.stackTraces);
  const relevant = relevantLines(weighed, context, most.lines);

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
      isNew: before !== null && before.length > 0 && !knownTraces.has(identity(trace)),
    })),
    lines: relevant.map((line) => ({
      at: iso(line.at),
      level: line.level,
      service: line.service && cut(line.service, 200),
      host: line.host && cut(line.host, 255),
      message: cut(line.message, size.text),
      isNew: line.isNew,
    })),
  });
  const tried = sizes.map(write);
  return (
    tried.find((evidence) => bytes(evidence) <= budget) ?? tried.at(-1) ?? write({ text: 100, trace: 500 })
  );
}

function weigh(
  lines: LogLine[],
  before: LogLine[],
  compared: boolean,
): (WeighedLine & { template: string })[] {
  const mined = minePatterns([...before, ...lines].map((line) => minedText(line)));
  const known = new Set(mined.slice(0, before.length).map((one) => one.group));
  const current = mined.slice(before.length);
  const counts = new Map<number, number>();
  for (const { group } of current) counts.set(group, (counts.get(group) ?? 0) + 1);
  return lines.map((line, index) => {
    const { group, template } = current[index] ?? { group: -1, template: '' };
    const groupCount = counts.get(group) ?? 1;
    return { ...line, group, template, groupCount, isNew: compared && !known.has(group) };
  });
}

/** Of a message with a trace its first line: the frames are the trace's business. */
function minedText(line: LogLine): string {
  return line.message.trimStart().split('\n', 1)[0] ?? '';
}

/** Errors first, among them the new ones, then by count. */
function aggregate(lines: (WeighedLine & { template: string })[]): LogPattern[] {
  const rank = (pattern: LogPattern): number =>
    (isError(pattern.level) ? 0 : logLevels.indexOf(pattern.level)) * 2 + (pattern.isNew ? 0 : 1);
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
