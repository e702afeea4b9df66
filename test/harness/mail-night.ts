import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { severities } from '../../domain/severity.ts';
import { seedSlos } from './bad-slos.ts';
import type { TestDatabase } from './database.ts';
import { type MailExecutions, seedMailExecutions } from './mail-executions.ts';

/** One of everything that mails tell of. */
export interface MailNight {
  /** Critical, with alerts, clocks, logs and a cause; nobody has it. */
  open: Incident;
  acknowledged: Incident;
  resolved: Incident;
  /** Into the open one. */
  merged: Incident;
  /** Of the alert that opened the open one. */
  alertId: string;
  /** When the open incident's clocks are at risk and due, epoch milliseconds. */
  acknowledgeAtRisk: number;
  acknowledgeDue: number;
  executions: MailExecutions;
  importId: string;
  schedule: string;
  /** When a turn of the schedule began. */
  handoffAt: Date;
}

interface Incident {
  id: string;
  number: number;
}

const minute = 60_000;
const hour = 60 * minute;

/**
 * An organization with something to mail about of every kind. `say` has the last word on what comes from outside:
 * titles, labels, names of people and of commands.
 */
export async function seedMailNight(
  { owner, orgId }: TestDatabase,
  now: number,
  say: (text: string) => string,
): Promise<MailNight> {
  await owner.query('update organizations set name = $2 where org_id = $1', [orgId, say('Acme')]);
  for (const [email, name] of [
    ['ana@example.com', 'Ana'],
    ['ben@example.com', 'Ben'],
  ] as const) {
    await owner.query('insert into users (org_id, email, name) values ($1, $2, $3)', [
      orgId,
      email,
      say(name),
    ]);
  }
  const policy = { levels: [{ after: '0s', targets: [{ type: 'schedule', name: 'payments' }] }] };
  await owner.query(`insert into escalation_policies (org_id, name, definition) values ($1, 'default', $2)`, [
    orgId,
    JSON.stringify(policy),
  ]);
  const seeding = { owner, orgId, now, say };
  const handoffAt = await seedSchedules(seeding);
  const incidents = await seedIncidents(seeding);
  await seedWeeks(seeding);
  await seedSlos(owner, orgId, now);
  return {
    ...incidents,
    acknowledgeAtRisk: now - minute,
    acknowledgeDue: now + minute,
    executions: await seedMailExecutions(seeding, incidents.open.id),
    importId: await seedImport(seeding),
    schedule: 'payments',
    handoffAt,
  };
}

export interface Seeding {
  owner: pg.Pool;
  orgId: string;
  now: number;
  say: (text: string) => string;
}

/** A schedule of two people, and one that reaches nobody. */
async function seedSchedules({ owner, orgId, now }: Seeding): Promise<Date> {
  // the turn before the one that begins now began a day ago
  const handoffAt = new Date(Math.floor(now / hour) * hour);
  const schedule = (rotations: object[]) => JSON.stringify({ timeZone: 'UTC', rotations });
  const primary = {
    name: 'primary',
    participants: [['ana@example.com'], ['ben@example.com']],
    turn: { every: 1, unit: 'day' },
    startsAt: new Date(handoffAt.getTime() - 24 * hour).toISOString().slice(0, 16),
    priority: 0,
    shadow: false,
  };
  await owner.query(
    `insert into on_call_schedules (org_id, name, definition) values ($1, 'payments', $2), ($1, 'weekend', $3)`,
    [orgId, schedule([primary]), schedule([])],
  );
  return handoffAt;
}

async function seedIncidents(seeding: Seeding) {
  const { owner, orgId, now, say } = seeding;
  const at = (minutesAgo: number) => new Date(now - minutesAgo * minute);
  const incident = async (number: number, given: Record<string, unknown>): Promise<Incident> => {
    const id = await insert(owner, 'incidents', {
      org_id: orgId,
      number,
      title: say('db-primary refuses connections'),
      status: 'investigating',
      severity: 'critical',
      severity_rank: severities.indexOf('critical'),
      service: say('checkout'),
      opened_at: at(14),
      last_alert_at: at(1),
      alert_count: 1,
      firing_count: 1,
      recorded_seq: 7,
      escalation_policy: 'default',
      ...given,
    });
    return { id, number };
  };
  const integration = await insert(owner, 'integrations', {
    org_id: orgId,
    kind: 'alertmanager',
    name: 'alertmanager',
    key_hash: Buffer.from(orgId),
  });
  const open = await incident(4711, {
    alert_count: 14,
    firing_count: 12,
    cause_service: say('db-primary'),
    cause_confidence: 0.85,
  });
  const alerts = [
    ['DatabaseConnectionsExhausted', 'critical', 'db-primary', '97 of 100 connections are in use'],
    ['HighErrorRate', 'high', 'checkout', '38 % of requests fail'],
    ['LatencyP99High', 'warning', 'search', 'the slowest 1 % wait for 4.2 s'],
  ] as const;
  const ids: string[] = [];
  for (const [index, [name, severity, service, summary]] of alerts.entries()) {
    const { rows } = await owner.query<{ id: string }>(
      `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
         annotations, starts_at, received_at, incident_id)
       values ($1, $2, $3, 'firing', $4, $5, $6, $7, '{}', $8, $9, $9, $10) returning id`,
      [
        orgId,
        integration,
        `f${index}`,
        say(name),
        severity,
        severities.indexOf(severity),
        say(service),
        JSON.stringify({ summary: say(summary) }),
        at(14 - index),
        open.id,
      ],
    );
    ids.push(String(rows[0]?.id));
  }
  await insert(owner, 'incident_logs', {
    org_id: orgId,
    incident_id: open.id,
    source: 'elasticsearch',
    query: '{}',
    total: 1200,
    patterns: JSON.stringify([
      { template: say('FATAL: remaining connection slots are reserved (pid=<*>)'), count: 812 },
      { template: say('could not obtain connection from pool <*> within <*> ms'), count: 404 },
    ]),
    stack_traces: '[]',
    lines: '[]',
  });
  const clock = async (incidentId: string, kind: string, state: string, risk: number, due: number) => {
    await insert(owner, 'sla_clocks', {
      org_id: orgId,
      incident_id: incidentId,
      kind,
      policy: say('Critical'),
      started_at: at(14),
      at_risk_at: at(risk),
      due_at: at(due),
      state,
    });
  };
  await clock(open.id, 'acknowledge', 'at_risk', 1, -1);
  await clock(open.id, 'resolve', 'running', -10, -16);
  const acknowledged = await incident(4712, {
    acknowledged_at: at(9),
    acknowledged_by: say('ben@example.com'),
    severity: 'warning',
    severity_rank: severities.indexOf('warning'),
  });
  await clock(acknowledged.id, 'resolve', 'breached', 8, 3);
  const over = { resolved_at: at(1), resolved_by: 'Holdfast', status: 'resolved', firing_count: 0 };
  return {
    open,
    acknowledged,
    alertId: ids[0] ?? '',
    resolved: await incident(4713, {
      ...over,
      acknowledged_at: at(9),
      acknowledged_by: say('ana@example.com'),
    }),
    merged: await incident(4714, { ...over, merged_into: open.number }),
  };
}

/** Eight weeks of incidents with their clocks and pages, for the reports. */
async function seedWeeks({ owner, orgId, now, say }: Seeding): Promise<void> {
  await owner.query(
    `with old as (
       insert into incidents (org_id, number, title, status, severity, severity_rank, service, opened_at, last_alert_at,
         acknowledged_at, first_acknowledged_at, acknowledged_by, resolved_at, resolved_by, closed_at, alert_count)
       select $1, n, $3, 'resolved', 'high', 1, $4 || '-' || (n % 3), o.at, o.at, o.at + (n % 7) * interval '1 minute',
         o.at + (n % 7) * interval '1 minute', 'ana@example.com', o.at + (10 + n % 50) * interval '1 minute', 'Holdfast',
         o.at + interval '2 hours', 3
       from generate_series(1, 120) n, lateral (select $2::timestamptz - n * interval '11 hours' as at) o
       returning id, number, opened_at, acknowledged_at, resolved_at)
     insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state, ended_at, breach_reason)
     select $1, id, kind, $5, opened_at, opened_at, opened_at + interval '5 minutes' * length,
       case when ended > opened_at + interval '5 minutes' * length then 'breached' else 'met' end, ended,
       case when number % 2 = 0 and ended > opened_at + interval '5 minutes' * length then 'complex_cause' end
     from old, lateral (values ('acknowledge', acknowledged_at, 1), ('resolve', resolved_at, 8)) c (kind, ended, length)`,
    [orgId, new Date(now), say('HighErrorRate on checkout'), say('checkout'), say('Standard')],
  );
  await owner.query(
    `insert into notifications (org_id, key, type, channel, destination, subject, status, created_at, finished_at)
     select $1, 'old:' || n, 'escalation.page', 'email', $3, $3, 'sent', at, at
     from generate_series(1, 60) n, lateral (select $2::timestamptz - n * interval '160 minutes' as at) o`,
    [orgId, new Date(now), say('ana@example.com')],
  );
  await owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, received_at, resolved_at, incident_id)
     select $1, (select id from integrations where org_id = $1 limit 1), 'old' || n, 'resolved', $3 || '-' || (n % 4), 'high', 1,
       $4, '{}', '{}', i.opened_at, i.opened_at, i.resolved_at, i.id
     from generate_series(1, 120) n join incidents i on i.org_id = $1 and i.number = n where $2::timestamptz is not null`,
    [orgId, new Date(now), say('HighErrorRate'), say('checkout')],
  );
}

async function seedImport({ owner, orgId, now, say }: Seeding): Promise<string> {
  const source = await insert(owner, 'git_sources', {
    org_id: orgId,
    url: 'https://git.example.com/runbooks.git',
    branch: 'main',
    webhook_secret: randomUUID(),
    interval_ms: 60_000,
    created_by: 'ana@example.com',
  });
  const problem = (file: string, line: number, message: string) => ({
    file: say(file),
    line,
    col: 5,
    message: say(message),
  });
  return await insert(owner, 'git_imports', {
    org_id: orgId,
    source_id: source,
    commit: '9f3c1e7a5b2d4f6081a3c5e7f9b1d3f5a7c9e1b3',
    author: say('Ben'),
    author_email: 'ben@example.com',
    committed_at: new Date(now - 2 * minute),
    subject: say('Restart the pool before the service'),
    status: 'refused',
    problems: JSON.stringify([
      problem('restart-pool.yaml', 12, "unknown key 'comand' in step 'Restart'; did you mean 'command'?"),
      problem('fail-over.yaml', 3, "input 'host' is used and not declared\nDeclare it under inputs."),
    ]),
  });
}

export async function insert(owner: pg.Pool, table: string, row: Record<string, unknown>): Promise<string> {
  const names = Object.keys(row).map((name) => `"${name}"`);
  const places = names.map((_, index) => `$${index + 1}`);
  const { rows } = await owner.query(
    `insert into ${table} (${names}) values (${places}) returning to_jsonb(${table}) ->> 'id' as id`,
    Object.values(row),
  );
  return rows[0].id;
}
