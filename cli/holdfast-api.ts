import { z } from 'zod';
import { CliError, exitCodes } from './exit-codes.ts';

export interface ApiConfig {
  /** As 'https://holdfast.example.com', without a slash at the end. */
  url: string;
  token?: string;
}

/** What came back: checked, and as it was for `--json`. */
export interface Answer<T> {
  data: T;
  text: string;
}

export interface HoldfastApi {
  get<S extends z.ZodType>(path: string, schema: S): Promise<Answer<z.output<S>>>;
  post<S extends z.ZodType>(path: string, body: unknown, schema: S): Promise<Answer<z.output<S>>>;
}

const problem = z.object({
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});
type Problem = z.output<typeof problem>;

/** Holdfast said no, and why. */
export class ApiRefusal extends CliError {
  override name = 'ApiRefusal';
  readonly status: number;
  /** The problem+json, as it came. */
  readonly body: string;
  constructor(found: Problem, body: string) {
    const denied = found.status === 401 || found.status === 403;
    super(denied ? exitCodes.notAuthorised : exitCodes.negative, wordsOf(found));
    this.status = found.status;
    this.body = body;
  }
}

/** A dry run answers within half a minute; everything else at once. */
const limitMs = 60_000;

/** Every method throws CliError: ApiRefusal where Holdfast refused, else with the exit code for what is in the way. */
export function createHoldfastApi(config: ApiConfig, send: typeof fetch): HoldfastApi {
  async function ask<S extends z.ZodType>(method: string, path: string, schema: S, body?: unknown) {
    if (config.token === undefined) {
      throw new CliError(
        exitCodes.notAuthorised,
        'HOLDFAST_TOKEN is not set: set it to an API token, such as the one of the Owner that the first start has shown',
      );
    }
    const { status, text } = await exchange(method, path, config.token, body);
    const json = parsed(text);
    if (json !== undefined && status >= 200 && status < 300) {
      const data = schema.safeParse(json);
      if (data.success) return { data: data.data, text };
      const place = data.error.issues[0];
      throw unreachable(
        `${config.url} answered something that this version does not understand (${place?.path.join('.')}: ${place?.message}); use the CLI that belongs to that Holdfast`,
      );
    }
    const found = problem.safeParse(json);
    if (!found.success) {
      throw unreachable(
        `${config.url} answered ${status}, and not as Holdfast does: is HOLDFAST_URL its address?`,
      );
    }
    if (status >= 500)
      throw unreachable(`Holdfast at ${config.url} cannot do it now: ${wordsOf(found.data)}`);
    throw new ApiRefusal(found.data, text);
  }

  async function exchange(method: string, path: string, token: string, body: unknown) {
    try {
      const response = await send(config.url + path, {
        method,
        // the token goes to HOLDFAST_URL and nowhere else
        redirect: 'manual',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(limitMs),
      });
      if (response.status >= 300 && response.status < 400) {
        throw unreachable(
          `${config.url} leads on to ${response.headers.get('location') ?? 'another address'}: set HOLDFAST_URL to where Holdfast itself answers`,
        );
      }
      return { status: response.status, text: await response.text() };
    } catch (error) {
      if (error instanceof CliError) throw error;
      throw unreachable(
        `Holdfast does not answer at ${config.url} (${reasonOf(error)}): is it running, and is HOLDFAST_URL its address?`,
        error,
      );
    }
  }

  return {
    get: (path, schema) => ask('GET', path, schema),
    post: (path, body, schema) => ask('POST', path, schema, body),
  };
}

/** In a path. */
export const segment = encodeURIComponent;

function unreachable(message: string, cause?: unknown): CliError {
  return new CliError(exitCodes.unreachable, message, { cause });
}

function wordsOf({ title, detail, errors }: Problem): string {
  if (!errors || errors.length === 0) return `${title}: ${detail}`;
  return [`${title}:`, ...errors.map(({ field, message }) => `  ${field}: ${message}`)].join('\n');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch says 'fetch failed' and keeps the reason in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${limitMs / 1000} s`;
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return error.message;
}
