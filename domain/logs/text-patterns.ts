import { maskValues } from './masking.ts';
import { type MinedLine, minePatterns } from './patterns.ts';
import { readTrace, traceContinues, traceStarts } from './trace-formats.ts';

/** Lines that one trace may have; what goes on after them is read as lines of their own. */
const longestTrace = 500;

/**
 * The pattern of each line of a text, in order. Consecutive lines that are one stack trace are one event: each of
 * them has the group and template of its exception.
 */
export function minePatternsOfText(lines: readonly string[]): MinedLine[] {
  const events = foldTraces(lines);
  const mined = minePatterns(events.map(minedText));
  return events.flatMap((event, index) => {
    const found = mined[index];
    return found ? event.map(() => ({ ...found })) : [];
  });
}

function foldTraces(lines: readonly string[]): string[][] {
  const events: string[][] = [];
  let open: { event: string[]; read: string[]; header: Header } | undefined;
  for (const line of lines) {
    const text =
      open && open.event.length < longestTrace ? continuing(open.read, open.header, line) : undefined;
    if (open && text !== undefined) {
      open.event.push(line);
      open.read.push(text);
      continue;
    }
    const event = [line];
    events.push(event);
    open = undefined;
    if (traceStarts(line)) {
      const header = headerBefore(line);
      open = { event, read: [line.slice(header.join('').length)], header };
    }
  }
  return events;
}

/** What stands before the exception in the first line of a trace; a collector may put its part before each line. */
type Header = string[];

const exception =
  /Traceback \(most recent|(?:panic|fatal error): |goroutine \d|(?:[\w$]+\.)+[A-Z]|[A-Z]\w*(?:Error|Exception)/;
/** Words that a collector's part has at most. */
const longestHeader = 8;

/** Its words, each with the space behind it. */
function headerBefore(line: string): Header {
  const end = Math.max(0, line.slice(0, 300).search(exception));
  const before = /^(?:\S+\s)*/.exec(line.slice(0, end))?.[0] ?? '';
  return (before.match(/\S+\s/g) ?? []).slice(0, longestHeader);
}

/** What of `line` goes on with the trace, without what it begins with where the first line begins like that too. */
function continuing(read: string[], header: Header, line: string): string | undefined {
  if (traceContinues(read, line)) return line;
  const words = /^(?:\S+\s){0,8}/.exec(line)?.[0].match(/\S+\s/g) ?? [];
  const indent = /^\s*/.exec(read[0] ?? '')?.[0] ?? '';
  let length = 0;
  for (const [place, word] of header.entries()) {
    const own = words[place];
    if (own === undefined || maskValues(own) !== maskValues(word)) return undefined;
    length += own.length;
    // what the first line is indented by says nothing of the others
    const rest = line.slice(length);
    const text = rest.startsWith(indent) ? rest.slice(indent.length) : rest;
    if (traceContinues(read, text)) return text;
  }
  return undefined;
}

/** Openings that say nothing of what was thrown. */
const empty = /^\s*(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):|^\s*goroutine \d+ /;

/** What tells one event from another: its first line, or the exception where that line only opens a traceback. */
export function minedText(lines: readonly string[]): string {
  const first = lines[0] ?? '';
  if (lines.length === 1 || !empty.test(first)) return first;
  const trace = readTrace(lines.join('\n'));
  if (!trace) return first;
  return trace.message === '' ? trace.exception : `${trace.exception}: ${trace.message}`;
}
