import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import pg from 'pg';

/**
 * The baseline of the intake, a process of its own: upserts of the same rows into a table of the same shape,
 * under row-level security and with two indexes (primary key, open episode), in transactions that are durable
 * just the same. Prints how many rows were stored in which time.
 */
const { values } = parseArgs({
  options: {
    database: { type: 'string', default: '' },
    org: { type: 'string', default: '' },
    connections: { type: 'string', default: '4' },
    batch: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '5' },
    most: { type: 'string', default: '5000' },
  },
});
const batch = Number(values.batch);
const connections = Number(values.connections);
const durationMs = Number(values.seconds) * 1000;
const run = randomBytes(4).toString('hex');

const owner = new pg.Client({ connectionString: values.database });
await owner.connect();
await owner.query(`
  create table if not exists bare_alerts (like alerts including defaults including identity);
  alter table bare_alerts enable row level security;
  do $$
  begin
    if not exists (select from pg_indexes where indexname = 'bare_alerts_open') then
      alter table bare_alerts add primary key (id);
      create unique index bare_alerts_open on bare_alerts (org_id, integration_id, fingerprint) where status <> 'resolved';
      create policy organization on bare_alerts
        using (org_id = nullif(current_setting('app.org_id', true), '')::uuid);
      grant select, insert, update on bare_alerts to holdfast_app;
    end if;
  end $$`);
await owner.end();

const statement = `
  insert into bare_alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service,
    labels, annotations, generator_url, starts_at)
  select $1, $1, fingerprint, 'firing', name, severity, severity_rank, service, labels, annotations, url, starts_at
  from jsonb_to_recordset($2::jsonb) as x(fingerprint text, name text, severity text, severity_rank smallint,
    service text, labels jsonb, annotations jsonb, url text, starts_at timestamptz)
  on conflict (org_id, integration_id, fingerprint) where status <> 'resolved' do update set
    labels = excluded.labels, annotations = excluded.annotations, occurrences = bare_alerts.occurrences + 1,
    last_seen_at = now(), version = bare_alerts.version + 1`;

const batches = Array.from({ length: Number(values.most) }, (_, request) =>
  JSON.stringify(
    Array.from({ length: batch }, (_, index) => row(`${run}-${request}-${index}`, `service-${index % 20}`)),
  ),
);

function row(fingerprint: string, service: string): object {
  return {
    fingerprint,
    name: 'HighErrorRate',
    severity: 'warning',
    severity_rank: 3,
    service,
    labels: {
      alertname: 'HighErrorRate',
      severity: 'warning',
      service,
      namespace: 'shop',
      cluster: 'eu-1',
      job: 'kubernetes-pods',
      instance: `10.0.0.1:${fingerprint}`,
    },
    annotations: {
      summary: `${service} answers more than 5 % of requests with errors`,
      description: 'The share of answers with a status of 500 or above was over 5 % for ten minutes.',
      runbook_url: 'https://runbooks.example.com/high-error-rate',
    },
    url: 'http://prometheus.example.com/graph?g0.expr=errors%3Arate5m&g0.tab=1',
    starts_at: '2026-11-21T03:00:00Z',
  };
}

const clients = await Promise.all(
  Array.from({ length: connections }, async () => {
    const client = new pg.Client({ connectionString: values.database });
    await client.connect();
    await client.query('set role holdfast_app');
    return client;
  }),
);
let next = 0;
let stored = 0;

async function connection(client: pg.Client, end: number): Promise<void> {
  while (performance.now() < end) {
    const rows = batches[next++];
    if (rows === undefined) return;
    // row-level security needs the organization, in the same transaction
    await client.query('begin');
    await client.query(`select set_config('app.org_id', $1, true)`, [values.org]);
    await client.query({ name: 'upsert', text: statement, values: [values.org, rows] });
    await client.query('commit');
    stored += batch;
  }
}

const began = performance.now();
await Promise.all(clients.map((client) => connection(client, began + durationMs)));
const seconds = (performance.now() - began) / 1000;
await Promise.all(clients.map((client) => client.end()));
console.log(JSON.stringify({ accepted: stored, seconds }));
