import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { innermostReason } from '../innermost-reason.ts';

/**
 * Prometheus refused, failed or could not be reached. `mendable`: asking again may help (away, overloaded,
 * timed out); otherwise the query or the address is wrong and the message says what to change.
 */
export class PrometheusError extends Error {
  override name = 'PrometheusError';
  readonly mendable: boolean;

  constructor(message: string, options: { mendable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.mendable = options.mendable;
  }
}

export interface PrometheusQuestion<T> {
  /** Without /api/v1; a path in it is kept, for a Prometheus behind a prefix. User and password become a header. */
  baseUrl: string;
  path: 'query' | 'query_range';
  parameters: Record<string, string>;
  /** What `data` is to be. */
  data: z.ZodType<T>;
  timeoutMs: number;
  signal?: AbortSignal;
  /** Where the address may lead; absent: anywhere. */
  lookup?: LookupFunction;
  /** Bytes of an answer at most. */
  mostBytes: number;
}

export interface PrometheusAnswer<T> {
  data: T;
  /** What Prometheus could not take into account. */
  warnings: string[];
}

/** `POST /api/v1/…` (https://prometheus.io/docs/prometheus/latest/querying/api/). Throws PrometheusError. */
export async function askPrometheus<T>(question: PrometheusQuestion<T>): Promise<PrometheusAnswer<T>> {
  const { url, authorization } = endpoint(question);
  const { lookup, timeoutMs } = question;
  // the query's own time-out answers first and says why
  const patience = AbortSignal.timeout(timeoutMs + 5000);
  const agent = new Agent({ connect: lookup ? { lookup } : {} });
  try {
    // redirects are not followed: a login page in front would turn the POST into a GET of itself
    const response = await request(url.href, {
      method: 'POST',
      dispatcher: agent,
      body: new URLSearchParams({ ...question.parameters, timeout: `${timeoutMs / 1000}s` }).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(authorization ? { authorization } : {}),
      },
      signal: question.signal ? AbortSignal.any([patience, question.signal]) : patience,
    });
    const text = await readAtMost(response.body, question.mostBytes);
    return parseAnswer(response.statusCode, text, { url, data: question.data });
  } catch (error) {
    if (error instanceof PrometheusError) throw error;
    const reason = patience.aborted
      ? `no answer within ${(timeoutMs + 5000) / 1000} s`
      : innermostReason(error);
    throw new PrometheusError(`Prometheus cannot be reached at ${url.origin}: ${reason}`, {
      mendable: true,
      cause: error,
    });
  } finally {
    await agent.destroy();
  }
}

const envelope = z.union([
  z.object({ status: z.literal('success'), data: z.unknown(), warnings: z.array(z.string()).default([]) }),
  z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() }),
]);

function parseAnswer<T>(
  status: number,
  text: string,
  { url, data }: { url: URL; data: z.ZodType<T> },
): PrometheusAnswer<T> {
  const answer = envelope.safeParse(parseJson(text));
  if (answer.success && answer.data.status === 'error') {
    const { errorType, error } = answer.data;
    throw new PrometheusError(`Prometheus refused the query (${errorType}): ${error.slice(0, 500)}`, {
      mendable: errorType !== 'bad_data',
    });
  }
  const parsed =
    answer.success && answer.data.status === 'success' ? data.safeParse(answer.data.data) : undefined;
  if (answer.success && answer.data.status === 'success' && parsed?.success) {
    return { data: parsed.data, warnings: answer.data.warnings };
  }
  throw new PrometheusError(
    `${url.origin} answered ${status} with something that is no Prometheus answer: check PROMETHEUS_URL or the step's url, which is the address without /api/v1`,
    { mendable: status >= 500 || status === 429 },
  );
}

function endpoint({ baseUrl, path }: Pick<PrometheusQuestion<unknown>, 'baseUrl' | 'path'>): {
  url: URL;
  authorization: string | undefined;
} {
  const url = new URL(baseUrl);
  const authorization = url.username
    ? `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`
    : undefined;
  url.username = '';
  url.password = '';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/${path}`;
  return { url, authorization };
}

async function readAtMost(body: Dispatcher.ResponseData['body'], limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > limit) {
      throw new PrometheusError(
        `Prometheus answered more than ${limit / 1024 / 1024} MB: the query finds too many series`,
        { mendable: false },
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
