import { Agent, fetch, type Response } from 'undici';
import { EgressRefusedError, type EgressRules, type Trust } from '../steps/egress.ts';
import { CalendarError } from './events.ts';

const timeoutMs = 15_000;
const mostBytes = 2 * 1024 * 1024;
const mostRedirects = 5;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/**
 * The text at an address that an Admin wrote, which may be private for that. Each redirect is checked as it is followed:
 * nobody wrote where it leads, so a private network has to be listed in HOLDFAST_EGRESS_ALLOW. Throws CalendarError with
 * what is wrong, without the address, which may be a secret.
 */
export async function downloadCalendar(url: string, egress: EgressRules): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  const written = new URL(url);
  let at = written;
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    const answer = await ask(at, { trusted: at.origin === written.origin || 'public', egress, signal });
    if ('text' in answer) return answer.text;
    at = nextUrl(answer.location, at);
  }
  throw new CalendarError(`it redirects more than ${mostRedirects} times`);
}

async function ask(
  url: URL,
  { trusted, egress, signal }: { trusted: Trust; egress: EgressRules; signal: AbortSignal },
): Promise<{ text: string } | { location: string }> {
  // a connection of its own for each request: a kept one might lead where this host's rules do not
  const agent = new Agent({ connect: { lookup: egress.lookupFor(url, trusted), timeout: timeoutMs } });
  try {
    // a literal address is never looked up
    egress.checkUrl(url, trusted);
    const response = await fetch(url, {
      headers: { accept: 'text/calendar, */*;q=0.1', 'user-agent': 'Holdfast' },
      redirect: 'manual',
      signal,
      dispatcher: agent,
    });
    if (response.ok) return { text: await textOf(response) };
    const location = redirectStatuses.has(response.status) ? response.headers.get('location') : null;
    if (location !== null) return { location };
    throw new CalendarError(`it was answered with HTTP ${response.status}`);
  } catch (error) {
    if (error instanceof CalendarError) throw error;
    throw new CalendarError(whyNot(error, url, trusted), { cause: error });
  } finally {
    await agent.destroy();
  }
}

function nextUrl(location: string, from: URL): URL {
  const next = URL.parse(location, from.href);
  if (!next) throw new CalendarError('it redirects to what is no address');
  if (next.protocol !== 'https:' && next.protocol !== from.protocol) {
    throw new CalendarError(
      `it redirects from ${from.protocol}// to ${next.protocol}//, which is not followed`,
    );
  }
  next.username = '';
  next.password = '';
  return next;
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

function whyNot(error: unknown, { host }: URL, trusted: Trust): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  if (!(cause instanceof Error)) return 'it cannot be reached';
  if (cause.name === 'TimeoutError') return `it did not answer within ${timeoutMs / 1000} s`;
  if (cause instanceof EgressRefusedError && trusted === 'public') {
    return `it redirects to ${host}, which is in a private network and is not followed. If that is meant, write that address as the calendar's, or list the host in HOLDFAST_EGRESS_ALLOW`;
  }
  return `it cannot be reached: ${cause.message || cause.name}`;
}
