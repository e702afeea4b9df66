import { z } from 'zod';
import { cut, type LogLine, logLevel } from '../../domain/logs/log-line.ts';
import { instanceHosts, type LogField, type LogQuery, type LogSelector } from '../../domain/logs/query.ts';
import { askLogServer, type LogServer } from './log-server.ts';
import { type LogSource, LogSourceRefusedError, messageRead } from './log-source.ts';

/** Which stream labels hold what; the first that the streams have is used. */
export type LokiLabels = Record<LogField | 'level', string[]>;

export const defaultLokiLabels: LokiLabels = {
  service: ['service_name', 'service', 'app', 'application', 'container', 'job'],
  host: ['host', 'hostname', 'node', 'node_name', 'nodename', 'k8s_node_name'],
  namespace: ['namespace', 'k8s_namespace_name'],
  pod: ['pod', 'pod_name', 'k8s_pod_name'],
  instance: ['instance', 'host', 'hostname', 'node', 'node_name', 'nodename'],
  level: ['level', 'detected_level', 'severity'],
};

export interface LokiLogsDeps {
  /** As people called the source; default 'loki'. */
  name?: string;
  /** Loki's address; a user and password in it are sent as basic authentication. */
  url: string;
  /** X-Scope-OrgID, where Loki serves several tenants. */
  tenant?: string;
  /** Sent as Bearer token, to what stands in front of Loki. */
  token?: string;
  /** Certificates in PEM, instead of the usual ones. */
  ca?: string;
  /** See EgressRules. */
  egressAllow?: readonly string[];
  labels?: Partial<LokiLabels>;
  /** Grafana's address and the uid or name of its Loki data source ('loki'), for links. */
  grafana?: { url: string; datasource?: string };
  /** Milliseconds that a request may take. */
  timeoutMs?: number;
}

/** Loki's own default for `max_entries_limit_per_query`: a greater limit is refused. */
const entriesAtMost = 5000;
/** Streams are selected by labels that all must match, so 'one of these' takes a query each. */
const queriesAtMost = 6;
/** What makes a line an error to Loki, which knows no levels. */
const errorFilter = '|~ "(?i)\\\\b(error|exception|fatal|panic|critical|traceback|fail(ed|ure)?)"';

const streams = z.object({
  data: z.object({
    resultType: z.literal('streams'),
    result: z.array(
      z.object({
        stream: z.record(z.string(), z.string()),
        // a third element holds structured metadata
        values: z.array(z.tuple([z.string().regex(/^\d+$/), z.string()]).rest(z.unknown())),
      }),
    ),
  }),
});
const vector = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});
const labelNames = z.object({ data: z.array(z.string()).nullish() });

/** Logs in Loki, by its HTTP API. */
export function createLokiLogs(deps: LokiLogsDeps): LogSource {
  const labels = { ...defaultLokiLabels, ...deps.labels };
  const timeoutMs = deps.timeoutMs ?? 10_000;
  const get = requester(deps, timeoutMs);

  async function existingLabels(range: { from: number; to: number }): Promise<Set<string>> {
    const answer = await get(
      '/loki/api/v1/labels',
      { start: nanos(range.from), end: nanos(range.to) },
      labelNames,
    );
    return new Set(answer.data ?? []);
  }

  return {
    kind: 'loki',
    name: deps.name ?? 'loki',
    quote,

    async probe() {
      // without a range Loki answers for the last six hours
      const answer = await get('/loki/api/v1/labels', {}, labelNames);
      return `${answer.data?.length ?? 0} stream labels in the last hours`;
    },

    async query(_orgId, query) {
      const selectors = query.statement
        ? [query.statement]
        : streamSelectors(query, labels, await existingLabels(query));
      if (selectors.length === 0) {
        return {
          lines: [],
          total: 0,
          asked: '',
          note: 'no stream label that the alert names exists in Loki',
        };
      }
      const limit = Math.min(query.limit, entriesAtMost);
      const range = { start: nanos(query.from), end: nanos(query.to), direction: 'backward' };
      const fetchLines = async (logql: string): Promise<Entry[]> => {
        const answer = await get(
          '/loki/api/v1/query_range',
          { query: logql, ...range, limit: String(limit) },
          streams,
        );
        return readEntries(answer.data.result, labels);
      };
      const everything = query.anyOf.length === 0 && !query.statement;
      const found = await Promise.all(
        selectors.map(async (selector) => {
          const [errors, rest, total] = await Promise.all([
            fetchLines(`${selector} ${errorFilter}`),
            // what else was said only matters where something is named
            everything ? [] : fetchLines(selector),
            countLines(everything ? `${selector} ${errorFilter}` : selector, query),
          ]);
          return { errors, rest, total };
        }),
      );
      const unique = distinct([...found.flatMap((one) => one.errors), ...found.flatMap((one) => one.rest)]);
      return {
        lines: unique
          .slice(0, limit)
          .sort(byTime)
          .map((entry) => entry.line),
        total: Math.max(unique.length, ...found.map((one) => one.total)),
        asked: selectors.join('\n'),
        note: null,
      };
    },

    link(query) {
      if (!deps.grafana) return null;
      const [selector] = query.statement ? [query.statement] : streamSelectors(query, labels, undefined);
      const { url, datasource = 'loki' } = deps.grafana;
      const pane = {
        datasource,
        queries: [{ refId: 'A', expr: selector ?? '{}', datasource: { type: 'loki', uid: datasource } }],
        range: { from: String(query.from), to: String(query.to) },
      };
      const panes = encodeURIComponent(JSON.stringify({ logs: pane }));
      return `${url.replace(/\/+$/, '')}/explore?schemaVersion=1&panes=${panes}`;
    },
  };

  async function countLines(logql: string, query: LogQuery): Promise<number> {
    const seconds = Math.max(1, Math.ceil((query.to - query.from) / 1000));
    const answer = await get(
      '/loki/api/v1/query',
      // counted is what is later than the range's start and not later than `time`
      { query: `sum(count_over_time(${logql} [${seconds}s]))`, time: `${BigInt(nanos(query.to)) - 1n}` },
      vector,
    );
    return Number(answer.data.result[0]?.value[1] ?? 0);
  }
}

/**
 * One stream selector per named field, of the first label that exists. `existing` undefined: not known, the
 * first label of the mapping is taken.
 */
function streamSelectors(query: LogQuery, labels: LokiLabels, existing: Set<string> | undefined): string[] {
  const labelOf = (field: LogField): string | undefined =>
    labels[field].find((label) => isLabelName(label) && (existing?.has(label) ?? true));
  const within = query.within.flatMap((selector) => {
    const label = labelOf(selector.field);
    // the empty alternative keeps streams that do not have the label
    return label ? [`${label}=~${quote(`${alternatives(selector)}|`)}`] : [];
  });
  if (query.anyOf.length === 0) {
    const any = labelOf('service') ?? labelOf('host') ?? [...(existing ?? [])].find(isLabelName);
    return any ? [`{${[`${any}=~".+"`, ...within].join(', ')}}`] : [];
  }
  const chosen = query.anyOf.flatMap((selector) => {
    const label = labelOf(selector.field);
    return label ? [`{${[`${label}=~${quote(alternatives(selector))}`, ...within].join(', ')}}`] : [];
  });
  return [...new Set(chosen)].slice(0, queriesAtMost);
}

const isLabelName = (name: string): boolean => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);

/** The values as one regular expression, in which nothing of them is syntax. Loki anchors it at both ends. */
function alternatives({ field, values }: LogSelector): string {
  const all = field === 'instance' ? [...new Set(values.flatMap(instanceHosts))] : values;
  return all.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|');
}

/** A LogQL string is a Go string: JSON's escapes are all among Go's, once no half of a surrogate pair is left. */
function quote(text: string): string {
  return JSON.stringify(text.toWellFormed());
}

function nanos(at: number): string {
  return `${BigInt(Math.round(at)) * 1_000_000n}`;
}

interface Entry {
  nanos: bigint;
  line: LogLine;
}

const byTime = (a: Entry, b: Entry): number => (a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0);

/** The latest first. */
function readEntries(result: z.infer<typeof streams>['data']['result'], labels: LokiLabels): Entry[] {
  return result
    .flatMap(({ stream, values }) => {
      const first = (field: keyof LokiLabels): string | undefined =>
        labels[field].map((label) => stream[label]).find((value) => value);
      const known: Record<string, string> = {};
      for (const field of ['namespace', 'pod', 'instance'] as const) {
        const value = first(field);
        if (value !== undefined) known[field] = value;
      }
      const level = first('level');
      // Loki's own guess says 'unknown' where it has none
      const word = level === 'unknown' ? undefined : level;
      const origin = { service: first('service') ?? null, host: first('host') ?? null, labels: known };
      return values.map(([time, text]): Entry => {
        const nanos = BigInt(time);
        const message = cut(text, messageRead);
        return {
          nanos,
          line: { at: Number(nanos / 1_000_000n), ...origin, level: logLevel(word, text), message },
        };
      });
    })
    .sort((a, b) => byTime(b, a));
}

/** What several queries found stands here once, at its first place. */
function distinct(entries: Entry[]): Entry[] {
  const seen = new Map<string, Entry>();
  for (const entry of entries) {
    const { service, host, labels, message } = entry.line;
    const key = [entry.nanos, service, host, labels.pod, message].join('\n');
    if (!seen.has(key)) seen.set(key, entry);
  }
  return [...seen.values()];
}

type Get = <T>(path: string, parameters: Record<string, string>, schema: z.ZodType<T>) => Promise<T>;

function requester(deps: LokiLogsDeps, timeoutMs: number): Get {
  const headers: Record<string, string> = {};
  if (deps.tenant) headers['x-scope-orgid'] = deps.tenant;
  if (deps.token) headers.authorization = `Bearer ${deps.token}`;
  const server: LogServer = {
    name: 'Loki',
    url: deps.url,
    headers,
    ...(deps.ca === undefined ? {} : { ca: deps.ca }),
    egressAllow: deps.egressAllow ?? [],
    timeoutMs,
    credentials: 'the user, password and tenant of LOKI_URL, or the credential of the log source',
  };
  return async (path, parameters, schema) =>
    readAnswer(path, await askLogServer(server, { method: 'GET', path, parameters }), schema);
}

function readAnswer<T>(path: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new LogSourceRefusedError(`what answers ${path} is not Loki: no JSON (check LOKI_URL)`, {
      cause: error,
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new LogSourceRefusedError(
    `Loki's answer to ${path} is not understood: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}
