import { once } from 'node:events';
import { connect } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { Agent, type Dispatcher, request } from 'undici';
import { formatDuration } from '../../domain/duration.ts';
import type { JsonValue } from '../../domain/runbook/definition.ts';
import type { RenderedRequest } from '../../domain/runbook/rendered.ts';
import { innermostReason } from '../innermost-reason.ts';
import type { CheckContext, Finding, StepAdapter, StepContext, StepResult } from './adapter.ts';
import { EgressRefusedError } from './egress.ts';

type HttpContext = Pick<StepContext, 'timeoutMs' | 'signal' | 'output' | 'egress' | 'idempotencyKey'>;

export const httpAdapter: StepAdapter<RenderedRequest> = { check: checkTarget, run: runHttp };

const mostRedirects = 5;
/** Bytes of an answer that are read at most: enough for any health check. */
const longestAnswer = 1024 * 1024;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

interface Answer {
  status: number;
  location?: string;
  body: string;
  complete: boolean;
}

/** Whether the host may be spoken to and takes connections; nothing is asked of it. */
async function checkTarget(step: RenderedRequest, context: CheckContext): Promise<Finding[]> {
  const trusted = !step.hostFromVariable;
  const host = step.url.hostname.replace(/^\[|\]$/g, '');
  const port = step.url.port === '' ? (step.url.protocol === 'https:' ? 443 : 80) : Number(step.url.port);
  const what = 'connection';
  try {
    context.egress.checkUrl(step.url, trusted);
    const socket = connect({ host, port, lookup: context.egress.lookupFor(step.url, trusted) });
    try {
      await once(socket, 'connect', {
        signal: AbortSignal.any([context.signal, AbortSignal.timeout(context.timeoutMs)]),
      });
    } finally {
      socket.destroy();
    }
    return [{ ok: true, what, detail: `${step.url.host} takes connections` }];
  } catch (error) {
    return [{ ok: false, what, detail: `${step.url.host} does not answer: ${innermostReason(error)}` }];
  }
}

/** One request with its redirects; ok when status, JSON and text are as the step expects. */
export async function runHttp(step: RenderedRequest, context: HttpContext): Promise<StepResult> {
  const timeout = AbortSignal.timeout(context.timeoutMs);
  try {
    const answer = await followRedirects(step, context, AbortSignal.any([context.signal, timeout]));
    const problem = checkAnswer(step, answer);
    return problem === undefined ? { ok: true } : { ok: false, error: problem };
  } catch (error) {
    if (context.signal.aborted) return { ok: false, error: 'cancelled while it waited for the answer' };
    if (timeout.aborted) return { ok: false, error: `no answer within ${formatDuration(context.timeoutMs)}` };
    return { ok: false, error: innermostReason(error) };
  }
}

async function followRedirects(
  step: RenderedRequest,
  context: HttpContext,
  signal: AbortSignal,
): Promise<Answer> {
  let current = step;
  let trusted = !step.hostFromVariable;
  for (let redirects = 0; ; redirects += 1) {
    context.egress.checkUrl(current.url, trusted);
    const answer = await send(current, trusted, context, signal);
    if (answer.location === undefined || step.expectedStatus.includes(answer.status)) return answer;
    if (redirects === mostRedirects) throw new Error(`more than ${mostRedirects} redirects`);
    const next = nextUrl(answer.location, current.url);
    // where an answer sends us is not what the runbook's author wrote
    trusted = trusted && next.origin === current.url.origin;
    current = redirected(current, next, answer.status);
  }
}

function nextUrl(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) throw new Error(`redirected to '${location}', which is no url`);
  const next = new URL(location, from);
  if (next.protocol !== 'https:' && next.protocol !== from.protocol) {
    throw new EgressRefusedError(
      `redirected from ${from.protocol}// to ${next.protocol}//, which is not followed`,
    );
  }
  next.username = '';
  next.password = '';
  return next;
}

/** RFC 9110, 15.4: 307 and 308 repeat the request, the others fetch. Another origin gets no headers of the step's. */
function redirected(step: RenderedRequest, url: URL, status: number): RenderedRequest {
  const sameOrigin = url.origin === step.url.origin;
  const repeats = status === 307 || status === 308;
  if (repeats && !sameOrigin && step.body !== undefined) {
    throw new EgressRefusedError(`redirected with its body to ${url.origin}, which is not followed`);
  }
  const { body, ...rest } = step;
  const method = repeats || step.method === 'HEAD' ? step.method : 'GET';
  return {
    ...rest,
    url,
    method,
    headers: sameOrigin ? step.headers : {},
    ...(repeats && body !== undefined ? { body } : {}),
  };
}

async function send(
  step: RenderedRequest,
  trusted: boolean,
  context: HttpContext,
  signal: AbortSignal,
): Promise<Answer> {
  const { output } = context;
  output.note(`${step.method} ${step.url.href}`);
  // a connection of its own for each request: a kept one might lead where this host's rules do not
  const agent = new Agent({ connect: { lookup: context.egress.lookupFor(step.url, trusted) } });
  const began = performance.now();
  try {
    const response = await request(step.url.href, {
      method: step.method,
      dispatcher: agent,
      signal,
      headers: { 'user-agent': 'Holdfast', 'idempotency-key': context.idempotencyKey, ...step.headers },
      ...(step.body === undefined ? {} : { body: step.body }),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const { body, complete } = await readBody(response.body);
    output.note(
      `${response.statusCode} after ${Math.round(performance.now() - began)} ms, ${complete ? body.length : `more than ${longestAnswer}`} bytes`,
    );
    const text = body.toString('utf8');
    if (text !== '') output.note(text);
    const location = redirectStatuses.has(response.statusCode) ? response.headers.location : undefined;
    return {
      status: response.statusCode,
      body: text,
      complete,
      ...(typeof location === 'string' ? { location } : {}),
    };
  } finally {
    await agent.destroy();
  }
}

async function readBody(
  stream: Dispatcher.ResponseData['body'],
): Promise<{ body: Buffer; complete: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, longestAnswer - length));
    length += chunk.length;
    if (length > longestAnswer) return { body: Buffer.concat(chunks), complete: false };
  }
  return { body: Buffer.concat(chunks), complete: true };
}

function checkAnswer(step: RenderedRequest, answer: Answer): string | undefined {
  const expected = step.expectedStatus;
  const statusFits =
    expected.length > 0 ? expected.includes(answer.status) : answer.status >= 200 && answer.status < 300;
  if (!statusFits) {
    return `expected status ${expected.length > 0 ? expected.join(' or ') : '2xx'}, got ${answer.status}`;
  }
  if (step.expectBody !== undefined && !answer.body.includes(step.expectBody)) {
    return `the answer does not contain ${JSON.stringify(step.expectBody)}`;
  }
  return checkJson(step.expectJson, answer);
}

function checkJson(expected: Readonly<Record<string, JsonValue>>, answer: Answer): string | undefined {
  const paths = Object.keys(expected);
  if (paths.length === 0) return undefined;
  if (!answer.complete) return `the answer is longer than ${longestAnswer} bytes and was not read as JSON`;
  let json: unknown;
  try {
    json = JSON.parse(answer.body);
  } catch {
    return 'the answer is no JSON';
  }
  for (const path of paths) {
    const found = valueAt(json, path);
    if (!isDeepStrictEqual(found, expected[path])) {
      return `expected ${path} = ${JSON.stringify(expected[path])}, got ${found === undefined ? 'nothing' : JSON.stringify(found)}`;
    }
  }
  return undefined;
}

/** The value at a dotted path; '$' at its begin, as in JSONPath, stands for the whole. */
function valueAt(json: unknown, path: string): unknown {
  let value = json;
  for (const part of path.replace(/^\$\.?/, '').split('.')) {
    if (part === '') continue;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}
