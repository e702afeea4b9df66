import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LogQuery } from '../../domain/logs/query.ts';
import { at, logQuery } from '../../test/harness/log-query.ts';
import { type LokiDouble, startLokiDouble } from '../../test/harness/loki-double.ts';
import { type Loki, startLoki } from '../../test/parts/loki.ts';
import { type TriedPart, tryPart } from '../../test/parts/part.ts';
import { LogSourceRefusedError, LogSourceUnavailableError } from './log-source.ts';
import { createLokiLogs } from './loki.ts';

let loki: LokiDouble;
beforeAll(async () => {
  loki = await startLokiDouble();
});
afterEach(() => loki.fail(undefined));
afterAll(() => loki.close());

const hostile = `pay"} |= "x\n\\.*|{(ü😀`;

beforeAll(() => {
  loki.push({ service_name: 'checkout', namespace: 'shop', pod: 'checkout-7c', detected_level: 'unknown' }, [
    { at: at - 2000, text: 'ready' },
    { at, text: 'level=error msg="pool exhausted"' },
    { at: at + 1000, text: 'request served' },
    { at: at - 600_000, text: 'too early: error' },
  ]);
  loki.push({ service_name: 'checkout', namespace: 'test' }, [{ at, text: 'error of another namespace' }]);
  loki.push({ service_name: 'checkout' }, [{ at, text: 'says no namespace' }]);
  loki.push({ service_name: hostile }, [{ at, text: 'found by a hostile name' }]);
  loki.push({ service_name: 'db', node: '10.0.0.7', level: 'warn' }, [{ at, text: 'by instance' }]);
});

describe('Loki', () => {
  const source = () => createLokiLogs({ url: loki.url });

  test('is asked for the lines of a service, errors first, with their number', async () => {
    const found = await source().query('org', logQuery());
    expect(found.lines.map((line) => line.message)).toEqual([
      'ready',
      'level=error msg="pool exhausted"',
      'error of another namespace',
      'says no namespace',
      'request served',
    ]);
    const few = await source().query('org', logQuery({ limit: 2 }));
    expect(few.lines.every((line) => line.level === 'error')).toBe(true);
    expect(found.lines[1]).toEqual({
      at,
      service: 'checkout',
      host: null,
      level: 'error',
      message: 'level=error msg="pool exhausted"',
      labels: { namespace: 'shop', pod: 'checkout-7c' },
    });
    expect(found).toMatchObject({ total: 5, asked: '{service_name=~"checkout"}', note: null });
  });

  test('leaves out other namespaces and keeps streams without one', async () => {
    const { lines } = await source().query(
      'org',
      logQuery({ within: [{ field: 'namespace', values: ['shop'] }] }),
    );
    expect(lines.map((line) => line.message)).not.toContain('error of another namespace');
    expect(lines.map((line) => line.message)).toContain('says no namespace');
    expect(lines).toHaveLength(4);
  });

  test('quotes whatever a label says', async () => {
    const { lines } = await source().query(
      'org',
      logQuery({ anyOf: [{ field: 'service', values: [hostile, '\ud800'] }] }),
    );
    expect(lines.map((line) => line.message)).toEqual(['found by a hostile name']);
  });

  test('finds an instance by its host, and only once what two fields find', async () => {
    const asked = logQuery({
      anyOf: [
        { field: 'service', values: ['db'] },
        { field: 'instance', values: ['10.0.0.7:9100'] },
      ],
    });
    const { lines } = await source().query('org', asked);
    expect(lines.map((line) => [line.message, line.host, line.level])).toEqual([
      ['by instance', '10.0.0.7', 'warn'],
    ]);
  });

  test('reads the errors of everything when nothing is named, and says when no label fits', async () => {
    const everything = await source().query('org', logQuery({ anyOf: [] }));
    expect(everything.lines.every((line) => /error/.test(line.message))).toBe(true);
    expect(everything.total).toBe(2);
    const none = await source().query('org', logQuery({ anyOf: [{ field: 'host', values: ['x'] }] }));
    expect(none).toMatchObject({ lines: [], total: 0 });
    const unmapped = createLokiLogs({ url: loki.url, labels: { service: ['nope'] } });
    expect((await unmapped.query('org', logQuery())).note).toMatch(/no stream label/);
  });

  test('never asks for more entries than Loki gives', async () => {
    await source().query('org', logQuery({ limit: 9999 }));
    const limits = loki.requests.flatMap((request) => request.parameters.limit ?? []);
    expect(limits).toContain('5000');
    expect(limits.every((limit) => Number(limit) <= 5000)).toBe(true);
  });

  test('sends the tenant and credentials, and never in the address', async () => {
    const strict = await startLokiDouble({ tenant: 'acme' });
    try {
      await expect(createLokiLogs({ url: strict.url }).probe()).rejects.toThrow(/401.*check the user/);
      const address = strict.url.replace('http://', 'http://ana:p%40ss@');
      expect(await createLokiLogs({ url: address, tenant: 'acme' }).probe()).toBe(
        '0 stream labels in the last hours',
      );
      expect(strict.requests.at(-1)?.headers.authorization).toBe(`Basic ${btoa('ana:p@ss')}`);
    } finally {
      await strict.close();
    }
  });

  test('says that it is away, slow or overloaded so that it is asked again', async () => {
    const patient = createLokiLogs({ url: loki.url, timeoutMs: 100 });
    loki.fail('hang');
    await expect(patient.query('org', logQuery())).rejects.toThrow('Loki did not answer within 100 ms');
    await expect(patient.query('org', logQuery())).rejects.toBeInstanceOf(LogSourceUnavailableError);
    loki.fail({ status: 503, body: 'ring is empty' });
    await expect(source().probe()).rejects.toThrow('Loki answered 503: ring is empty');
    loki.fail({ status: 429, body: 'slow down' });
    await expect(source().probe()).rejects.toBeInstanceOf(LogSourceUnavailableError);
    await expect(createLokiLogs({ url: 'http://127.0.0.1:1' }).probe()).rejects.toBeInstanceOf(
      LogSourceUnavailableError,
    );
  });

  test('says what asking again will not mend', async () => {
    loki.fail({ status: 400, body: 'parse error' });
    await expect(source().query('org', logQuery())).rejects.toBeInstanceOf(LogSourceRefusedError);
    loki.fail({ status: 200, body: '<html>' });
    await expect(source().probe()).rejects.toThrow(/no JSON \(check LOKI_URL\)/);
    loki.fail({ status: 200, body: '{"data": 3}' });
    await expect(source().probe()).rejects.toThrow(/not understood: data/);
  });

  test('links into Grafana where one is configured', () => {
    expect(source().link(logQuery())).toBeNull();
    const grafana = { url: 'http://grafana.example/', datasource: 'P1' };
    const link = new URL(createLokiLogs({ url: loki.url, grafana }).link(logQuery()) ?? '');
    expect(link.pathname).toBe('/explore');
    expect(JSON.parse(link.searchParams.get('panes') ?? '')).toMatchObject({
      logs: { queries: [{ expr: '{service_name=~"checkout"}' }], range: { from: String(at - 300_000) } },
    });
  });
});

describe('a real Loki', () => {
  let tried: TriedPart<Loki>;
  let server: Loki;
  const now = Date.now() - 600_000;
  const recent = (change: Partial<LogQuery> = {}) =>
    logQuery({ from: now - 300_000, to: now + 300_000, ...change });
  beforeAll(async () => {
    tried = await tryPart(startLoki);
    await tried.part?.push({ service_name: 'checkout', namespace: 'shop', pod: 'checkout-7c' }, [
      { at: now - 600_000, text: 'too early: error' },
      { at: now - 2000, text: 'ready' },
      { at: now, text: 'level=error msg="pool exhausted"' },
      { at: now + 1000, text: 'request served' },
      { at: now + 300_000, text: 'too late: error' },
    ]);
    await tried.part?.push({ service_name: 'checkout', namespace: 'test' }, [
      { at: now, text: 'of another namespace' },
    ]);
    await tried.part?.push({ service_name: hostile }, [{ at: now, text: 'found by a hostile name' }]);
    await tried.part?.push({ service_name: 'db', node: '10.0.0.7', level: 'warn' }, [
      { at: now, text: 'by instance' },
    ]);
  }, 120_000);
  beforeEach((context) => {
    server = tried.orSkip(context);
  });
  afterAll(() => tried?.part?.close());
  const source = () => createLokiLogs({ url: server.url });
  const messages = async (asked: LogQuery): Promise<string[]> =>
    (await source().query('org', asked)).lines.map((line) => line.message);

  test('gives the lines of a service with their number, and errors first', async () => {
    const found = await source().query('org', recent({ within: [{ field: 'namespace', values: ['shop'] }] }));
    expect(found.lines.map((line) => line.message)).toEqual([
      'ready',
      'level=error msg="pool exhausted"',
      'request served',
    ]);
    expect(found.lines[1]).toMatchObject({
      at: now,
      service: 'checkout',
      level: 'error',
      labels: { namespace: 'shop', pod: 'checkout-7c' },
    });
    expect(found.total).toBe(3);
    expect(await messages(recent({ limit: 1 }))).toEqual(['level=error msg="pool exhausted"']);
  });

  test('takes a value for a value, and a template instead of all', async () => {
    const byName = (value: string) => messages(recent({ anyOf: [{ field: 'service', values: [value] }] }));
    expect(await byName(hostile)).toEqual(['found by a hostile name']);
    for (const value of ['.*', 'check.+', '"', '\\', '`', 'a|checkout.'])
      expect(await byName(value), value).toEqual([]);
    expect(await messages(recent({ anyOf: [{ field: 'instance', values: ['10.0.0.7:9100'] }] }))).toEqual([
      'by instance',
    ]);
    const statement = `{service_name=${source().quote('checkout')}} |= "served"`;
    expect(await messages(recent({ statement }))).toEqual(['request served']);
  });

  test('reads the errors of everything, and is refused what is no LogQL', async () => {
    expect(await messages(recent({ anyOf: [] }))).toEqual(['level=error msg="pool exhausted"']);
    expect(await source().probe()).toMatch(/stream labels in the last hours$/);
    await expect(source().query('org', recent({ statement: 'nonsense' }))).rejects.toThrow(
      /Loki answered 400/,
    );
  });
});
