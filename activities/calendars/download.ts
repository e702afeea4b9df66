import { type Dispatcher, fetch, type Response } from 'undici';
import { CalendarError } from './events.ts';

const timeoutMs = 15_000;
const mostBytes = 2 * 1024 * 1024;

/**
 * The text at an address that an Admin wrote. `dispatcher` is made with `webhookDispatcher`: it keeps to its rules of
 * where a request may go, after redirects too. Throws CalendarError with what is wrong, without the address, which may
 * be a secret.
 */
export async function downloadCalendar(url: string, dispatcher: Dispatcher): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(url, {
      headers: { accept: 'text/calendar, */*;q=0.1', 'user-agent': 'Holdfast' },
      signal,
      dispatcher,
    });
    if (response.ok) return await textOf(response);
  } catch (error) {
    throw error instanceof CalendarError ? error : new CalendarError(whyNot(error), { cause: error });
  }
  await response.body?.cancel();
  throw new CalendarError(`it was answered with HTTP ${response.status}`);
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // leaving the loop ends the connection
    if (bytes > mostBytes) throw new CalendarError('it is larger than 2 MB');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function whyNot(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  if (!(cause instanceof Error)) return 'it cannot be reached';
  if (cause.name === 'TimeoutError') return `it did not answer within ${timeoutMs / 1000} s`;
  return `it cannot be reached: ${cause.message || cause.name}`;
}
