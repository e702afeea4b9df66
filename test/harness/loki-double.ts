import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Stands in for Loki where tests have none: as strict as its HTTP API documentation (grafana.com/docs/loki,
 * 'Query logs within a range of time', 'Query logs at a single point in time', 'Query labels') and its limits.
 * It refuses what Loki refuses: bad LogQL, selectors that match everything, too many entries, wrong times.
 */
export interface LokiDouble {
  url: string;
  /** Requests in order: path and parameters. */
  requests: { path: string; parameters: Record<string, string>; headers: IncomingMessage['headers'] }[];
  push(stream: Record<string, string>, lines: { at: number; text: string }[]): void;
  /** Answers the next requests with this instead; `hang` never answers. */
  fail(how: { status: number; body: string } | 'hang' | undefined): void;
  close(): Promise<void>;
}

const maxEntries = 5000;
const longestRangeNs = 721n * 3600n * 1_000_000_000n;

interface Entry {
  stream: Record<string, string>;
  ns: bigint;
  text: string;
}

class BadRequest extends Error {}

export async function startLokiDouble(options: { tenant?: string } = {}): Promise<LokiDouble> {
  const entries: Entry[] = [];
  const requests: LokiDouble['requests'] = [];
  let failure: Parameters<LokiDouble['fail']>[0];

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://loki');
    requests.push({
      path: url.pathname,
      parameters: Object.fromEntries(url.searchParams),
      headers: request.headers,
    });
    if (failure === 'hang') return;
    if (failure) return void response.writeHead(failure.status).end(failure.body);
    if (options.tenant !== undefined && request.headers['x-scope-orgid'] !== options.tenant) {
      return void response.writeHead(401).end('no org id');
    }
    try {
      if (request.method !== 'GET') throw new BadRequest(`method ${request.method} not allowed`);
      const data = answer(url, entries);
      response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' });
      response.end(JSON.stringify({ status: 'success', data }));
    } catch (error) {
      response.writeHead(error instanceof BadRequest ? 400 : 500).end(String((error as Error).message));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    push: (stream, lines) => {
      entries.push(...lines.map(({ at, text }) => ({ stream, ns: BigInt(at) * 1_000_000n, text })));
    },
    fail: (how) => {
      failure = how;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(url: URL, entries: Entry[]): unknown {
  const parameters = url.searchParams;
  const only = (...allowed: string[]): void => {
    for (const name of parameters.keys()) {
      if (!allowed.includes(name)) throw new BadRequest(`unknown parameter ${name}`);
      if (parameters.getAll(name).length > 1) throw new BadRequest(`parameter ${name} given twice`);
    }
  };
  switch (url.pathname) {
    case '/loki/api/v1/labels': {
      only('start', 'end', 'since', 'query');
      if (parameters.has('start')) range(parameters);
      return [...new Set(entries.flatMap((entry) => Object.keys(entry.stream)))].sort();
    }
    case '/loki/api/v1/query_range': {
      only('query', 'limit', 'start', 'end', 'since', 'step', 'interval', 'direction');
      const { start, end } = range(parameters);
      const limit = Number(parameters.get('limit') ?? 100);
      if (!Number.isInteger(limit) || limit <= 0) throw new BadRequest('limit must be a positive value');
      if (limit > maxEntries) {
        throw new BadRequest(
          `max entries limit per query exceeded, limit > max_entries_limit_per_query (${limit} > ${maxEntries})`,
        );
      }
      const direction = parameters.get('direction') ?? 'backward';
      if (!['forward', 'backward'].includes(direction))
        throw new BadRequest(`invalid direction '${direction}'`);
      const matches = parseLogQl(parameters.get('query') ?? '');
      const found = entries
        .filter((entry) => entry.ns >= start && entry.ns < end && matches(entry))
        .sort((a, b) => (direction === 'backward' ? Number(b.ns - a.ns) : Number(a.ns - b.ns)))
        .slice(0, limit);
      const streams = Map.groupBy(found, (entry) => JSON.stringify(entry.stream));
      return {
        resultType: 'streams',
        result: [...streams].map(([stream, values]) => ({
          stream: JSON.parse(stream) as unknown,
          values: values.map((entry) => [String(entry.ns), entry.text]),
        })),
        stats: {},
      };
    }
    case '/loki/api/v1/query': {
      only('query', 'limit', 'time', 'direction');
      const time = nanoseconds(parameters.get('time') ?? '', 'time');
      const counted = /^sum\(count_over_time\((.*) \[(\d+)s\]\)\)$/s.exec(parameters.get('query') ?? '');
      if (!counted)
        throw new BadRequest('parse error: only sum(count_over_time(… [Ns])) is known to this double');
      const matches = parseLogQl(counted[1]!);
      const since = time - BigInt(counted[2]!) * 1_000_000_000n;
      const count = entries.filter((entry) => entry.ns > since && entry.ns <= time && matches(entry)).length;
      const seconds = Number(time / 1_000_000_000n);
      return {
        resultType: 'vector',
        result: count > 0 ? [{ metric: {}, value: [seconds, String(count)] }] : [],
        stats: {},
      };
    }
    default:
      throw new BadRequest(`404 page not found: ${url.pathname}`);
  }
}

function range(parameters: URLSearchParams): { start: bigint; end: bigint } {
  const start = nanoseconds(parameters.get('start') ?? '', 'start');
  const end = nanoseconds(parameters.get('end') ?? '', 'end');
  if (end <= start) throw new BadRequest('end timestamp must not be before or equal to start time');
  if (end - start > longestRangeNs) throw new BadRequest('the query time range exceeds the limit (720h)');
  return { start, end };
}

function nanoseconds(text: string, name: string): bigint {
  // ten digits or fewer would be read as seconds
  if (!/^\d{16,19}$/.test(text)) throw new BadRequest(`could not parse '${name}' parameter: '${text}'`);
  return BigInt(text);
}

/** `{name op "text", …}` and line filters, as one predicate. */
function parseLogQl(source: string): (entry: Entry) => boolean {
  let rest = source.trim();
  const take = (pattern: RegExp, expected: string): string => {
    const match = pattern.exec(rest);
    if (match?.index !== 0)
      throw new BadRequest(`parse error at '${rest.slice(0, 30)}': expected ${expected}`);
    rest = rest.slice(match[0].length).trimStart();
    return match[0];
  };
  const text = (): string => {
    const quoted = take(/"(?:[^"\\\n]|\\.)*"/, 'a string');
    if (/\\[^abfnrtvxuU"\\0-7]/.test(quoted.replaceAll('\\\\', '')))
      throw new BadRequest(`invalid escape in ${quoted}`);
    return JSON.parse(quoted) as string;
  };

  const matchers: { name: string; test: (value: string) => boolean }[] = [];
  take(/\{/, "'{'");
  do {
    const name = take(/[a-zA-Z_][a-zA-Z0-9_]*/, 'a label name');
    const operator = take(/=~|!~|!=|=/, 'an operator');
    const value = text();
    const expression = operator.includes('~') ? regex(`^(?:${value})$`) : undefined;
    const equal = (actual: string): boolean => expression?.test(actual) ?? actual === value;
    matchers.push({ name, test: operator.startsWith('!') ? (actual) => !equal(actual) : equal });
  } while (rest.startsWith(',') && take(/,/, "','"));
  take(/\}/, "'}'");
  if (matchers.every((matcher) => matcher.test(''))) {
    throw new BadRequest(
      'queries require at least one regexp or equality matcher that does not have an empty-compatible value',
    );
  }

  const filters: ((line: string) => boolean)[] = [];
  while (rest !== '') {
    const operator = take(/\|~|\|=|!~|!=/, 'a line filter');
    const value = text();
    const expression = operator.includes('~') ? regex(value) : undefined;
    const holds = (line: string): boolean => expression?.test(line) ?? line.includes(value);
    filters.push(operator.startsWith('!') ? (line) => !holds(line) : holds);
  }
  return ({ stream, text: line }) =>
    matchers.every(({ name, test }) => test(stream[name] ?? '')) && filters.every((filter) => filter(line));
}

/** RE2 knows no look-around and no back-references; flags stand at the beginning. */
function regex(source: string): RegExp {
  if (/\(\?[=!<]|\\[1-9]/.test(source))
    throw new BadRequest(`error parsing regexp: invalid or unsupported Perl syntax`);
  const flags = /^(\^\(\?:)?\(\?i\)/.exec(source);
  try {
    return flags ? new RegExp(source.replace('(?i)', ''), 'i') : new RegExp(source);
  } catch (error) {
    throw new BadRequest(`error parsing regexp: ${(error as Error).message}`);
  }
}
