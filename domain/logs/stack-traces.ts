import { cut, type LogLine } from './log-line.ts';
import { maskValues } from './masking.ts';
import { type Frame, readTrace, type Trace, traceContinues, traceStarts } from './trace-formats.ts';

/** Equal traces, folded. */
export interface StackTrace {
  language: Trace['language'];
  /** As thrown: 'java.lang.IllegalStateException', 'KeyError', 'panic', 'TypeError'. */
  exception: string;
  message: string;
  /** The innermost 'Caused by', where there is one. */
  cause: { exception: string; message: string } | null;
  /** The topmost frame that is no runtime's or library's, otherwise the topmost one. */
  frame: (Frame & { /** 'OrderService.java:42' */ at: string }) | null;
  count: number;
  /** Epoch milliseconds. */
  firstAt: number;
  lastAt: number;
  service: string | null;
  /** The text of one of them, cut with '…'. */
  sample: string;
}

export interface FoldedTraces {
  /** Most frequent first. */
  traces: StackTrace[];
  /** The lines as read: a trace that was spread over several is one line, with the whole trace in its message. */
  lines: LogLine[];
}

const sampleLength = 2000;
const messageLength = 300;
/** Lines that one trace may have; a longer one is read up to here. */
const longestTrace = 500;
/** Consecutive lines further apart are no longer one trace. Milliseconds. */
const longestPause = 2000;

/**
 * Finds the stack traces (Java, Python, Go, Node, .NET) inside messages and over consecutive lines of one
 * origin, and folds equal ones: same exception, cause and own frame, same message but for its values.
 */
export function foldStackTraces(lines: readonly LogLine[]): FoldedTraces {
  const joined = joinTraces(lines);
  const folded = new Map<string, StackTrace>();
  for (const line of joined) {
    const trace = line.message.includes('\n') ? readTrace(line.message) : undefined;
    if (trace) fold(folded, line, trace);
  }
  return { traces: [...folded.values()].sort((a, b) => b.count - a.count), lines: joined };
}

function fold(folded: Map<string, StackTrace>, line: LogLine, trace: Trace): void {
  const { exception, message, frame, cause } = trace;
  const at = frame ? `${frame.file}:${frame.line}` : null;
  const key = [line.service, exception, maskValues(message), cause?.exception, at].join('\n');
  const known = folded.get(key);
  if (known) {
    known.count++;
    known.firstAt = Math.min(known.firstAt, line.at);
    known.lastAt = Math.max(known.lastAt, line.at);
    return;
  }
  folded.set(key, {
    language: trace.language,
    exception,
    message: cut(message, messageLength),
    cause: cause && { exception: cause.exception, message: cut(cause.message, messageLength) },
    frame: frame && at ? { ...frame, at } : null,
    count: 1,
    firstAt: line.at,
    lastAt: line.at,
    service: line.service,
    sample: cut(line.message, sampleLength),
  });
}

/** One line per trace: lines that go on with the trace of the line before, from the same origin, join it. */
function joinTraces(lines: readonly LogLine[]): LogLine[] {
  const open = new Map<string, { head: LogLine; parts: string[]; lastAt: number }>();
  const result: LogLine[] = [];
  const ordered = lines.toSorted((a, b) => a.at - b.at);
  for (const line of ordered) {
    const origin = [line.service, line.host, line.labels.pod, line.labels.container, line.labels.thread].join(
      '\n',
    );
    const trace = open.get(origin);
    if (
      trace &&
      line.at - trace.lastAt <= longestPause &&
      trace.parts.length < longestTrace &&
      traceContinues(trace.parts, line.message)
    ) {
      trace.parts.push(line.message);
      trace.lastAt = line.at;
      continue;
    }
    const head = { ...line };
    result.push(head);
    if (trace) close(trace);
    open.delete(origin);
    if (traceStarts(line.message)) open.set(origin, { head, parts: [line.message], lastAt: line.at });
  }
  for (const trace of open.values()) close(trace);
  return result;
}

function close(trace: { head: LogLine; parts: string[] }): void {
  trace.head.message = trace.parts.join('\n');
}
