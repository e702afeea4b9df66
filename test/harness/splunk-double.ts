import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BadQuery, commandsOf, conditionOf, type Fields, type QueryDialect } from './query-expression.ts';

/**
 * Stands in for Splunk's management port: as strict as its REST reference (RESTREF/RESTsearch, 'search/v2/jobs/export',
 * 'server/info') and search reference say of what Holdfast sends, and without a guess at anything else.
 */
export interface SplunkDouble {
  url: string;
  /** Searches in order. */
  searches: string[];
  add(index: string, events: SplunkEvent[]): void;
  /** Answers the next requests with this instead; `hang` never answers. */
  fail(how: { status: number; body: string } | 'hang' | undefined): void;
  close(): Promise<void>;
}

export interface SplunkEvent {
  /** Epoch milliseconds. */
  at: number;
  raw: string;
  /** Indexed beside the text. */
  fields?: Record<string, string>;
}

type Row = Record<string, string>;

const parametersAllowed = ['search', 'output_mode', 'preview', 'earliest_time', 'latest_time', 'max_time'];

export async function startSplunkDouble(options: { token: string }): Promise<SplunkDouble> {
  const events: (SplunkEvent & { index: string })[] = [];
  const searches: string[] = [];
  let failure: Parameters<SplunkDouble['fail']>[0];

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = (status: number, body: string): void => void response.writeHead(status).end(body);
    const fatal = (text: string): string => JSON.stringify({ messages: [{ type: 'FATAL', text }] });
    if (failure === 'hang') return;
    if (failure) return answer(failure.status, failure.body);
    if (request.headers.authorization !== `Bearer ${options.token}`) {
      return answer(401, '{"messages":[{"type":"WARN","text":"call not properly authenticated"}]}');
    }
    const url = new URL(request.url ?? '/', 'http://splunk');
    if (request.method === 'GET' && url.pathname === '/services/server/info') {
      if (url.searchParams.get('output_mode') !== 'json') return answer(200, '<?xml version="1.0"?>');
      return answer(
        200,
        JSON.stringify({ entry: [{ name: 'server-info', content: { version: '10.0.1' } }] }),
      );
    }
    if (request.method !== 'POST' || url.pathname !== '/services/search/v2/jobs/export')
      return answer(404, fatal('Not Found'));
    try {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const unknown = [...form.keys()].find((name) => !parametersAllowed.includes(name));
      if (unknown) throw new BadQuery(`Unknown argument ${unknown}`);
      if (form.get('output_mode') !== 'json' || form.get('preview') !== 'false')
        throw new BadQuery('asked for previews');
      const search = form.get('search') ?? '';
      searches.push(search);
      const [earliest, latest] = [Number(form.get('earliest_time')), Number(form.get('latest_time'))];
      const rows = run(
        search,
        events.filter(({ at }) => at / 1000 >= earliest && at / 1000 < latest),
      );
      answer(
        200,
        rows.length === 0
          ? '{"preview":false,"lastrow":true}\n'
          : rows
              .map((result, offset) =>
                JSON.stringify({
                  preview: false,
                  offset,
                  ...(offset === rows.length - 1 ? { lastrow: true } : {}),
                  result,
                }),
              )
              .join('\n'),
      );
    } catch (error) {
      answer(400, fatal(`Error in search: ${(error as Error).message}`));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    searches,
    add: (index, added) => void events.push(...added.map((event) => ({ ...event, index }))),
    fail: (how) => {
      failure = how;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Functions of eval and where: docs.splunk.com, SearchReference/CommonEvalFunctions. */
const evaluation: QueryDialect = {
  singleQuotes: 'field',
  functions: {
    in: ([value, ...list]) => value !== null && list.includes(value ?? null),
    isnull: ([value]) => value === null || value === undefined,
    coalesce: (args) => args.find((value) => value !== null) ?? null,
    lower: ([value]) => (typeof value === 'string' ? value.toLowerCase() : null),
    true: () => true,
    match: ([value, pattern]) =>
      typeof value === 'string' && new RegExp(String(pattern).replace('(?i)', ''), 'i').test(value),
    case: (args) => {
      for (let i = 0; i + 1 < args.length; i += 2) if (args[i] === true) return args[i + 1] ?? null;
      return null;
    },
  },
};

function run(search: string, events: (SplunkEvent & { index: string })[]): Row[] {
  const [first = '', ...commands] = commandsOf(search);
  if (!first.startsWith('search ')) throw new BadQuery("a search begins with the command 'search'");
  const holds = termsOf(first.slice('search '.length));
  let rows: Row[] = events.filter(holds).map((event) => ({
    ...textFields(event.raw),
    ...event.fields,
    _raw: event.raw,
    _time: String(event.at / 1000),
    index: event.index,
  }));
  for (const command of commands) rows = apply(command, rows);
  return rows;
}

function apply(command: string, rows: Row[]): Row[] {
  const [, name = '', rest = ''] = /^(\w+)\s+([\s\S]*)$/.exec(command) ?? [];
  const see =
    (row: Row): Fields =>
    (field) =>
      row[field] ?? null;
  switch (name) {
    case 'where': {
      const condition = conditionOf(rest, evaluation);
      return rows.filter((row) => condition(see(row)) === true);
    }
    case 'eval': {
      const parts = /^(\w+)=([\s\S]*), (\w+)=(\w+)$/.exec(rest);
      if (!parts?.[1] || !parts[2] || !parts[3] || !parts[4]) throw new BadQuery(`eval: ${rest}`);
      const [, rank, expression, copy, original] = parts;
      const value = conditionOf(expression, evaluation);
      return rows.map((row) => ({ ...row, [rank]: String(value(see(row))), [copy]: row[original] ?? '' }));
    }
    case 'eventstats': {
      const as = /^count AS (\w+)$/.exec(rest)?.[1];
      if (!as) throw new BadQuery(`eventstats: ${rest}`);
      return rows.map((row) => ({ ...row, [as]: String(rows.length) }));
    }
    case 'sort': {
      const parts = /^(\d+) -(\w+), -(\w+)$/.exec(rest);
      if (!parts?.[2] || !parts[3]) throw new BadQuery(`sort: ${rest}`);
      const [, limit, a, b] = parts;
      const by = (row: Row, field: string): number => Number(row[field]);
      return rows.toSorted((x, y) => by(y, a) - by(x, a) || by(y, b) - by(x, b)).slice(0, Number(limit));
    }
    case 'table': {
      const names = rest.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
      return rows.map((row) =>
        Object.fromEntries(names.flatMap((field) => (row[field] === undefined ? [] : [[field, row[field]]]))),
      );
    }
    default:
      throw new BadQuery(`Unknown search command '${name}'`);
  }
}

/** Terms, field=value and parentheses; in values an asterisk is a wildcard, also between quotes, and case is nothing. */
function termsOf(text: string): (event: SplunkEvent & { index: string }) => boolean {
  const tokens = [...text.matchAll(/\s+|"((?:[^"\\]|\\.)*)"|([()=])|([\w.*-]+)|([\s\S])/g)].flatMap(
    ([whole, quoted, sign, word, other]) => {
      if (other !== undefined) throw new BadQuery(`search: unexpected '${whole}'`);
      if (quoted !== undefined) return [{ value: quoted.replace(/\\(.)/g, '$1'), plain: false }];
      return sign || word ? [{ value: sign ?? word ?? '', plain: true }] : [];
    },
  );
  let at = 0;
  type Test = (event: SplunkEvent & { index: string }) => boolean;
  const is = (word: string): boolean => tokens[at]?.plain === true && tokens[at]?.value === word;
  const like = (pattern: string, value: string): boolean =>
    new RegExp(
      `^${pattern
        .split('*')
        .map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
        .join('.*')}$`,
      'is',
    ).test(value);

  function either(): Test {
    let left = both();
    while (is('OR')) {
      at++;
      const [a, b] = [left, both()];
      left = (event) => a(event) || b(event);
    }
    return left;
  }
  function both(): Test {
    let left = one();
    while (at < tokens.length && !is('OR') && !is(')')) {
      const [a, b] = [left, one()];
      left = (event) => a(event) && b(event);
    }
    return left;
  }
  function one(): Test {
    const token = tokens[at++];
    if (!token) throw new BadQuery('search: a term is missing');
    if (token.plain && token.value === '(') {
      const inner = either();
      if (!is(')')) throw new BadQuery("search: ')' is missing");
      at++;
      return inner;
    }
    if (!is('=')) return (event) => like(`*${token.value}*`, event.raw);
    at++;
    const value = tokens[at++]?.value ?? '';
    return (event) => {
      const found =
        token.value === 'index' ? event.index : { ...textFields(event.raw), ...event.fields }[token.value];
      return found !== undefined && like(value, found);
    };
  }
  const test = either();
  if (at < tokens.length) throw new BadQuery(`search: unexpected '${tokens[at]?.value}'`);
  return test;
}

/** JSON events have their fields by themselves. */
function textFields(raw: string): Row {
  const found: Row = {};
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) walk(inner, path === '' ? name : `${path}.${name}`);
    } else if (value !== null && value !== undefined) found[path] = String(value);
  };
  try {
    walk(JSON.parse(raw), '');
  } catch {
    return {};
  }
  return found;
}
