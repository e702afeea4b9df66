import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listAnalysedAlerts } from '../db/analysis.ts';
import { getIncidentByNumber } from '../db/incident-detail.ts';
import { saveVerdict } from '../db/judgements.ts';
import { addAlertmanager } from '../test/harness/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { partOrSkip } from '../test/parts/part.ts';
import { startPrometheus } from '../test/parts/prometheus.ts';
import { createAnalysisActivities } from './analysis.ts';

const minute = 60_000;
/** Long enough ago that a real Prometheus takes what was measured into its past. */
const openedAt = Math.floor(Date.now() / minute) * minute - 3 * 60 * minute;

let database: TestDatabase;
let orgId: string;
let integrationId: string;
let number = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ orgId } = database);
  integrationId = await addAlertmanager(database);
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query(
    'truncate incidents, alerts, changes, services, service_dependencies, spans cascade',
  );
});

interface Fired {
  name?: string;
  service?: string | null;
  labels?: Record<string, string>;
  /** Seconds after the incident began. */
  after?: number;
  generatorUrl?: string;
}

async function incident(...alerts: Fired[]): Promise<string> {
  const { rows } = await database.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, status)
     values ($1, $2, 'x', 'critical', 0, 'investigating') returning id`,
    [orgId, ++number],
  );
  const id: string = rows[0].id;
  for (const { name = 'HighErrorRate', service = null, labels = {}, after = 0, generatorUrl } of alerts) {
    await database.owner.query(
      `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
         annotations, starts_at, received_at, incident_id, generator_url)
       values ($1, $2, $3, 'firing', $4, 'critical', 0, $5, $6, '{}', $7, $7, $8, $9)`,
      [
        orgId,
        integrationId,
        randomUUID(),
        name,
        service,
        { ...labels, ...(service === null ? {} : { service }) },
        new Date(openedAt + after * 1000),
        id,
        generatorUrl ?? null,
      ],
    );
  }
  return id;
}

async function calls(...edges: [string, string][]): Promise<void> {
  for (const [caller, callee] of edges) {
    await database.owner.query(
      `insert into service_dependencies (org_id, caller, callee, declared) values ($1, $2, $3, true)`,
      [orgId, caller, callee],
    );
  }
}

async function change(service: string, minutesBefore: number): Promise<number> {
  const { rows } = await database.owner.query(
    `insert into changes (org_id, source, external_id, type, status, service, title, version, previous_version, at)
     values ($1, 'manual', $2, 'deployment', 'succeeded', $3, 'Deploy', 'v2', 'v1', $4) returning id`,
    [orgId, randomUUID(), service, new Date(openedAt - minutesBefore * minute)],
  );
  return rows[0].id;
}

const analyse = async (
  incidentId: string,
  {
    told = null,
    prometheusUrl,
    isFirst = true,
  }: { told?: string | null; prometheusUrl?: string; isFirst?: boolean } = {},
) =>
  await createAnalysisActivities({
    db: database.db,
    prometheusUrl,
    ownsEnvironment: async () => isFirst,
    clock: Date.now,
  }).analyseIncident({
    orgId,
    incidentId,
    told,
  });
const shown = async (of = number) => {
  const detail = await database.db.read({ orgId }, (tx) => getIncidentByNumber(tx, of));
  if (!detail) throw new Error(`there is no incident ${of}`);
  return detail;
};
const write = <T>(work: Parameters<typeof database.db.write<T>>[1]) => database.db.write({ orgId }, work);

/** Three services fail whose calls all end at the database, which was changed before. */
const outage = async () => {
  await calls(['web', 'checkout'], ['checkout', 'db'], ['web', 'search'], ['search', 'db']);
  return await incident(
    { service: 'db', name: 'ConnectionsExhausted' },
    { service: 'checkout', after: 20 },
    { service: 'search', after: 25 },
    { service: 'web', after: 40 },
  );
};

test('the deepest failing service is the cause, with its reasons, and stands on the incident', async () => {
  const found = await analyse(await outage());
  expect(found.cause).toMatchObject({ service: 'db' });
  expect(found.cause?.reasons.length).toBeGreaterThan(0);
  const { analysis, causeService, causeConfidence, causeBy } = await shown();
  expect(analysis.causes[0]?.service).toBe('db');
  expect({ causeService, causeBy }).toEqual({ causeService: 'db', causeBy: null });
  expect(causeConfidence).toBeCloseTo(found.cause?.confidence ?? 0, 4);
});

test('a change of the cause before the first alert is related, told and kept; a dismissed one is told no more', async () => {
  const id = await outage();
  const changeId = await change('db', 15);
  await change('elsewhere', 15);
  const found = await analyse(id);
  expect(found.changes).toEqual([
    {
      id: changeId,
      sentence: expect.stringMatching(/^Related change detected: db v1 → v2, 15 min before, \d+ %$/),
    },
  ]);
  await write((tx) =>
    saveVerdict(tx, { orgId, incidentId: id, changeId, verdict: 'dismissed', by: 'ana', at: new Date() }),
  );
  expect((await analyse(id)).changes).toEqual([]);
  expect((await shown()).changes).toMatchObject([{ id: changeId, verdict: 'dismissed', judgedBy: 'ana' }]);
});

test('a change that is related no more goes, unless somebody has said something of it', async () => {
  const id = await outage();
  const [judged, forgotten] = [await change('db', 15), await change('checkout', 20)];
  await analyse(id);
  await write((tx) =>
    saveVerdict(tx, {
      orgId,
      incidentId: id,
      changeId: judged,
      verdict: 'confirmed',
      by: 'ana',
      at: new Date(),
    }),
  );
  await database.owner.query(`update changes set at = at - interval '1 day' where id = any($1)`, [
    [judged, forgotten],
  ]);
  await analyse(id);
  expect((await shown()).changes.map((each) => each.id)).toEqual([judged]);
});

test("a person's word on the cause stays whatever the ranking says, and is what it is found by", async () => {
  const id = await outage();
  await database.owner.query(
    `update incidents set cause_service = 'dns', cause_confidence = 1, cause_by = 'ana' where id = $1`,
    [id],
  );
  await analyse(id);
  expect(await shown()).toMatchObject({ causeService: 'dns', causeBy: 'ana', causeConfidence: 1 });
});

test('an incident of the past with the same cause and alerts is similar; merged and open ones are not', async () => {
  const [past, merged] = [await outage(), await incident({ service: 'db', name: 'ConnectionsExhausted' })];
  await incident({ service: 'checkout' });
  const open = number;
  await analyse(past);
  await analyse(merged);
  await database.owner.query(
    `update incidents set resolved_at = now(), status = 'resolved', merged_into = case number when $1 then 1 end
     where number < $2`,
    [open - 1, open],
  );
  await database.owner.query(`update organizations set next_incident_number = $1 where org_id = $2`, [
    number + 1,
    orgId,
  ]);
  const again = await incident(
    { service: 'db', name: 'ConnectionsExhausted' },
    { service: 'checkout', after: 10 },
  );
  await analyse(again);
  const { similar } = await shown();
  expect(similar.map((each) => each.number)).toEqual([open - 2]);
  expect(similar[0]?.reasons).toContain('alert ConnectionsExhausted');
});

test('what alerts say of services and calls is learned', async () => {
  await analyse(
    await incident({
      service: 'reviews',
      labels: { source_workload: 'productpage', destination_workload: 'reviews' },
    }),
  );
  const { rows } = await database.owner.query('select caller, callee from service_dependencies');
  expect(rows).toEqual([{ caller: 'productpage', callee: 'reviews' }]);
});

test('traces say where it failed first: also at a database that reports no spans itself', async () => {
  const span = (parent: string | null, id: string, service: string, peer: string | null) =>
    database.owner.query(
      `insert into spans (org_id, trace_id, span_id, parent_span_id, service, peer, peer_kind, name, started_at, ended_at,
         failed) values ($1, 't', $2, $3, $4, $5, $6, 'x', $7, $7, true)`,
      [orgId, id, parent, service, peer, peer === null ? null : 'database', new Date(openedAt + 1000)],
    );
  await span(null, 'a', 'checkout', null);
  await span('a', 'b', 'payments', null);
  await span('b', 'c', 'payments', 'ledger-db');
  await calls(['checkout', 'payments'], ['payments', 'ledger-db']);
  await analyse(await incident({ service: 'checkout' }, { service: 'payments' }));
  const ledger = (await shown()).analysis.causes.find(({ service }) => service === 'ledger-db');
  expect(ledger?.reasons).toContain('in 1 of 1 failed traces it failed first');
});

test('an incident without alerts is left as it is', async () => {
  expect(await analyse(await incident())).toEqual({ cause: null, changes: [] });
  expect((await shown()).analysis.analysedAt).toBeNull();
});

test('a graph of thousands of services is ranked, too: in a thread of its own', async () => {
  await database.owner.query(
    `insert into service_dependencies (org_id, caller, callee, declared)
     select $1, 's' || n, 's' || (n + 1), true from generate_series(0, 3999) n`,
    [orgId],
  );
  const found = await analyse(
    await incident({ service: 's100', name: 'DiskFull' }, { service: 's99', after: 9 }),
  );
  expect(found.cause?.service).toBe('s100');
  expect((await shown()).analysis.notes).toEqual([]);
});

test('of alerts of one kind the first ones are looked at, however many there are', async () => {
  const many = Array.from({ length: 60 }, (_, n) => ({ service: `s${n % 3}`, name: `A${n % 2}`, after: n }));
  const id = await incident(...many);
  const alerts = await database.db.read({ orgId }, (tx) => listAnalysedAlerts(tx, id));
  expect(alerts).toHaveLength(30);
  expect(alerts.map(({ startsAt }) => (startsAt - openedAt) / 1000)).toEqual(
    many.slice(0, 30).map(({ after }) => after),
  );
});

test('is complete until something tells of what comes late: a trace, a change, a Prometheus', async () => {
  const of = async (options: Parameters<typeof analyse>[1] = {}) =>
    (await analyse(await incident({ service: 'db' }), options)).complete;
  expect(await of()).toBe(true);
  expect(await of({ prometheusUrl: 'http://127.0.0.1:9' })).toBeUndefined();
  expect(await of({ prometheusUrl: 'http://127.0.0.1:9', isFirst: false })).toBe(true);
  const seen = `insert into service_dependencies (org_id, caller, callee, observed_in) values ($1, 'web', 'db', 'traces')`;
  await database.owner.query(seen, [orgId]);
  expect(await of()).toBeUndefined();
  await database.owner.query('truncate service_dependencies');
  expect(await of()).toBe(true);
  await change('search', 10);
  expect(await of()).toBeUndefined();
});

describe('metrics', () => {
  const graph = (expression: string) =>
    `http://elsewhere:9090/graph?g0.expr=${encodeURIComponent(expression)}&g0.tab=1`;

  test('without a Prometheus to ask a note says so', async () => {
    await analyse(await incident({ service: 'db', generatorUrl: graph('up == 0') }));
    expect((await shown()).analysis.notes).toEqual([
      'Metrics were not looked at: PROMETHEUS_URL names no Prometheus to ask.',
    ]);
  });

  test("the environment's Prometheus is not asked for another organization's alerts", async () => {
    const id = await incident({ service: 'db', generatorUrl: graph('up == 0') });
    await analyse(id, { prometheusUrl: 'http://127.0.0.1:9', isFirst: false });
    expect((await shown()).analysis.notes).toEqual([
      'Metrics were not looked at: the Prometheus at PROMETHEUS_URL is that of the first organization.',
    ]);
  });

  test('with one that is away the rest is analysed, and a note says so', async () => {
    const id = await outage();
    await database.owner.query('update alerts set generator_url = $1', [graph('up == 0')]);
    const found = await analyse(id, { prometheusUrl: 'http://127.0.0.1:9' });
    expect(found.cause?.service).toBe('db');
    expect((await shown()).analysis.notes).toEqual([
      expect.stringMatching(
        /^Metrics could not be read: Prometheus cannot be reached at http:\/\/127.0.0.1:9/,
      ),
    ]);
  });

  test("the alerts' own series are drawn with their threshold, and of all services they are evidence", async (context) => {
    const lines = ['# TYPE http_request_duration_seconds gauge'];
    for (const service of ['checkout', 'db', 'search']) {
      for (let at = openedAt - 30 * minute; at <= openedAt + 20 * minute; at += 15_000) {
        const trouble = service !== 'search' && at >= openedAt ? (service === 'db' ? 3 : 1) : 0;
        const value = 0.1 + trouble + 0.001 * ((at / 15_000) % 7);
        lines.push(`http_request_duration_seconds{service="${service}"} ${value.toFixed(4)} ${at / 1000}`);
      }
    }
    const prometheus = await partOrSkip(context, () =>
      startPrometheus({ backfill: `${lines.join('\n')}\n# EOF\n` }),
    );
    try {
      await calls(['checkout', 'db'], ['checkout', 'search']);
      const generatorUrl = graph('http_request_duration_seconds > 0.5');
      const id = await incident({ service: 'checkout', name: 'HighLatency', after: 60, generatorUrl });
      const found = await analyse(id, { prometheusUrl: prometheus.url });
      const { metrics, analysis } = await shown();
      expect(analysis.notes).toEqual([]);
      expect(metrics).toMatchObject([
        {
          title: 'HighLatency on checkout',
          service: 'checkout',
          unit: 'seconds',
          threshold: 0.5,
          expression: 'http_request_duration_seconds',
          series: [{ name: 'service=checkout' }],
        },
      ]);
      expect(metrics[0]?.series[0]?.points.length).toBeGreaterThan(60);
      expect(
        metrics[0]?.link?.startsWith(`${prometheus.url}/graph?g0.expr=http_request_duration_seconds`),
      ).toBe(true);
      // no alert fired for it: only its series says that it fails
      expect(found.cause?.service).toBe('db');
    } finally {
      await prometheus.close();
    }
  });
});
