import { request } from 'undici';
import { z } from 'zod';
import { type LedgerAttempt, LedgerUnavailableError, type LoadedAttempt, type StepLedger } from './ledger.ts';

/** Holdfast does not take the token: asking again changes nothing. The message says what mends it. */
export class RunnerRefusedError extends Error {
  override name = 'RunnerRefusedError';
}

export interface RunnerApi {
  /** Whose token it is. */
  identify(): Promise<{ orgId: string; queue: string }>;
  tellAlive(sign: SignOfLife): Promise<void>;
  ledger: StepLedger;
}

export interface SignOfLife {
  instance: string;
  version: string;
  startedAt: Date;
  stopping: boolean;
}

const timeoutMs = 10_000;

const identity = z.object({ orgId: z.uuid(), queue: z.string() });
const counted = z.object({ counts: z.boolean() });
const attempts = z.array(
  z.looseObject({
    key: z.string(),
    status: z.enum(['started', 'succeeded', 'failed']),
    detail: z.looseObject({}),
  }),
);
// what Holdfast has validated when it saved the runbook is not looked at again
const loaded = z
  .looseObject({
    step: z.looseObject({ definition: z.looseObject({}) }),
    scope: z.looseObject({ values: z.record(z.string(), z.string()) }),
    open: attempts,
    before: attempts,
    said: z.string(),
  })
  .transform((answer): LoadedAttempt => ({ ...(answer as unknown as LoadedAttempt), beside: [] }));

/**
 * A runner's way to Holdfast: it has no database. `url` is Holdfast's, without a slash at the end. Methods throw
 * LedgerUnavailableError when Holdfast is away and RunnerRefusedError when it does not take the token.
 */
export function createRunnerApi({ url, token }: { url: string; token: string }): RunnerApi {
  async function ask(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const { status, text } = await send(`${url}/api/v1/runner${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (status === 204) return undefined;
    if (status === 200) return parseAnswer(url, text);
    throw refusalOf(url, status, text);
  }

  const tell = (operation: string, { orgId: _, ...place }: LedgerAttempt, more: object = {}) =>
    ask('POST', `/attempts/${operation}`, { ...place, ...more });
  const counts = async (answer: Promise<unknown>) => counted.parse(await answer).counts;

  return {
    identify: async () => identity.parse(await ask('GET', '')),
    tellAlive: async (sign) => {
      await ask('POST', '/sign-of-life', { ...sign, startedAt: sign.startedAt.toISOString() });
    },
    ledger: {
      load: async (attempt) => loaded.parse(await tell('load', attempt)),
      begin: (attempt, args) => counts(tell('begin', attempt, args)),
      note: (attempt, group) => counts(tell('note', attempt, { group })),
      report: (attempt, output) => counts(tell('output', attempt, { output })),
      end: async (attempt, ended) => void (await tell('end', attempt, ended)),
      abandon: async (attempt, keys) => void (await tell('abandon', attempt, { keys })),
    },
  };
}

async function send(
  address: string,
  options: { method: 'GET' | 'POST'; headers: Record<string, string>; body?: string },
): Promise<{ status: number; text: string }> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const { statusCode, body } = await request(address, { ...options, signal });
    return { status: statusCode, text: await body.text() };
  } catch (error) {
    throw new LedgerUnavailableError(`${address} does not answer`, { cause: error });
  }
}

function parseAnswer(url: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RunnerRefusedError(`${url} answers, but not as Holdfast: is HOLDFAST_URL its address?`, {
      cause: error,
    });
  }
}

const problem = z.looseObject({ detail: z.string() });

function refusalOf(url: string, status: number, text: string): Error {
  if (status === 429 || status >= 500) {
    return new LedgerUnavailableError(`${url} answers ${status}`);
  }
  let detail = `${url} answers ${status}: is HOLDFAST_URL the address of Holdfast?`;
  try {
    detail = problem.parse(JSON.parse(text)).detail;
  } catch {
    // something else stands before Holdfast, or is there in its place
  }
  return new RunnerRefusedError(status === 401 ? `Holdfast refuses the token: ${detail}` : detail);
}
