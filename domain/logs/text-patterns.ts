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
  let open: string[] | undefined;
  for (const line of lines) {
    if (open && open.length < longestTrace && traceContinues(open, line)) {
      open.push(line);
      continue;
    }
    const event = [line];
    events.push(event);
    open = traceStarts(line) ? event : undefined;
  }
  return events;
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
