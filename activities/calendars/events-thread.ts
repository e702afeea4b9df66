import { CalendarError, type CalendarEvent, type CalendarQuestion, readEvents } from './events.ts';

/** What a thread of reader.ts answers: the class of an error would not come through. */
export type CalendarAnswer = { events: CalendarEvent[] } | { problem: string };

/** What a thread of reader.ts runs. */
export default function read(question: CalendarQuestion): CalendarAnswer {
  try {
    return { events: readEvents(question) };
  } catch (error) {
    if (error instanceof CalendarError) return { problem: error.message };
    throw error;
  }
}
