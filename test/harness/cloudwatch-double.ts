import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BadQuery, type Condition, commandsOf, conditionOf, type QueryDialect } from './query-expression.ts';

/**
 * Stands in for CloudWatch Logs where moto cannot: it knows the `filter` command of Logs Insights, and refuses what
 * the query language, StartQuery and its limits do not allow
 * (docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html, CWL_QuerySyntax.html).
 */
export interface CloudWatchDouble {
  url: string;
  /** Query strings in order. */
  queries: string[];
  stopped: string[];
  put(group: string, stream: string, events: { at: number; message: string }[]): void;
  /** Queries stay 'Running' from now on. */
  hang(): void;
  /** Answers everything with this error of AWS. */
  fail(how: { status: number; code: string } | undefined): void;
  close(): Promise<void>;
}

interface Event {
  at: number;
  message: string;
  group: string;
  stream: string;
}

class AwsError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export async function startCloudWatchDouble(): Promise<CloudWatchDouble> {
  const events: Event[] = [];
  const queries: string[] = [];
  const stopped: string[] = [];
  let hanging = false;
  let failure: { status: number; code: string } | undefined;

  const operations: Record<string, (body: Record<string, unknown>) => unknown> = {
    StartQuery(body) {
      const { logGroupNames, startTime, endTime, queryString } = body as {
        logGroupNames: string[];
        startTime: number;
        endTime: number;
        queryString: string;
      };
      const groups = new Set(events.map((event) => event.group));
      if (logGroupNames.length > 50) throw new AwsError('InvalidParameterException', 'at most 50 log groups');
      for (const name of logGroupNames) {
        if (!groups.has(name))
          throw new AwsError('ResourceNotFoundException', `Log group '${name}' does not exist`);
      }
      if (!Number.isInteger(startTime) || startTime > 1e11 || endTime < startTime) {
        throw new AwsError(
          'InvalidParameterException',
          'times are epoch seconds, the end not before the start',
        );
      }
      queries.push(queryString);
      return { queryId: `q${queries.length - 1} ${startTime} ${endTime} ${logGroupNames.join(',')}` };
    },
    GetQueryResults(body) {
      if (hanging) return { status: 'Running', results: [] };
      const [id = '', start = '', end = '', groups = ''] = String(body.queryId).split(' ');
      const among = events.filter(
        ({ at, group }) =>
          groups.split(',').includes(group) && at >= Number(start) * 1000 && at < (Number(end) + 1) * 1000,
      );
      return run(queries[Number(id.slice(1))] ?? '', among);
    },
    StopQuery(body) {
      stopped.push(String(body.queryId));
      return { success: true };
    },
    DescribeLogGroups({ logGroupNamePrefix }) {
      const names = [...new Set(events.map((event) => event.group))];
      return {
        logGroups: names
          .filter((name) => name.startsWith(String(logGroupNamePrefix ?? '')))
          .map((logGroupName) => ({ logGroupName })),
      };
    },
  };

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = (status: number, body: unknown, code?: string): void => {
      response.writeHead(status, {
        'content-type': 'application/x-amz-json-1.1',
        ...(code ? { 'x-amzn-errortype': code } : {}),
      });
      response.end(JSON.stringify(body));
    };
    if (failure)
      return answer(failure.status, { __type: failure.code, message: 'told to fail' }, failure.code);
    try {
      const target = String(request.headers['x-amz-target']).replace('Logs_20140328.', '');
      const operation = operations[target];
      if (!operation) throw new AwsError('UnknownOperationException', target);
      answer(200, operation(JSON.parse(Buffer.concat(chunks).toString())));
    } catch (error) {
      const code =
        error instanceof AwsError
          ? error.code
          : error instanceof BadQuery
            ? 'MalformedQueryException'
            : 'InternalFailure';
      answer(
        code === 'InternalFailure' ? 500 : 400,
        { __type: code, message: (error as Error).message },
        code,
      );
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    queries,
    stopped,
    put: (group, stream, added) => void events.push(...added.map((event) => ({ ...event, group, stream }))),
    hang: () => {
      hanging = true;
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

const dialect: QueryDialect = {
  singleQuotes: 'string',
  functions: { ispresent: ([value]) => value !== null && value !== undefined },
};

function run(queryString: string, events: Event[]): unknown {
  const conditions: Condition[] = [];
  let shown: string[] = [];
  let limit = 10_000;
  for (const command of commandsOf(queryString)) {
    const [, name = '', rest = ''] = /^(\w+)\s+([\s\S]*)$/.exec(command) ?? [];
    if (name === 'fields') shown = rest.split(',').map((field) => field.trim());
    else if (name === 'filter') conditions.push(conditionOf(rest, dialect));
    else if (name === 'sort' && rest === '@timestamp desc') events = events.toSorted((a, b) => b.at - a.at);
    else if (name === 'limit' && Number(rest) <= 10_000) limit = Number(rest);
    else throw new BadQuery(`unexpected command '${command.slice(0, 80)}'`);
  }
  const found = events.filter((event) =>
    conditions.every((holds) => holds((field) => fieldOf(event, field)) === true),
  );
  return {
    status: 'Complete',
    statistics: { recordsMatched: found.length, recordsScanned: events.length },
    results: found
      .slice(0, limit)
      .map((event) => shown.map((field) => ({ field, value: fieldOf(event, field) ?? '' }))),
  };
}

/** Fields of a line that is JSON are found by themselves, with dots where they are nested. */
function fieldOf(event: Event, field: string): string | null {
  switch (field) {
    case '@timestamp':
      return new Date(event.at).toISOString().replace('T', ' ').replace('Z', '');
    case '@message':
      return event.message;
    case '@logStream':
      return event.stream;
    case '@log':
      return `123456789012:${event.group}`;
  }
  let value: unknown;
  try {
    value = JSON.parse(event.message);
  } catch {
    return null;
  }
  for (const part of field.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[part];
  return value === undefined || value === null || typeof value === 'object' ? null : String(value);
}
