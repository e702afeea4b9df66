import { z } from 'zod';
import { cut, type LogLine, wordsOfLevel } from '../../domain/logs/log-line.ts';
import { instanceHosts, type LogQuery, type LogSelector } from '../../domain/logs/query.ts';
import { askLogServer, type LogServer } from './log-server.ts';
import {
  type FoundLogs,
  type LogSource,
  LogSourceRefusedError,
  LogSourceUnavailableError,
} from './log-source.ts';
import { defaultRecordFields, jsonRecord, type RecordFields, readRecord } from './record.ts';

export interface SplunkLogsDeps {
  /** As people called the source; default 'splunk'. */
  name?: string;
  /** Of the management port: https://splunk.example.com:8089. */
  url: string;
  /** An authentication token. */
  token?: string;
  /** Indexes, comma-separated; '*' in a name stands for anything. */
  index?: string;
  fields?: Partial<RecordFields>;
  /** Of Splunk Web, for links. */
  webUrl?: string;
  /** Certificates in PEM, instead of the usual ones. */
  ca?: string;
  /** See EgressRules. */
  egressAllow?: readonly string[];
  /** Milliseconds that a request may take. */
  timeoutMs?: number;
}

/** Of `sort` and of what an export gives without being asked twice. */
const linesAtMost = 10_000;
const errorPattern = '(?i)\\b(error|exception|fatal|panic|critical|traceback|fail(ed|ure)?)\\b';
/** Between 0 (all else) and 2 (errors). */
const rankField = 'holdfast_rank';
const totalField = 'holdfast_total';
const timeField = 'holdfast_time';

/** One line of an export: https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch */
const exported = z.union([
  z.object({ messages: z.array(z.object({ type: z.string(), text: z.string() })) }),
  z.object({
    preview: z.boolean().optional(),
    result: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
  }),
]);

/** Logs in Splunk, by one exporting search: nothing is left behind there. */
export function createSplunkLogs(deps: SplunkLogsDeps): LogSource {
  const fields = { ...defaultRecordFields, ...deps.fields };
  const indexes = indexClause(deps.index ?? 'main');
  const timeoutMs = deps.timeoutMs ?? 20_000;
  const server: LogServer = {
    name: 'Splunk',
    url: deps.url,
    headers: deps.token === undefined ? {} : { authorization: `Bearer ${deps.token}` },
    ...(deps.ca === undefined ? {} : { ca: deps.ca }),
    egressAllow: deps.egressAllow ?? [],
    timeoutMs,
    credentials: 'the token of the log source; it needs the right to search',
  };

  return {
    kind: 'splunk',
    name: deps.name ?? 'splunk',
    quote,

    async probe() {
      const answer = await askLogServer(server, {
        method: 'GET',
        path: '/services/server/info',
        parameters: { output_mode: 'json' },
      });
      const info = z
        .object({ entry: z.array(z.object({ content: z.object({ version: z.string() }) })).min(1) })
        .safeParse(jsonRecord(answer));
      if (!info.success) throw notSplunk();
      return `Splunk ${info.data.entry[0]?.content.version ?? ''} searches ${deps.index ?? 'main'}`;
    },

    async query(_orgId, query) {
      const limit = Math.min(query.limit, linesAtMost);
      const asked = searchOf(query, indexes, fields);
      const answer = await askLogServer(server, {
        method: 'POST',
        path: '/services/search/v2/jobs/export',
        parameters: {
          search: `${asked} | ${worstFirst(query, fields, limit)}`,
          output_mode: 'json',
          preview: 'false',
          earliest_time: (query.from / 1000).toFixed(3),
          latest_time: (query.to / 1000).toFixed(3),
          // seconds after which Splunk gives what it has
          max_time: String(Math.max(1, Math.floor((timeoutMs * 0.8) / 1000))),
        },
      });
      return { ...readExport(answer, fields), asked };
    },

    link(query) {
      if (!deps.webUrl) return null;
      const parameters = new URLSearchParams({
        q: searchOf(query, indexes, fields),
        earliest: String(Math.floor(query.from / 1000)),
        latest: String(Math.ceil(query.to / 1000)),
      });
      return `${deps.webUrl.replace(/\/+$/, '')}/app/search/search?${parameters}`;
    },
  };
}

function indexClause(index: string): string {
  const names = index
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return `(${names.map((name) => `index=${literal(name)}`).join(' OR ')})`;
}

/**
 * In `search` an asterisk is a wildcard even between quotes, so values are compared in `where`, where it is none;
 * `search` only narrows down, by values that are plain words.
 */
function searchOf(query: LogQuery, indexes: string, fields: RecordFields): string {
  if (query.statement !== undefined) return `search ${indexes} ${query.statement}`;
  const plain = query.anyOf.every((one) => valuesOf(one).every((value) => /^[\w.:-]+$/.test(value)));
  const narrow =
    plain && query.anyOf.length > 0 ? ` (${query.anyOf.map((one) => names(one, fields)).join(' OR ')})` : '';
  const conditions = [
    ...(query.anyOf.length > 0 ? [`(${query.anyOf.map((one) => holds(one, fields)).join(' OR ')})`] : []),
    ...query.within.map(
      (one) => `(${holds(one, fields)} OR isnull(coalesce(${fields[one.field].map(fieldName).join(', ')})))`,
    ),
  ];
  return `search ${indexes}${narrow}${conditions.length > 0 ? ` | where ${conditions.join(' AND ')}` : ''}`;
}

/** In the text of an event, or in a field that Splunk keeps beside it. */
function names(selector: LogSelector, fields: RecordFields): string {
  const plain = fields[selector.field].filter((name) => /^\w[\w.]*$/.test(name));
  return valuesOf(selector)
    .map(literal)
    .flatMap((value) => [value, ...plain.map((name) => `${name}=${value}`)])
    .join(' OR ');
}

function holds(selector: LogSelector, fields: RecordFields): string {
  const list = valuesOf(selector).map(literal).join(', ');
  return fields[selector.field].map((name) => `in(${fieldName(name)}, ${list})`).join(' OR ');
}

function valuesOf({ field, values }: LogSelector): string[] {
  return field === 'instance' ? [...new Set(values.flatMap(instanceHosts))] : values;
}

/** Commands after the choice: count all, rank by level, keep the worst and then the latest, give what is read. */
function worstFirst(query: LogQuery, fields: RecordFields, limit: number): string {
  const level = `lower(coalesce(${fields.level.map(fieldName).join(', ')}, ""))`;
  const words = (levels: string[]): string => levels.map(literal).join(', ');
  const errors = words([...wordsOfLevel('fatal'), ...wordsOfLevel('error')]);
  const rank = `case(in(${level}, ${errors}), 2, in(${level}, ${words(wordsOfLevel('warn'))}), 1, match(_raw, ${literal(errorPattern)}), 2, true(), 0)`;
  const everything = query.anyOf.length === 0 && query.statement === undefined;
  const kept = [...new Set(['_raw', 'host', 'source', ...Object.values(fields).flat()])];
  return [
    `eval ${rankField}=${rank}, ${timeField}=_time`,
    ...(everything ? [`where ${rankField}=2`] : []),
    `eventstats count AS ${totalField}`,
    `sort ${limit} -${rankField}, -${timeField}`,
    `table ${[timeField, totalField, ...kept].map((name) => (/^\w+$/.test(name) ? name : literal(name))).join(', ')}`,
  ].join(' | ');
}

/** A string of Splunk's language, compared as it stands. */
function literal(value: string): string {
  return `"${value.replace(/\p{Cc}+/gu, ' ').replace(/[\\"]/g, '\\$&')}"`;
}

/** A template may put it anywhere: where an asterisk would be a wildcard, or backticks a macro. */
function quote(value: string): string | null {
  return /[*`]/.test(value) ? null : literal(value);
}

/** In expressions a field's name stands between single quotes. */
function fieldName(name: string): string {
  return `'${name.replace(/['\\]/g, '')}'`;
}

function readExport(answer: string, fields: RecordFields): Omit<FoundLogs, 'asked'> {
  const lines: LogLine[] = [];
  const notes: string[] = [];
  let total = 0;
  for (const text of answer.split('\n')) {
    if (text.trim() === '') continue;
    const parsed = exported.safeParse(jsonRecord(text));
    if (!parsed.success) throw notSplunk();
    if ('messages' in parsed.data) {
      notes.push(...readMessages(parsed.data.messages));
      continue;
    }
    const { result } = parsed.data;
    const at = Math.round(Number(result?.[timeField]) * 1000);
    if (!result || Number.isNaN(at)) continue;
    total = Math.max(total, Number(result[totalField]) || 0);
    const raw = String(result._raw ?? '');
    lines.push(readRecord({ ...jsonRecord(raw), ...present(result) }, fields, at, { message: raw }));
  }
  return {
    // the latest come first: turned round, lines of the same instant stand as they came
    lines: lines.reverse().sort((a, b) => a.at - b.at),
    total: Math.max(total, lines.length),
    note: notes.length > 0 ? cut(notes.join('; '), 500) : null,
  };
}

/** Throws LogSourceRefusedError for an error; the rest made the answer less than it could be. */
function readMessages(messages: { type: string; text: string }[]): string[] {
  const wrong = messages.find(({ type }) => /^(?:FATAL|ERROR)$/i.test(type));
  if (wrong && /quota|concurren|maximum number|not enough|waiting/i.test(wrong.text)) {
    throw new LogSourceUnavailableError(`Splunk is busy: ${cut(wrong.text, 300)}`);
  }
  if (wrong) throw new LogSourceRefusedError(`Splunk refused the search: ${cut(wrong.text, 300)}`);
  return messages.filter(({ type }) => /^WARN/i.test(type)).map(({ text }) => `Splunk: ${text}`);
}

function present(result: Record<string, string | string[]>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(result).filter(([name, value]) => name !== '_raw' && value !== ''),
  );
}

function notSplunk(): LogSourceRefusedError {
  return new LogSourceRefusedError(
    "what answers is not Splunk's management port: check the address, usually https://…:8089",
  );
}
