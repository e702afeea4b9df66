import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudWatchLogsClient, GetQueryResultsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import { cut, type LogLine, wordsOfLevel } from '../../domain/logs/log-line.ts';
import { instanceHosts, type LogQuery, type LogSelector } from '../../domain/logs/query.ts';
import { type LogSource, LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';
import { defaultRecordFields, jsonRecord, type RecordFields, readRecord } from './record.ts';

export interface CloudWatchLogsDeps {
  /** As people called the source; default 'cloudwatch'. */
  name?: string;
  region: string;
  /** Names of log groups, 1 to 50. */
  logGroups: readonly string[];
  fields?: Partial<RecordFields>;
  /** HOLDFAST_AWS_ENDPOINT: instead of Amazon's own, for what speaks like it. */
  endpoint?: string;
  /** Milliseconds that a query may take. */
  timeoutMs?: number;
}

/** Of Logs Insights: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Limit.html */
const linesAtMost = 10_000;
/** A name or value with more than this is none. */
const longestName = 200;
/** Milliseconds between two looks at a query that runs. */
const looks = { first: 200, longest: 1000 };
const errorPattern = '/(?i)\\b(error|exception|fatal|panic|critical|traceback|fail(ed|ure)?)\\b/';
/** It may end well when it is asked again; everything else that AWS answers will not. */
const passing = [
  'LimitExceededException',
  'ServiceUnavailableException',
  'ThrottlingException',
  'TimeoutError',
  'AbortError',
  'InternalFailure',
];

/**
 * Logs in CloudWatch, by Logs Insights, with the credentials that the AWS SDK finds by itself. A line that is JSON is
 * read by its fields; of others the names of log group and stream say whose they are.
 */
export function createCloudWatchLogs(deps: CloudWatchLogsDeps): LogSource {
  const fields = { ...defaultRecordFields, ...deps.fields };
  const timeoutMs = deps.timeoutMs ?? 20_000;
  let client: CloudWatchLogsClient | undefined;

  async function connected(): Promise<
    [CloudWatchLogsClient, typeof import('@aws-sdk/client-cloudwatch-logs')]
  > {
    const library = await import('@aws-sdk/client-cloudwatch-logs');
    client ??= new library.CloudWatchLogsClient({
      region: deps.region,
      maxAttempts: 2,
      ...(deps.endpoint === undefined ? {} : { endpoint: deps.endpoint }),
    });
    return [client, library];
  }

  async function insights(filter: string, query: LogQuery, limit: number): Promise<Found> {
    const [aws, { GetQueryResultsCommand, StartQueryCommand, StopQueryCommand }] = await connected();
    const abortSignal = AbortSignal.timeout(timeoutMs);
    const { queryId } = await aws.send(
      new StartQueryCommand({
        logGroupNames: [...deps.logGroups],
        startTime: Math.floor(query.from / 1000),
        // the last second is included, and what lies beyond the end would take the places of lines before it
        endTime: Math.ceil(query.to / 1000) - 1,
        queryString: statementOf(filter, limit),
      }),
      { abortSignal },
    );
    try {
      for (let pause = looks.first; ; pause = Math.min(pause * 2, looks.longest)) {
        const answer = await aws.send(new GetQueryResultsCommand({ queryId }), { abortSignal });
        if (answer.status === 'Complete') return readResults(answer, fields, query);
        if (answer.status !== 'Running' && answer.status !== 'Scheduled') {
          throw new LogSourceUnavailableError(`CloudWatch ended the query as ${answer.status ?? 'unknown'}`);
        }
        await sleep(pause, undefined, { signal: abortSignal });
      }
    } catch (error) {
      // what nobody waits for would go on and be paid for
      if (abortSignal.aborted) await aws.send(new StopQueryCommand({ queryId })).catch(() => {});
      throw error;
    }
  }

  return {
    kind: 'cloudwatch',
    name: deps.name ?? 'cloudwatch',
    quote,

    async probe() {
      return await translated(deps, timeoutMs, async () => {
        const [aws, { DescribeLogGroupsCommand }] = await connected();
        const missing: string[] = [];
        for (const group of deps.logGroups) {
          const { logGroups = [] } = await aws.send(
            new DescribeLogGroupsCommand({ logGroupNamePrefix: group, limit: 50 }),
            { abortSignal: AbortSignal.timeout(timeoutMs) },
          );
          if (!logGroups.some(({ logGroupName }) => logGroupName === group)) missing.push(group);
        }
        if (missing.length > 0) {
          throw new LogSourceRefusedError(`${deps.region} has no log group ${missing.join(', ')}`);
        }
        return `${deps.logGroups.length} log group${deps.logGroups.length === 1 ? '' : 's'} in ${deps.region}`;
      });
    },

    async query(_orgId, query) {
      return await translated(deps, timeoutMs, async () => {
        const filter = filterOf(query, fields);
        const limit = Math.min(query.limit, linesAtMost);
        const everything = query.anyOf.length === 0 && query.statement === undefined;
        const [errors, all] = await Promise.all([
          insights(`${filter} | ${errorFilter(fields)}`, query, limit),
          // what else was said only matters where something is named
          everything ? undefined : insights(filter, query, limit),
        ]);
        const lines = distinct([...errors.lines, ...(all?.lines ?? [])]).slice(0, limit);
        return {
          lines: lines.reverse().sort((a, b) => a.at - b.at),
          total: Math.max(lines.length, (all ?? errors).total),
          asked: statementOf(filter, limit),
          note: null,
        };
      });
    },

    link(query) {
      return consoleLink(deps, statementOf(filterOf(query, fields), 1000), query);
    },

    async close() {
      client?.destroy();
    },
  };
}

function statementOf(filter: string, limit: number): string {
  return `fields @timestamp, @message, @logStream, @log | ${filter} | sort @timestamp desc | limit ${limit}`;
}

/** A query command that chooses the lines. */
function filterOf(query: LogQuery, fields: RecordFields): string {
  if (query.statement !== undefined) return query.statement;
  const choice = query.anyOf.flatMap((selector) => holds(selector, fields));
  const within = query.within.map((selector) => {
    const silent = fields[selector.field].map((name) => `not ispresent(${fieldName(name)})`);
    return `(${holds(selector, fields).join(' or ')} or (${silent.join(' and ')}))`;
  });
  const conditions = [...(choice.length > 0 ? [`(${choice.join(' or ')})`] : []), ...within];
  return conditions.length > 0 ? `filter ${conditions.join(' and ')}` : 'filter ispresent(@message)';
}

function holds({ field, values }: LogSelector, fields: RecordFields): string[] {
  const all = (field === 'instance' ? values.flatMap(instanceHosts) : values).filter(
    (value) => value.length <= longestName,
  );
  const list = `[${all.map(quote).join(', ')}]`;
  const equal = fields[field].map((name) => `${fieldName(name)} in ${list}`);
  // of a line that is no JSON, the group ('/aws/lambda/checkout') or the stream ('checkout-7c') says whose it is
  const place =
    field === 'namespace'
      ? []
      : all.map((value) => `${field === 'service' ? '@log' : '@logStream'} like ${whole(value)}`);
  return [...equal, ...place];
}

function errorFilter(fields: RecordFields): string {
  const words = [...wordsOfLevel('fatal'), ...wordsOfLevel('error')];
  const spelled = words
    .flatMap((word) => [word, word.toUpperCase()])
    .map(quote)
    .join(', ');
  const levels = fields.level.map((name) => `${fieldName(name)} in [${spelled}]`);
  return `filter ${levels.join(' or ')} or @message like ${errorPattern}`;
}

/** A name with anything but letters, digits, '@', '_' and '.' stands between backticks. */
function fieldName(name: string): string {
  return /^[@\w.]+$/.test(name) ? name : `\`${name.replaceAll('`', '')}\``;
}

/** A string of Logs Insights: backslash escapes, no line breaks. */
function quote(value: string): string {
  return `"${value.replace(/\p{Cc}+/gu, ' ').replace(/[\\"]/g, '\\$&')}"`;
}

/** The value as a whole word of a path or name, as a regular expression in which nothing of it is syntax. */
function whole(value: string): string {
  const literal = value.replace(/\p{Cc}+/gu, ' ').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return `/(^|[\\/:._-])${literal}($|[\\/:._-])/`;
}

interface Found {
  /** The latest first. */
  lines: LogLine[];
  total: number;
}

function readResults(answer: GetQueryResultsCommandOutput, fields: RecordFields, query: LogQuery): Found {
  const rows = (answer.results ?? []).map((row) =>
    Object.fromEntries(row.map(({ field = '', value = '' }) => [field, value])),
  );
  const lines = rows.flatMap((row) => {
    const at = instantOf(row['@timestamp'] ?? '');
    if (Number.isNaN(at) || at < query.from || at >= query.to) return [];
    const text = (row['@message'] ?? '').trimEnd();
    const group = row['@log']?.replace(/^\d+:/, '').split('/').at(-1) || null;
    const place = { message: text, service: group, host: row['@logStream'] || null };
    return [readRecord(jsonRecord(text) ?? {}, fields, at, place)];
  });
  const matched = answer.statistics?.recordsMatched ?? 0;
  return { lines, total: matched - (rows.length - lines.length) };
}

/** '2026-11-21 02:14:07.123', in UTC; moto writes epoch milliseconds. */
function instantOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Date.parse(`${text.replace(' ', 'T')}Z`);
}

/** What both queries found stands here once. */
function distinct(lines: LogLine[]): LogLine[] {
  const seen = new Map<string, LogLine>();
  for (const line of lines) {
    const key = [line.at, line.service, line.host, line.labels.pod, line.message].join('\n');
    if (!seen.has(key)) seen.set(key, line);
  }
  return [...seen.values()];
}

/** To Logs Insights in the console, whose address holds the query as JSURL, escaped once more with '$'. */
function consoleLink(deps: CloudWatchLogsDeps, statement: string, query: LogQuery): string {
  const text = (value: string): string =>
    `'${value.replace(/[^A-Za-z0-9_.-]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `*${byte.toString(16).padStart(2, '0')}`).join(''),
    )}`;
  const iso = (at: number): string => text(new Date(at).toISOString());
  const groups = deps.logGroups.map((group) => `~${text(group)}`).join('');
  const detail = `~(end~${iso(query.to)}~start~${iso(query.from)}~timeType~'ABSOLUTE~tz~'UTC~editorString~${text(statement)}~source~(${groups}))`;
  const escaped = encodeURIComponent(`?queryDetail=${detail}`).replaceAll('%', '$');
  const region = encodeURIComponent(deps.region);
  return `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#logsV2:logs-insights${escaped}`;
}

async function translated<T>(
  deps: CloudWatchLogsDeps,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LogSourceUnavailableError || error instanceof LogSourceRefusedError) throw error;
    if (!(error instanceof Error)) throw error;
    if (error.name === 'AbortError' || error.name === 'TimeoutError') {
      throw new LogSourceUnavailableError(`CloudWatch did not answer within ${timeoutMs} ms`, {
        cause: error,
      });
    }
    if (error.name === 'CredentialsProviderError') {
      throw new LogSourceRefusedError(
        'AWS credentials are missing where logs are read; give the worker a role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
        { cause: error },
      );
    }
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    const reason = `CloudWatch in ${deps.region} answered ${error.name}: ${cut(error.message, 300)}`;
    if (status === undefined) {
      throw new LogSourceUnavailableError(`CloudWatch cannot be reached: ${cut(error.message, 300)}`, {
        cause: error,
      });
    }
    if (passing.includes(error.name) || status >= 500)
      throw new LogSourceUnavailableError(reason, { cause: error });
    const remedy =
      error.name === 'AccessDeniedException'
        ? ' (allow logs:StartQuery, logs:GetQueryResults, logs:StopQuery and logs:DescribeLogGroups)'
        : '';
    throw new LogSourceRefusedError(`${reason}${remedy}`, { cause: error });
  }
}
