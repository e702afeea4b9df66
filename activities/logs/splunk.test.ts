import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LogQuery } from '../../domain/logs/query.ts';
import { at, logQuery } from '../../test/harness/log-query.ts';
import { type SplunkDouble, startSplunkDouble } from '../../test/harness/splunk-double.ts';
import { LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';
import { createSplunkLogs } from './splunk.ts';

const hostile = `pay" | delete "\\'`;

describe('Splunk', () => {
  let splunk: SplunkDouble;
  beforeAll(async () => {
    splunk = await startSplunkDouble({ token: 't0ken' });
    const json = (offset: number, record: Record<string, unknown>) => ({
      at: at + offset,
      raw: JSON.stringify(record),
    });
    splunk.add('shop', [
      json(0, {
        service: 'checkout',
        level: 'ERROR',
        message: 'pool exhausted',
        kubernetes: { pod: { name: 'checkout-7c' } },
      }),
      json(1000, { service: 'checkout', level: 'info', msg: 'request served', namespace: 'shop' }),
      json(2000, { service: 'checkout', level: 'Warning', msg: 'elsewhere', namespace: 'test' }),
      json(-600_000, { service: 'checkout', level: 'error', message: 'too early' }),
      json(300_000, { service: 'checkout', level: 'error', message: 'too late' }),
      json(0, { service: hostile, message: 'found by a hostile name' }),
      json(0, { service: 'check*', message: 'a name with an asterisk' }),
      { at: at + 3000, raw: 'Traceback: error in mail', fields: { service: 'mail', host: 'web-1' } },
    ]);
    splunk.add('other', [json(0, { service: 'checkout', message: 'of another index' })]);
  });
  afterEach(() => splunk.fail(undefined));
  afterAll(() => splunk.close());
  const source = (change: Partial<Parameters<typeof createSplunkLogs>[0]> = {}) =>
    createSplunkLogs({ url: splunk.url, token: 't0ken', index: 'shop', ...change });
  const messages = async (asked: LogQuery): Promise<string[]> =>
    (await source().query('org', asked)).lines.map((line) => line.message);

  test('gives the lines of a service, read by their fields, errors first', async () => {
    const found = await source().query('org', logQuery());
    expect(found.lines).toEqual([
      {
        at,
        service: 'checkout',
        host: null,
        level: 'error',
        message: 'pool exhausted',
        labels: { pod: 'checkout-7c' },
      },
      {
        at: at + 1000,
        service: 'checkout',
        host: null,
        level: 'info',
        message: 'request served',
        labels: { namespace: 'shop' },
      },
      {
        at: at + 2000,
        service: 'checkout',
        host: null,
        level: 'warn',
        message: 'elsewhere',
        labels: { namespace: 'test' },
      },
    ]);
    expect(found).toMatchObject({ total: 3, note: null });
    const few = await source().query('org', logQuery({ limit: 2 }));
    expect(few.lines.map((line) => line.level)).toEqual(['error', 'warn']);
    expect(few.total).toBe(3);
  });

  test('finds by fields that are kept beside the text, and by a host', async () => {
    expect(await messages(logQuery({ anyOf: [{ field: 'service', values: ['mail'] }] }))).toEqual([
      'Traceback: error in mail',
    ]);
    const { lines } = await source().query(
      'org',
      logQuery({ anyOf: [{ field: 'instance', values: ['web-1:9100'] }] }),
    );
    expect(lines.map((line) => [line.service, line.host, line.level])).toEqual([['mail', 'web-1', 'error']]);
  });

  test('keeps to the namespace where a line says one', async () => {
    expect(await messages(logQuery({ within: [{ field: 'namespace', values: ['shop'] }] }))).toEqual([
      'pool exhausted',
      'request served',
    ]);
  });

  test('takes a value for a value, also an asterisk', async () => {
    expect(await messages(logQuery({ anyOf: [{ field: 'service', values: [hostile] }] }))).toEqual([
      'found by a hostile name',
    ]);
    expect(await messages(logQuery({ anyOf: [{ field: 'service', values: ['check*'] }] }))).toEqual([
      'a name with an asterisk',
    ]);
    for (const value of ['*', '"', '\\', '`x`', '[search index=*]', 'a\nb | delete']) {
      expect(await messages(logQuery({ anyOf: [{ field: 'service', values: [value] }] })), value).toEqual([]);
    }
  });

  test('reads the errors of everything when nothing is named, and a template instead of all', async () => {
    expect((await messages(logQuery({ anyOf: [] }))).sort()).toEqual([
      'Traceback: error in mail',
      'pool exhausted',
    ]);
    expect(await messages(logQuery({ statement: `service=${source().quote('mail')}` }))).toEqual([
      'Traceback: error in mail',
    ]);
    // in `search` it would be a wildcard, whatever stands around it
    expect(source().quote('check*')).toBeNull();
  });

  test('says what is there and what a refusal means', async () => {
    expect(await source().probe()).toBe('Splunk 10.0.1 searches shop');
    await expect(source({ token: 'wrong' }).probe()).rejects.toThrow(
      /401.*check the token of the log source/,
    );
    await expect(source().query('org', logQuery({ statement: '| nonsense x' }))).rejects.toBeInstanceOf(
      LogSourceRefusedError,
    );
    splunk.fail({ status: 200, body: '<html>' });
    await expect(source().query('org', logQuery())).rejects.toThrow(/not Splunk's management port/);
    splunk.fail({
      status: 200,
      body: '{"messages":[{"type":"FATAL","text":"The maximum number of concurrent searches is reached"}]}',
    });
    await expect(source().query('org', logQuery())).rejects.toBeInstanceOf(LogSourceUnavailableError);
    splunk.fail({ status: 503, body: 'restarting' });
    await expect(source().probe()).rejects.toBeInstanceOf(LogSourceUnavailableError);
    splunk.fail('hang');
    await expect(source({ timeoutMs: 100 }).query('org', logQuery())).rejects.toThrow(
      'Splunk did not answer within 100 ms',
    );
  });

  test('does not ask at the address of cloud metadata', async () => {
    const metadata = source({ url: 'http://169.254.169.254/' });
    await expect(metadata.query('org', logQuery())).rejects.toThrow(/Splunk is not asked: .*link-local/);
  });

  test('links into Splunk Web where its address is known', () => {
    expect(source().link(logQuery())).toBeNull();
    const link = new URL(source({ webUrl: 'https://splunk.example/' }).link(logQuery()) ?? '');
    expect(link.pathname).toBe('/app/search/search');
    expect(link.searchParams.get('q')).toMatch(/^search \(index="shop"\) /);
    expect(link.searchParams.get('earliest')).toBe(String((at - 300_000) / 1000));
  });
});
