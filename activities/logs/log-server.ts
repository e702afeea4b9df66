import { Agent, type Dispatcher, request } from 'undici';
import { cut } from '../../domain/logs/log-line.ts';
import { innermostReason } from '../innermost-reason.ts';
import { EgressRefusedError, EgressRules } from '../steps/egress.ts';
import { LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';

/** A log system that is asked over HTTP. */
export interface LogServer {
  /** For people: 'Loki'. */
  name: string;
  /** With a path where it stands behind a prefix; a user and password in it are sent as basic authentication. */
  url: string;
  headers?: Record<string, string>;
  /** Certificates in PEM of whoever may have signed the server's own, instead of the usual ones. */
  ca?: string;
  /** Hosts that may be link-local, see EgressRules. */
  egressAllow?: readonly string[];
  timeoutMs: number;
  /** What to check when it refuses: 'the user, password and tenant of LOKI_URL'. */
  credentials: string;
}

export interface LogServerQuestion {
  method: 'GET' | 'POST';
  path: string;
  /** In the address, or with POST as a form. */
  parameters: Record<string, string>;
}

/** Bytes of an answer at most: thousands of lines at their greatest length. */
const mostBytes = 64 * 1024 * 1024;

/** The text of a 200. Throws LogSourceUnavailableError, LogSourceRefusedError. */
export async function askLogServer(server: LogServer, question: LogServerQuestion): Promise<string> {
  const url = addressOf(server.url, question);
  const egress = new EgressRules(server.egressAllow ?? []);
  const agent = new Agent({
    connect: { lookup: egress.lookupFor(url, true), ...(server.ca === undefined ? {} : { ca: server.ca }) },
  });
  const patience = AbortSignal.timeout(server.timeoutMs);
  try {
    egress.checkUrl(url, true);
    // redirects are not followed: they lead to a login page, not to logs
    const response = await request(url, {
      method: question.method,
      dispatcher: agent,
      headers: {
        accept: 'application/json',
        ...authorization(server.url),
        ...server.headers,
        ...(question.method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
      ...(question.method === 'POST' ? { body: new URLSearchParams(question.parameters).toString() } : {}),
      signal: patience,
    });
    return judged(server, response.statusCode, await readAtMost(server, response.body));
  } catch (error) {
    if (error instanceof LogSourceUnavailableError || error instanceof LogSourceRefusedError) throw error;
    if (error instanceof EgressRefusedError) {
      throw new LogSourceRefusedError(`${server.name} is not asked: ${error.message}`, { cause: error });
    }
    throw new LogSourceUnavailableError(
      patience.aborted
        ? `${server.name} did not answer within ${server.timeoutMs} ms`
        : `${server.name} cannot be reached: ${cut(innermostReason(error), 300)}`,
      { cause: error },
    );
  } finally {
    await agent.destroy();
  }
}

function addressOf(base: string, { method, path, parameters }: LogServerQuestion): URL {
  const url = new URL(base);
  url.username = '';
  url.password = '';
  url.hash = '';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
  url.search = method === 'GET' ? new URLSearchParams(parameters).toString() : '';
  return url;
}

function authorization(base: string): Record<string, string> {
  const { username, password } = new URL(base);
  if (username === '') return {};
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(user).toString('base64')}` };
}

function judged(server: LogServer, status: number, text: string): string {
  const said = cut(text.trim(), 300);
  if (status === 429 || status >= 500) {
    throw new LogSourceUnavailableError(`${server.name} answered ${status}: ${said}`);
  }
  if (status !== 200) {
    const remedy = status === 401 || status === 403 ? ` (check ${server.credentials})` : '';
    throw new LogSourceRefusedError(`${server.name} answered ${status}: ${said}${remedy}`);
  }
  return text;
}

async function readAtMost(server: LogServer, body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > mostBytes) {
      throw new LogSourceRefusedError(
        `${server.name} answered more than ${mostBytes / 1024 / 1024} MB: its lines are too long to be read`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
