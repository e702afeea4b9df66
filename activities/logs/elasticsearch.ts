import { isIP } from 'node:net';
import { type Client, errors, type estypes } from '@elastic/elasticsearch';
import { cut, type LogLine, wordsOfLevel } from '../../domain/logs/log-line.ts';
import { instanceHosts, type LogQuery, type LogSelector } from '../../domain/logs/query.ts';
import { type LogSource, LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';
import { defaultRecordFields, type RecordFields, readRecord, textAt } from './record.ts';

export interface ElasticsearchLogsDeps {
  /** As people called the source; default 'elasticsearch'. */
  name?: string;
  client: Client;
  /** Indexes, data streams, aliases or patterns of them, comma-separated. */
  index?: string;
  fields?: Partial<RecordFields>;
  /** Kibana's address, with its base path and space. */
  kibanaUrl?: string;
  /** Milliseconds that a request may take. */
  timeoutMs?: number;
}

/** Bytes of an answer at most, as they come and unpacked: for whoever makes the client. */
const answerBytesAtMost = 64 * 1024 * 1024;
export const boundedAnswers = {
  maxResponseSize: answerBytesAtMost,
  maxCompressedResponseSize: answerBytesAtMost,
};

type Clause = NonNullable<estypes.SearchRequest['query']>;
type Kind = 'keyword' | 'text' | 'number' | 'date' | 'ip';
/** Of each field that exists, how it can be searched; differently named indexes may differ in that. */
type KnownFields = Map<string, Set<Kind>>;

const kinds: Record<string, Kind> = {
  text: 'text',
  match_only_text: 'text',
  keyword: 'keyword',
  constant_keyword: 'keyword',
  wildcard: 'keyword',
  byte: 'number',
  short: 'number',
  integer: 'number',
  long: 'number',
  date: 'date',
  date_nanos: 'date',
  ip: 'ip',
};

/** Logs in Elasticsearch, by its search API alone: no scripts, no ES|QL, nothing to install there. */
export function createElasticsearchLogs(deps: ElasticsearchLogsDeps): LogSource {
  const { client, index = 'logs*,*-logs,*-logs-*,filebeat-*,logstash-*', timeoutMs = 10_000 } = deps;
  const fields = { ...defaultRecordFields, ...deps.fields };
  const transport = { requestTimeout: timeoutMs, maxRetries: 0 };
  const lenientIndex = { ignore_unavailable: true, allow_no_indices: true };

  /** Of the candidates, those that the indexes have: a query on a wrong type would fail as a whole. */
  async function knownFields(): Promise<KnownFields> {
    const candidates = Object.values(fields).flat();
    const answer = await client.fieldCaps(
      { index, fields: candidates.flatMap((field) => [field, `${field}.keyword`]), ...lenientIndex },
      transport,
    );
    const known: KnownFields = new Map();
    for (const [field, types] of Object.entries(answer.fields)) {
      const found = Object.keys(types).flatMap((type) => kinds[type] ?? []);
      if (found.length > 0) known.set(field, new Set(found));
    }
    return known;
  }

  return {
    kind: 'elasticsearch',
    name: deps.name ?? 'elasticsearch',
    quote: quoteLucene,

    async probe() {
      const known = await translated(timeoutMs, knownFields);
      const time = fields.timestamp.find((field) => known.get(field)?.has('date'));
      return time ? `reads ${index} by ${time}` : `reachable, but nothing with a time in it matches ${index}`;
    },

    async query(_orgId, query) {
      return await translated(timeoutMs, async () => {
        const known = await knownFields();
        const time = fields.timestamp.find((field) => known.get(field)?.has('date'));
        const asked = query.statement ?? kql(query, fields, known);
        if (!time) return { lines: [], total: 0, asked, note: `no index with a date field matches ${index}` };
        const answer = await client.search<Record<string, unknown>>(
          {
            index,
            ...lenientIndex,
            size: Math.min(query.limit, 10_000),
            timeout: `${Math.ceil(timeoutMs * 0.8)}ms`,
            track_total_hits: true,
            _source: Object.values(fields).flat(),
            query: searchClause(query, fields, known, time),
            sort: [{ _score: { order: 'desc' } }, { [time]: { order: 'desc', unmapped_type: 'date' } }],
          },
          transport,
        );
        const total = answer.hits.total;
        return {
          // the latest come first: turned round, lines of the same instant stand as they came
          lines: answer.hits.hits
            .flatMap((hit) => readLine(hit._source ?? {}, fields, time))
            .reverse()
            .sort((a, b) => a.at - b.at),
          total: typeof total === 'number' ? total : (total?.value ?? 0),
          asked,
          note: partial(answer),
        };
      });
    },

    link(query) {
      if (!deps.kibanaUrl) return null;
      const rison = (text: string): string => `'${text.replace(/[!']/g, '!$&')}'`;
      const iso = (at: number): string => rison(new Date(at).toISOString());
      const global = `(time:(from:${iso(query.from)},to:${iso(query.to)}))`;
      const language = query.statement ? 'lucene' : 'kuery';
      const app = `(query:(language:${language},query:${rison(query.statement ?? kql(query, fields))}))`;
      const base = deps.kibanaUrl.replace(/\/+$/, '');
      return `${base}/app/discover#/?_g=${encodeURIComponent(global)}&_a=${encodeURIComponent(app)}`;
    },
  };
}

/** Filters choose, and what is optional only scores: so errors come first without a script. */
function searchClause(query: LogQuery, fields: RecordFields, known: KnownFields, time: string): Clause {
  const error = levelClause(['fatal', 'error'], fields, known);
  const choice: Clause[] = query.statement
    ? [{ query_string: { query: query.statement, lenient: true, analyze_wildcard: false } }]
    : query.anyOf.length > 0
      ? [
          {
            bool: {
              should: query.anyOf.flatMap((one) => holds(one, fields, known)),
              minimum_should_match: 1,
            },
          },
        ]
      : [error];
  const inside = (query.statement ? [] : query.within).map((selector): Clause => {
    const present = fields[selector.field].filter((field) => known.has(field));
    return {
      bool: {
        should: [
          ...holds(selector, fields, known),
          { bool: { must_not: present.map((field) => ({ exists: { field } })) } },
        ],
        minimum_should_match: 1,
      },
    };
  });
  const range = { gte: new Date(query.from).toISOString(), lt: new Date(query.to).toISOString() };
  return {
    bool: {
      filter: [
        { range: { [time]: { ...range, format: 'strict_date_optional_time' } } },
        ...choice,
        ...inside,
      ],
      should: [
        { constant_score: { filter: error, boost: 4 } },
        { constant_score: { filter: levelClause(['warn'], fields, known), boost: 1 } },
      ],
      minimum_should_match: 0,
    },
  };
}

const nothing: Clause = { match_none: {} };

/** One clause per value, which is only ever a parameter: nothing in it is syntax. */
function holds(selector: LogSelector, fields: RecordFields, known: KnownFields): Clause[] {
  const texts = [...new Set(fields[selector.field].flatMap((field) => exactNames(field, known)))];
  const addresses = fields[selector.field].filter((field) => known.get(field)?.has('ip'));
  const values = selector.field === 'instance' ? selector.values.flatMap(instanceHosts) : selector.values;
  const clauses = values.flatMap((value): Clause[] => [
    // a phrase is exact on a keyword, and finds the words in order on analysed text
    ...(texts.length > 0
      ? [{ multi_match: { query: value, type: 'phrase' as const, fields: texts, lenient: true } }]
      : []),
    ...(isIP(value) > 0 ? addresses.map((field): Clause => ({ term: { [field]: value } })) : []),
  ]);
  return clauses.length > 0 ? clauses : [nothing];
}

/** Where whole values of `field` are to be found: beside an analysed text there often is a keyword. */
function exactNames(field: string, known: KnownFields): string[] {
  const own = known.get(field);
  const keyword = `${field}.keyword`;
  if (!own?.has('text')) return own?.has('keyword') ? [field] : [];
  if (!known.has(keyword)) return [field];
  return own.has('keyword') ? [field, keyword] : [keyword];
}

/** pino and bunyan number their levels: 40 warn, 50 error, 60 fatal. */
const levelNumbers = { warn: { gte: 40, lt: 50 }, error: { gte: 50 } };

function levelClause(
  levels: ('fatal' | 'error' | 'warn')[],
  fields: RecordFields,
  known: KnownFields,
): Clause {
  const words = levels.flatMap(wordsOfLevel);
  const present = fields.level.filter((field) => known.has(field));
  const numbers = levels.includes('error') ? levelNumbers.error : levelNumbers.warn;
  const clauses = present.flatMap((field): Clause[] => {
    const types = known.get(field);
    const isText = types?.has('text') || types?.has('keyword');
    if (!isText) return types?.has('number') ? [{ range: { [field]: numbers } }] : [];
    if (!types?.has('number')) {
      return words.map((value) => ({ term: { [field]: { value, case_insensitive: true } } }));
    }
    // a number in one index and a word in another: only a lenient match bears both
    return [...words.flatMap(spellings), ...spelledNumbers(numbers)].map((value) => ({
      multi_match: { query: value, fields: [field], lenient: true },
    }));
  });
  const messages = fields.message.filter((field) => known.get(field)?.has('text'));
  if (levels.includes('error') && messages.length > 0) {
    // a line that says no level may still name an error
    clauses.push({
      bool: {
        must: {
          multi_match: { query: 'error exception fatal panic traceback', fields: messages, lenient: true },
        },
        must_not: present.map((field) => ({ exists: { field } })),
      },
    });
  }
  return clauses.length > 0 ? { bool: { should: clauses, minimum_should_match: 1 } } : nothing;
}

const spellings = (word: string): string[] => [
  word,
  word.toUpperCase(),
  `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`,
];

function spelledNumbers(range: { gte: number; lt?: number }): string[] {
  return [40, 50, 60].filter((n) => n >= range.gte && n < (range.lt ?? 100)).map(String);
}

function readLine(source: Record<string, unknown>, fields: RecordFields, time: string): LogLine[] {
  const written = textAt(source, time) ?? '';
  const at = /^\d+$/.test(written) ? Number(written) : Date.parse(written);
  return Number.isNaN(at) ? [] : [readRecord(source, fields, at)];
}

/** A phrase of Lucene's query language: between quotes only they and backslashes are syntax. */
function quoteLucene(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&').replace(/\p{Cc}+/gu, ' ')}"`;
}

/** In Kibana's language, for people: of the fields that exist or, where that is not known, the usual ones. */
function kql(query: LogQuery, fields: RecordFields, known?: KnownFields): string {
  const quote = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replace(/\s+/g, ' ')}"`;
  const clause = ({ field, values }: LogSelector): string => {
    const existing = fields[field].filter((name) => known?.has(name));
    const names = existing.length > 0 ? existing : fields[field].slice(0, 2);
    return names.map((name) => `${name}: (${values.map(quote).join(' or ')})`).join(' or ');
  };
  const choice =
    query.anyOf.length > 0
      ? query.anyOf.map(clause).join(' or ')
      : `${fields.level[0] ?? 'level'}: ("error" or "fatal")`;
  return cut([`(${choice})`, ...query.within.map((one) => `(${clause(one)})`)].join(' and '), 8000);
}

function partial(answer: estypes.SearchResponse): string | null {
  if (answer.timed_out) return 'Elasticsearch ran out of time: there may be more lines';
  const { failed, total } = answer._shards;
  return failed > 0 ? `${failed} of ${total} shards did not answer: there may be more lines` : null;
}

async function translated<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof errors.ResponseError) {
      const status = error.statusCode ?? 0;
      const reason = `Elasticsearch answered ${status}: ${cut(error.message, 300)}`;
      if (status === 429 || status >= 500) throw new LogSourceUnavailableError(reason, { cause: error });
      const remedy =
        status === 401 || status === 403
          ? ' (check its API key or user in ELASTICSEARCH_URL, or the credential of the log source)'
          : '';
      throw new LogSourceRefusedError(`${reason}${remedy}`, { cause: error });
    }
    if (error instanceof errors.TimeoutError) {
      throw new LogSourceUnavailableError(`Elasticsearch did not answer within ${timeoutMs} ms`, {
        cause: error,
      });
    }
    if (error instanceof errors.RequestAbortedError) {
      throw new LogSourceRefusedError(
        `Elasticsearch answered more than ${answerBytesAtMost / 1024 / 1024} MB: its lines are too long to be read`,
        { cause: error },
      );
    }
    if (error instanceof errors.ElasticsearchClientError) {
      throw new LogSourceUnavailableError(`Elasticsearch cannot be reached: ${cut(error.message, 300)}`, {
        cause: error,
      });
    }
    throw error;
  }
}
