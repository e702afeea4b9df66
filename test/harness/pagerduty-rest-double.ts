import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';

/**
 * PagerDuty's REST API v2, as far as notes take it, as strict as its documentation (developer.pagerduty.com/api-reference:
 * GET /incidents, GET and POST /incidents/{id}/notes; support.pagerduty.com/docs/rest-api-rate-limits).
 */
export interface PagerDutyRest {
  /** In the order in which they were written; `incident` is PagerDuty's own id. */
  notes: { id: string; incident: string; content: string; user: string }[];
  /** Method and path of each call. */
  calls: string[];
  /** Seconds: answers with 429 until it is undefined. */
  askForPatience: number | undefined;
  /** Takes a note, and breaks the connection in place of an answer. */
  breakOff: boolean;
  /** Its key may only read. */
  readOnly: boolean;
}

export interface RestIncident {
  id: string;
  key: string;
  status: string;
}

export interface RestCall {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
}

/** `broken`: the connection ends without it. */
export interface RestAnswer {
  status: number;
  content: object;
  headers?: Record<string, string>;
  broken?: boolean;
}

const accepted = 'application/vnd.pagerduty+json;version=2';
const mostNotes = 2000;
const listQuery = z.strictObject({
  incident_key: z.string().optional(),
  date_range: z.literal('all').optional(),
  sort_by: z
    .string()
    .regex(/^(incident_number|created_at|resolved_at|urgency):(asc|desc)$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(100).optional(),
});
const newNote = z.strictObject({ note: z.strictObject({ content: z.string().trim().min(1) }) });

const refusal = (status: number, code: number, message: string, ...errors: string[]): RestAnswer => ({
  status,
  content: { error: { message, code, errors } },
});

/** `incidents`: all that there are, the oldest first; `users`: mail addresses of those who are known there. */
export function answerRest(
  rest: PagerDutyRest,
  call: RestCall,
  {
    apiToken,
    users,
    incidents,
  }: { apiToken: string; users: readonly string[]; incidents: readonly RestIncident[] },
): RestAnswer {
  const { method, url, headers } = call;
  rest.calls.push(`${method} ${url.pathname}`);
  if (rest.askForPatience !== undefined) {
    const reset = { 'ratelimit-remaining': '0', 'ratelimit-reset': String(rest.askForPatience) };
    return { ...refusal(429, 2020, 'Rate Limit Exceeded'), headers: reset };
  }
  if (headers.authorization !== `Token token=${apiToken}`) return refusal(401, 2006, 'Unauthorized');
  if (headers.accept !== accepted) return refusal(406, 2002, 'no version is asked for');
  if (method !== 'GET' && rest.readOnly) return refusal(403, 2010, 'Access Denied');
  if (method === 'GET' && url.pathname === '/incidents') return list(url, incidents);
  const id = /^\/incidents\/(\w+)\/notes$/.exec(url.pathname)?.[1];
  if (id === undefined || !incidents.some((incident) => incident.id === id)) {
    return refusal(404, 2100, 'Not Found');
  }
  const there = rest.notes.filter(({ incident }) => incident === id);
  if (method === 'GET') return { status: 200, content: { notes: there } };
  if (method !== 'POST') return refusal(405, 2002, 'Method Not Allowed');
  return write(rest, call, { id, users, full: there.length >= mostNotes });
}

function list(url: URL, incidents: readonly RestIncident[]): RestAnswer {
  const query = listQuery.safeParse(Object.fromEntries(url.searchParams));
  if (!query.success) return refusal(400, 2001, 'Invalid Input Provided', query.error.message);
  const { incident_key, sort_by = 'created_at:asc', limit = 25 } = query.data;
  const found = incidents.filter(({ key }) => incident_key === undefined || key === incident_key);
  const sorted = sort_by === 'created_at:desc' ? found.toReversed() : found;
  // what has alerts has no key of its own
  const shown = sorted.slice(0, limit).map(({ id, status }) => ({ id, type: 'incident', status }));
  return { status: 200, content: { incidents: shown, limit, offset: 0, total: null, more: false } };
}

function write(
  rest: PagerDutyRest,
  { headers, body }: RestCall,
  { id, users, full }: { id: string; users: readonly string[]; full: boolean },
): RestAnswer {
  if (!headers['content-type']?.startsWith('application/json')) return refusal(400, 2001, 'no JSON');
  const user = headers.from;
  if (user === undefined || !users.includes(user)) return refusal(400, 1008, 'Requester User Not Found');
  const parsed = newNote.safeParse(JSON.parse(body));
  if (!parsed.success || full) return refusal(400, 2001, 'Invalid Input Provided', 'the note is refused');
  const { content } = parsed.data.note;
  const note = { id: `PN${rest.notes.length + 1}`, incident: id, content, user };
  rest.notes.push(note);
  return { status: 201, content: { note }, broken: rest.breakOff };
}
