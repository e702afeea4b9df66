import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { getIncidentByNumber } from '../db/incident-detail.ts';
import { listLogSources, putLogSource } from '../db/log-sources.ts';
import { putLogTemplate } from '../db/log-templates.ts';
import { insertLogs } from '../db/logs.ts';
import type { LogLine } from '../domain/logs/log-line.ts';
import { type LogSourceDefinition, logSourceDefinition } from '../domain/logs/log-source.ts';
import { logTemplate } from '../domain/logs/log-template.ts';
import { addAlertmanager } from '../test/harness/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { type LokiDouble, startLokiDouble } from '../test/harness/loki-double.ts';
import { createEvidenceActivities } from './evidence.ts';
import { createBuiltinLogs } from './logs/builtin.ts';
import { type LogSource, LogSourceRefusedError, LogSourceUnavailableError } from './logs/log-source.ts';
import { type SecretSource, SecretUnavailableError } from './secrets/secret-source.ts';

let database: TestDatabase;
let incidentId: string;
let integrationId: string;
const at = Date.UTC(2026, 10, 21, 2, 14);

beforeAll(async () => {
  database = await createTestDatabase();
  integrationId = await addAlertmanager(database);
});
afterAll(async () => {
  await database.close();
});
beforeEach(async () => {
  await database.owner.query('truncate incidents, alerts, logs cascade');
  const { rows } = await database.owner.query<{ id: string }>(
    `insert into incidents (org_id, number, title, severity, severity_rank) values ($1, 7, 'x', 'critical', 0) returning id`,
    [database.orgId],
  );
  incidentId = rows[0]!.id;
  await addAlert('f1', { alertname: 'PoolExhausted', service: 'checkout', pod: 'checkout-7c' });
});

async function addAlert(fingerprint: string, labels: Record<string, string>): Promise<void> {
  await database.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, received_at, incident_id)
     values ($1, $2, $3, 'firing', 'A', 'critical', 0, $4, $5, '{}', $6, $6, $7)`,
    [database.orgId, integrationId, fingerprint, labels.service ?? null, labels, new Date(at), incidentId],
  );
}

const line = (message: string, change: Partial<LogLine> = {}): LogLine => ({
  at,
  service: 'checkout',
  host: null,
  level: 'error',
  message,
  labels: {},
  ...change,
});
const store = (lines: LogLine[]): Promise<number> =>
  database.db.write({ orgId: database.orgId }, (tx) => insertLogs(tx, { orgId: database.orgId, lines }));
const shown = async () => {
  const incident = await database.db.read({ orgId: database.orgId }, (tx) => getIncidentByNumber(tx, 7));
  return incident?.logs;
};
const secrets: SecretSource = {
  async read(reference) {
    if (reference === 'env:NOT_THERE') throw new SecretUnavailableError('env:NOT_THERE is not set');
    return `secret at ${reference}`;
  },
};
const activities = (
  standard: LogSource = createBuiltinLogs({ db: database.db }),
  number = 1,
  isFirst = true,
) =>
  createEvidenceActivities({
    db: database.db,
    standard,
    secrets,
    egressAllow: [],
    ownsEnvironment: async () => isFirst,
    attempt: () => ({ number, most: 10 }),
  });
const gather = (source?: LogSource) => activities(source).gatherLogs({ orgId: database.orgId, incidentId });

const trace =
  'java.io.IOException: broken pipe\n\tat com.acme.Pay.send(Pay.java:7)\n\tat com.acme.Pay.run(Pay.java:3)';

const failing = (error: Error): LogSource => ({
  kind: 'loki',
  name: 'loki',
  quote: () => null,
  probe: () => Promise.reject(error),
  query: () => Promise.reject(error),
  link: () => 'http://grafana.example/explore',
});

describe('gatherLogs', () => {
  test('puts patterns, stack traces and lines of the alert on the incident', async () => {
    await store([
      ...Array.from({ length: 30 }, (_, i) =>
        line(`order ${i} placed`, { level: 'info', at: at - i * 1000 }),
      ),
      line('order 99 placed', { level: 'info', at: at - 20 * 60_000 }),
      line('pool exhausted after 30 s'),
      line('pool exhausted after 31 s', { at: at + 60_000 }),
      line(trace, { at: at + 1000 }),
      line('another service', { service: 'mail' }),
    ]);
    expect(await gather()).toEqual({
      source: 'builtin',
      total: 33,
      patterns: 3,
      stackTraces: 1,
      summary:
        '33 log lines, 3 patterns (2 new), 1 stack trace; most telling: java.io.IOException: broken pipe',
    });
    const logs = await shown();
    expect(logs).toMatchObject({ source: 'builtin', total: 33, error: null, link: null });
    expect(logs?.query).toMatchObject({ lines: 'service checkout, pod checkout-7c', read: 33 });
    expect(
      logs?.patterns.map(({ template, count, level, isNew }) => [template, count, level, isNew]),
    ).toEqual([
      ['pool exhausted after <*>', 2, 'error', true],
      ['java.io.IOException: broken pipe', 1, 'error', true],
      ['order <*> placed', 30, 'info', false],
    ]);
    expect(logs?.stackTraces).toMatchObject([
      { exception: 'java.io.IOException', file: 'Pay.java', line: 7, count: 1 },
    ]);
    expect(logs?.lines[0]).toMatchObject({ level: 'error', isNew: true });
  });

  test('may run again: the row is replaced', async () => {
    await store([line('first')]);
    await gather();
    await store([line('second')]);
    await gather();
    expect((await shown())?.total).toBe(2);
    const { rows } = await database.owner.query('select count(*)::integer as n from incident_logs');
    expect(rows[0]).toEqual({ n: 1 });
  });

  test('asks for all that the alerts of the incident name', async () => {
    await addAlert('f2', { service: 'mail' });
    await store([line('one'), line('two', { service: 'mail' })]);
    expect((await gather()).total).toBe(2);
  });

  test('says so when there is nothing', async () => {
    expect(await gather()).toMatchObject({ total: 0, empty: true, summary: 'No log lines around the alert' });
    expect(await shown()).toMatchObject({ total: 0, patterns: [], lines: [], error: null });
  });

  test('stays small enough for one row, whatever was logged', async () => {
    await store(
      Array.from({ length: 600 }, (_, i) =>
        line(
          `${String.fromCharCode(97 + (i % 26))} ${'<b>é"\\</b> '.repeat(2500)}\n${trace.replaceAll('7', String(i))}`,
        ),
      ),
    );
    await gather();
    const { rows } = await database.owner.query<{ bytes: number }>(
      'select octet_length(to_jsonb(l)::text) as bytes from incident_logs l',
    );
    expect(rows[0]?.bytes).toBeLessThan(220_000);
  });

  test('says on the incident that the source is away, keeps what was known, and is retried', async () => {
    const away = failing(new LogSourceUnavailableError('Loki did not answer within 10000 ms'));
    const thrown = await gather(away).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ApplicationFailure);
    expect(thrown).toMatchObject({ type: 'LogSourceUnavailable', nonRetryable: false });
    expect(await shown()).toMatchObject({
      source: 'loki',
      error: 'Loki did not answer within 10000 ms',
      link: 'http://grafana.example/explore',
      patterns: [],
    });

    await store([line('kept')]);
    await gather();
    await gather(away).catch(() => {});
    expect(await shown()).toMatchObject({ error: 'Loki did not answer within 10000 ms', total: 1 });
    await gather();
    expect((await shown())?.error).toBeNull();
  });

  test('is not retried when the source refuses', async () => {
    const refusing = failing(new LogSourceRefusedError('Loki answered 401: no org id'));
    await expect(gather(refusing)).rejects.toMatchObject({ type: 'LogSourceRefused', nonRetryable: true });
    expect((await shown())?.error).toBe('Loki answered 401: no org id');
  });

  test('keeps what it found when only the comparison fails', async () => {
    await store([line('found')]);
    const builtin = createBuiltinLogs({ db: database.db });
    const source: LogSource = {
      ...builtin,
      query: (orgId, query) =>
        query.to < at ? Promise.reject(new LogSourceUnavailableError('slow')) : builtin.query(orgId, query),
    };
    expect((await gather(source)).total).toBe(1);
    expect((await shown())?.query).toHaveProperty('compared');
    expect((await shown())?.patterns[0]?.isNew).toBe(false);
  });

  test('refuses an incident without alerts for good', async () => {
    await database.owner.query('truncate alerts');
    await expect(gather()).rejects.toMatchObject({ type: 'IncidentWithoutAlerts', nonRetryable: true });
  });

  test('sees nothing of another organization', async () => {
    const other = '00000000-0000-4000-8000-000000000000';
    await expect(activities().gatherLogs({ orgId: other, incidentId })).rejects.toMatchObject({
      type: 'IncidentWithoutAlerts',
    });
  });
});

test("another organization than the first has the built-in store, not the environment's source", async () => {
  await store([line('order 7 placed', { level: 'info', at })]);
  const standard = failing(new Error('it must not be asked'));
  const gathered = await activities(standard, 1, false).gatherLogs({ orgId: database.orgId, incidentId });
  expect(gathered).toMatchObject({ source: 'builtin', total: 1 });
});

describe('configured log sources', () => {
  let loki: LokiDouble;
  beforeAll(async () => {
    loki = await startLokiDouble();
    loki.push({ service_name: 'checkout' }, [
      { at, text: 'error: no route to stock' },
      { at: at - 1000, text: 'ready' },
    ]);
  });
  beforeEach(async () => {
    loki.fail(undefined);
    await database.owner.query('delete from log_sources; delete from log_templates');
  });
  afterAll(() => loki.close());
  const put = (name: string, definition: LogSourceDefinition): Promise<void> =>
    database.db.write({ orgId: database.orgId }, (tx) =>
      putLogSource(tx, { orgId: database.orgId, name, definition, actor: 'ana@example.com' }),
    );
  const lokiSource = (change: object = {}): LogSourceDefinition =>
    logSourceDefinition.parse({ kind: 'loki', url: loki.url, timeoutSeconds: 1, ...change });
  const own = logSourceDefinition.parse({ kind: 'builtin' });
  const health = async () =>
    (await database.db.read({ orgId: database.orgId }, listLogSources)).map(({ name, health, error }) => [
      name,
      health,
      error,
    ]);

  test('serve in the place of the standard one, those that match, and what they say is put together', async () => {
    await store([line('pool exhausted')]);
    await put('a-loki', lokiSource());
    await put('own', own);
    await put('other', lokiSource({ url: 'http://127.0.0.1:1', match: { service: 'mail' } }));
    const unused = failing(new Error('the standard source was asked'));
    expect(await gather(unused)).toMatchObject({ source: 'a-loki, own', total: 3, patterns: 3 });
    const logs = await shown();
    expect(logs?.lines.map(({ message }) => message).sort()).toEqual([
      'error: no route to stock',
      'pool exhausted',
      'ready',
    ]);
    expect(logs?.query.asked).toBe(
      'a-loki: {service_name=~"checkout"}; own: service checkout, pod checkout-7c',
    );
    expect(await health()).toEqual([
      ['a-loki', 'answers', null],
      ['other', null, null],
      ['own', 'answers', null],
    ]);
  });

  test('one that is away costs its own part, and is asked again', async () => {
    await store([line('pool exhausted')]);
    await put('a-loki', lokiSource());
    await put('own', own);
    loki.fail({ status: 503, body: 'starting' });
    const before = Date.now();
    const thrown = await gather().catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      type: 'LogSourceUnavailable',
      nonRetryable: false,
      message: 'a-loki: Loki answered 503: starting',
    });
    expect((thrown as ApplicationFailure).nextRetryDelay).toBeGreaterThan(3000);
    const logs = await shown();
    expect(logs).toMatchObject({ total: 1, error: 'a-loki: Loki answered 503: starting' });
    expect(logs?.lines.map(({ message }) => message)).toEqual(['pool exhausted']);
    expect(logs?.retryAt?.getTime()).toBeGreaterThanOrEqual(before + 5000);
    expect((await health())[0]).toEqual(['a-loki', null, 'Loki answered 503: starting']);

    loki.fail(undefined);
    await gather();
    expect(await shown()).toMatchObject({ total: 3, error: null, retryAt: null });
  });

  test('with the last attempt what was found stands, and the panel says that no other follows', async () => {
    await store([line('pool exhausted')]);
    await put('a-loki', lokiSource());
    await put('own', own);
    loki.fail({ status: 503, body: 'starting' });
    const last = activities(undefined, 10).gatherLogs({ orgId: database.orgId, incidentId });
    expect(await last).toMatchObject({ total: 1 });
    expect(await shown()).toMatchObject({ error: expect.stringMatching(/503/), retryAt: null });
  });

  test('with the last attempt of a gathering that another follows, the panel says when that is', async () => {
    await store([line('pool exhausted')]);
    await put('a-loki', lokiSource());
    await put('own', own);
    loki.fail({ status: 503, body: 'starting' });
    const args = { orgId: database.orgId, incidentId, againAfterMs: 300_000 };
    const before = Date.now();
    await expect(activities(undefined, 10).gatherLogs(args)).rejects.toMatchObject({
      type: 'LogSourceUnavailable',
    });
    const logs = await shown();
    expect(logs).toMatchObject({ total: 1, error: expect.stringMatching(/503/) });
    expect(logs?.retryAt?.getTime()).toBeGreaterThanOrEqual(before + 300_000);
  });

  test('a secret is read by its reference; one that is missing is said, and not asked for again', async () => {
    await put('a-loki', lokiSource({ credential: 'env:LOGS_KEY' }));
    await gather();
    expect(loki.requests.at(-1)?.headers.authorization).toBe('Bearer secret at env:LOGS_KEY');
    await put('a-loki', lokiSource({ credential: 'env:NOT_THERE' }));
    await expect(gather()).rejects.toMatchObject({ type: 'LogSourceRefused', nonRetryable: true });
    expect(await shown()).toMatchObject({ error: 'env:NOT_THERE is not set', retryAt: null, total: 2 });
  });

  test('a template asks in its place, with the values of the alert that it is for', async () => {
    const template = logTemplate.parse({
      kind: 'loki',
      match: { alert: 'Pool*' },
      query: '{service_name={{service}}} |= "route"',
    });
    await database.db.write({ orgId: database.orgId }, (tx) =>
      putLogTemplate(tx, {
        orgId: database.orgId,
        name: 'routes',
        definition: template,
        actor: 'ana@example.com',
      }),
    );
    await put('a-loki', lokiSource());
    expect((await gather()).total).toBe(1);
    expect((await shown())?.query.asked).toBe('{service_name="checkout"} |= "route"');

    const lacking = { ...template, query: '{service_name={{labels.region}}}' };
    await database.db.write({ orgId: database.orgId }, (tx) =>
      putLogTemplate(tx, {
        orgId: database.orgId,
        name: 'routes',
        definition: lacking,
        actor: 'ana@example.com',
      }),
    );
    expect((await gather()).total).toBe(2);
    expect((await shown())?.query.note).toBe(
      'the template routes was not used: the alert has no labels.region',
    );
  });
});

test('the built-in store can be probed', async () => {
  expect(await createBuiltinLogs({ db: database.db }).probe()).toMatch(/kept in the database/);
});
