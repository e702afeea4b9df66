import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LogQuery } from '../../domain/logs/query.ts';
import { type CloudWatchDouble, startCloudWatchDouble } from '../../test/harness/cloudwatch-double.ts';
import { at, logQuery } from '../../test/harness/log-query.ts';
import { startMoto } from '../../test/parts/moto.ts';
import { partOrSkip } from '../../test/parts/part.ts';
import { createCloudWatchLogs } from './cloudwatch.ts';
import { LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';

const hostile = `pay" or @message like /./ or x in ["\\`;

beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key-of-the-test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-of-the-test');
});
afterAll(() => {
  vi.unstubAllEnvs();
});

describe('CloudWatch Logs Insights', () => {
  let aws: CloudWatchDouble;
  const json = (offset: number, record: Record<string, unknown>) => ({
    at: at + offset,
    message: JSON.stringify(record),
  });
  beforeAll(async () => {
    aws = await startCloudWatchDouble();
    aws.put('/shop/apps', 'node-1', [
      json(0, {
        service: 'checkout',
        level: 'ERROR',
        message: 'pool exhausted',
        kubernetes: { pod: { name: 'checkout-7c' } },
      }),
      json(1000, { service: 'checkout', level: 'info', msg: 'request served', namespace: 'shop' }),
      json(2000, { service: 'checkout', level: 'info', msg: 'elsewhere', namespace: 'test' }),
      json(-600_000, { service: 'checkout', level: 'error', message: 'too early' }),
      json(300_000, { service: 'checkout', level: 'error', message: 'too late' }),
      json(0, { service: hostile, level: 'info', message: 'found by a hostile name' }),
      json(0, { service: 'mail', message: 'Error: not sent' }),
    ]);
    aws.put('/aws/lambda/payment', '2026/11/21/[$LATEST]ab', [{ at, message: 'Task timed out: error\n' }]);
    aws.put('/aws/lambda/payment-admin', 's', [{ at, message: 'all is well' }]);
  });
  afterEach(() => aws.fail(undefined));
  afterAll(() => aws.close());
  const groups = ['/shop/apps', '/aws/lambda/payment', '/aws/lambda/payment-admin'];
  const source = (change: Partial<Parameters<typeof createCloudWatchLogs>[0]> = {}) =>
    createCloudWatchLogs({ region: 'eu-central-1', logGroups: groups, endpoint: aws.url, ...change });
  const messages = async (asked: LogQuery): Promise<string[]> =>
    (await source().query('org', asked)).lines.map((line) => line.message);

  test('gives the lines of a service, read by their fields, errors first', async () => {
    const found = await source().query('org', logQuery());
    expect(found.lines).toEqual([
      {
        at,
        service: 'checkout',
        host: 'node-1',
        level: 'error',
        message: 'pool exhausted',
        labels: { pod: 'checkout-7c' },
      },
      {
        at: at + 1000,
        service: 'checkout',
        host: 'node-1',
        level: 'info',
        message: 'request served',
        labels: { namespace: 'shop' },
      },
      {
        at: at + 2000,
        service: 'checkout',
        host: 'node-1',
        level: 'info',
        message: 'elsewhere',
        labels: { namespace: 'test' },
      },
    ]);
    expect(found.total).toBe(3);
    expect(await messages(logQuery({ limit: 1 }))).toEqual(['pool exhausted']);
  });

  test('knows whose a plain line is by its log group, by whole words of its name', async () => {
    const { lines } = await source().query(
      'org',
      logQuery({ anyOf: [{ field: 'service', values: ['payment'] }] }),
    );
    expect(lines.map((line) => [line.service, line.message])).toEqual([
      ['payment-admin', 'all is well'],
      ['payment', 'Task timed out: error'],
    ]);
    expect(await messages(logQuery({ anyOf: [{ field: 'service', values: ['pay'] }] }))).toEqual([]);
  });

  test('keeps to the namespace where a line says one', async () => {
    expect(await messages(logQuery({ within: [{ field: 'namespace', values: ['shop'] }] }))).toEqual([
      'pool exhausted',
      'request served',
    ]);
  });

  test('takes a value for a value', async () => {
    expect(await messages(logQuery({ anyOf: [{ field: 'service', values: [hostile] }] }))).toEqual([
      'found by a hostile name',
    ]);
    for (const value of ['check.*', '.', '"', '\\', "'", '/', '`', 'a\nb | limit 1', '"] or 1=1']) {
      expect(await messages(logQuery({ anyOf: [{ field: 'service', values: [value] }] })), value).toEqual([]);
    }
  });

  test('reads the errors of everything when nothing is named, and a template instead of all', async () => {
    expect((await messages(logQuery({ anyOf: [] }))).sort()).toEqual([
      'Error: not sent',
      'Task timed out: error',
      'pool exhausted',
    ]);
    const statement = `filter service = ${source().quote('mail')}`;
    expect(await messages(logQuery({ statement }))).toEqual(['Error: not sent']);
  });

  test('says what is missing, and what a refusal means', async () => {
    expect(await source().probe()).toBe('3 log groups in eu-central-1');
    await expect(source({ logGroups: ['/nope'] }).probe()).rejects.toThrow(
      'eu-central-1 has no log group /nope',
    );
    await expect(source({ logGroups: ['/nope'] }).query('org', logQuery())).rejects.toBeInstanceOf(
      LogSourceRefusedError,
    );
    aws.fail({ status: 400, code: 'AccessDeniedException' });
    await expect(source().probe()).rejects.toThrow(/allow logs:StartQuery/);
    aws.fail({ status: 400, code: 'ThrottlingException' });
    await expect(source().probe()).rejects.toBeInstanceOf(LogSourceUnavailableError);
    await expect(source({ endpoint: 'http://127.0.0.1:1' }).probe()).rejects.toThrow(/cannot be reached/);
  });

  test('links into the console with the groups and the query', () => {
    const link = source({ logGroups: ['/a b'] }).link(logQuery()) ?? '';
    expect(link).toMatch(
      /^https:\/\/eu-central-1\.console\.aws\.amazon\.com\/cloudwatch\/home\?region=eu-central-1#logsV2:logs-insights\$3FqueryDetail\$3D~\(/,
    );
    expect(decodeURIComponent(link.split('#')[1]!.replaceAll('$', '%'))).toContain("~source~(~'*2fa*20b))");
  });

  test('stops what takes too long and says so', async () => {
    aws.hang();
    await expect(source({ timeoutMs: 1000 }).query('org', logQuery())).rejects.toThrow(
      'CloudWatch did not answer within 1000 ms',
    );
    await expect.poll(() => aws.stopped.length).toBe(2);
  });
});

test('moto answers it, with what moto knows of Logs Insights', { timeout: 120_000 }, async (context) => {
  const moto = await partOrSkip(context, startMoto);
  const client = new CloudWatchLogsClient({ region: 'eu-central-1', endpoint: moto.url });
  const source = createCloudWatchLogs({
    region: 'eu-central-1',
    logGroups: ['/shop/apps'],
    endpoint: moto.url,
  });
  const now = Date.now();
  try {
    const stream = { logGroupName: '/shop/apps', logStreamName: 'node-1' };
    await expect(source.probe()).rejects.toThrow('has no log group /shop/apps');
    await client.send(new CreateLogGroupCommand({ logGroupName: '/shop/apps' }));
    await client.send(new CreateLogStreamCommand(stream));
    const logEvents = [
      { timestamp: now - 1000, message: '{"service":"checkout","level":"error","message":"no route"}' },
    ];
    await client.send(new PutLogEventsCommand({ ...stream, logEvents }));
    expect(await source.probe()).toBe('1 log group in eu-central-1');
    const { lines } = await source.query('org', logQuery({ from: now - 60_000, to: now + 60_000 }));
    expect(lines).toEqual([
      {
        at: now - 1000,
        service: 'checkout',
        host: 'node-1',
        level: 'error',
        message: 'no route',
        labels: {},
      },
    ]);
  } finally {
    client.destroy();
    await source.close?.();
    await moto.close();
  }
});
