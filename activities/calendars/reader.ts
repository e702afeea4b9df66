import { Piscina } from 'piscina';
import { fairTurns, NoTurnError } from '../../domain/fair-turns.ts';
import { CalendarError, type CalendarEvent, type CalendarQuestion } from './events.ts';
import type { CalendarAnswer } from './events-thread.ts';

/** Calendars that wait for the thread; each is 2 MB at most. */
const waiting = { ofOne: 20, ofAll: 60 };

/** Throws CalendarError for what is no calendar, or takes too long. */
export type CalendarReader = (orgId: string, question: CalendarQuestion) => Promise<CalendarEvent[]>;

/**
 * Reads calendars in a thread of their own: two megabytes take seconds, and a rule that never comes true would never
 * end.
 *
 * @param patience milliseconds that a calendar may keep the thread, and that it may wait for it
 */
export function createCalendarReader(
  patience: { work: number; wait: number } = { work: 15_000, wait: 60_000 },
): CalendarReader {
  const threads = new Piscina<CalendarQuestion, CalendarAnswer>({
    filename: new URL('./events-thread.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 10_000,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  const inTurn = fairTurns({ atOnce: 1, waiting });

  return async (orgId, question) => {
    const answer = await inTurnOrRefuse(orgId, question);
    if ('problem' in answer) throw new CalendarError(answer.problem);
    return answer.events;
  };

  async function inTurnOrRefuse(orgId: string, question: CalendarQuestion): Promise<CalendarAnswer> {
    try {
      return await inTurn(
        orgId,
        () => threads.run(question, { signal: AbortSignal.timeout(patience.work) }),
        AbortSignal.timeout(patience.wait),
      );
    } catch (error) {
      throw refusalOf(error) ?? error;
    }
  }
}

/** What is the calendar's fault, or that of too many others. */
function refusalOf(error: unknown): CalendarError | undefined {
  if (error instanceof NoTurnError) return new CalendarError('too many other calendars are being read');
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'AbortError') return new CalendarError('it takes too long to read');
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new CalendarError('it takes too much memory to read');
  }
  return undefined;
}
