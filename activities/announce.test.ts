import { afterAll, beforeAll, expect, test } from 'vitest';
import { putNotificationRule } from '../db/notification-rules.ts';
import { notificationRule } from '../domain/notification-rules/rule.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { createAnnounceActivities } from './announce.ts';

let database: TestDatabase;
let orgId: string;
let incidentId: string;
let alertId: number;
beforeAll(async () => {
  database = await createTestDatabase();
  ({ orgId } = database);
  const { owner } = database;
  await owner.query(`insert into users (org_id, email, name) values ($1, 'ana@example.com', 'Ana')`, [orgId]);
  for (const [name, participants] of [
    ['primary', [['ana@example.com']]],
    ['gone', [['nobody@example.com']]],
  ] as const) {
    const definition = {
      timeZone: 'UTC',
      rotations: [{ name: 'weekly', participants, turn: { unit: 'week' }, startsAt: '2026-01-05T09:00' }],
    };
    await owner.query(`insert into on_call_schedules (org_id, name, definition) values ($1, $2, $3)`, [
      orgId,
      name,
      JSON.stringify(definition),
    ]);
  }
  const incident = await owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, service)
     values ($1, 7, '{{trigger}} is down', 'critical', 0, 'checkout') returning id`,
    [orgId],
  );
  incidentId = incident.rows[0].id;
  const integration = await owner.query(
    `insert into integrations (org_id, kind, name, key_hash) values ($1, 'alertmanager', 'am', 'k') returning id`,
    [orgId],
  );
  const alert = await owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, incident_id)
     values ($1, $2, 'f', 'firing', 'DiskFull', 'low', 3, 'db', '{}', '{}', now(), $3) returning id`,
    [orgId, integration.rows[0].id, incidentId],
  );
  alertId = alert.rows[0].id;
});
afterAll(() => database.close());

async function put(name: string, written: object): Promise<void> {
  const definition = notificationRule.parse(written);
  await database.db.write({ orgId }, (tx) =>
    putNotificationRule(tx, { orgId, name, definition, actor: 'test' }),
  );
}
const at = Date.parse('2026-06-03T12:00:00Z');
const announce = (given: object) =>
  createAnnounceActivities(database).announce({
    orgId,
    incidentId,
    trigger: 'incident.opened',
    occurrence: 'opened:1',
    at,
    ...given,
  });

test('what happened is told to the targets of every rule that matches, each once, with its reasons', async () => {
  await put('first', {
    triggers: ['incident.opened'],
    when: { severities: ['critical'] },
    targets: [
      { type: 'email', address: 'team@example.com' },
      { type: 'schedule', name: 'primary' },
      { type: 'schedule', name: 'gone' },
    ],
    template: '#{{incident.number}} {{incident.title}}: {{alerts}}',
    order: 1,
  });
  await put('second', {
    triggers: ['incident.opened'],
    targets: [
      { type: 'user', email: 'Ana@example.com' },
      { type: 'email', address: 'boss@example.com' },
    ],
    order: 2,
  });
  await put('elsewhere', {
    triggers: ['incident.opened'],
    when: { service: 'other' },
    targets: [{ type: 'email', address: 'other@example.com' }],
  });
  const { notices } = await announce({});
  expect(notices).toEqual([
    {
      key: 'rule:incident.opened:opened:1:first:0',
      target: { type: 'email', address: 'team@example.com' },
      detail: { rule: 'first', note: '#7 {{trigger}} is down: DiskFull' },
      cause: {
        event: 'incident.opened',
        at: '2026-06-03T12:00:00.000Z',
        rule: { name: 'first', reasons: ['it waits for incident.opened', 'the severity is critical'] },
      },
    },
    {
      key: 'rule:incident.opened:opened:1:first:1.0',
      target: { type: 'user', email: 'ana@example.com' },
      detail: expect.anything(),
      cause: expect.objectContaining({
        entry: expect.objectContaining({ schedule: 'primary', rotation: 'weekly' }),
      }),
    },
    {
      key: 'rule:incident.opened:opened:1:second:1',
      target: { type: 'email', address: 'boss@example.com' },
      detail: { rule: 'second' },
      cause: expect.anything(),
    },
  ]);
  expect(await announce({})).toEqual({ notices });
  const { rows } = await database.owner.query(`select key, status, error from notifications`);
  expect(rows).toEqual([
    {
      key: `incident:${incidentId}:rule:incident.opened:opened:1:first:2`,
      status: 'skipped',
      error: expect.stringContaining("'gone'"),
    },
  ]);
});

test('an alert that arrives is looked at by itself, not as its incident', async () => {
  await put('alerts', {
    triggers: ['alert.received'],
    when: { severities: ['low'], service: 'db', alert: 'DiskFull' },
    targets: [{ type: 'email', address: 'team@example.com' }],
  });
  const { notices } = await announce({ trigger: 'alert.received', occurrence: String(alertId) });
  expect(notices).toMatchObject([
    { key: `rule:alert.received:${alertId}:alerts:0`, detail: { rule: 'alerts', alert: 'DiskFull' } },
  ]);
});

test('of an SLA it says which clock', async () => {
  await database.owner.query(
    `insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state)
     values ($1, $2, 'acknowledge', 'Critical', now(), '2026-06-03T12:04:00Z', '2026-06-03T12:05:00Z', 'running'),
       ($1, $2, 'resolve', 'Critical', now(), '2026-06-03T12:24:00Z', '2026-06-03T12:30:00Z', 'running')`,
    [orgId, incidentId],
  );
  await put('clocks', {
    triggers: ['sla.breached'],
    targets: [{ type: 'email', address: 'team@example.com' }],
  });
  const { notices } = await announce({ trigger: 'sla.breached', at: Date.parse('2026-06-03T12:30:00Z') });
  expect(notices).toMatchObject([
    { detail: { kind: 'resolve', policy: 'Critical', dueAt: '2026-06-03T12:30:00.000Z' } },
  ]);
});

test('without a rule that waits for it nothing is told', async () => {
  expect(await announce({ trigger: 'forecast' })).toEqual({ notices: [] });
});

test('of an incident that was merged it says where it goes on, to what a rule told and what is kept up to date', async () => {
  const { owner } = database;
  await put('ended', {
    triggers: ['incident.resolved'],
    targets: [{ type: 'email', address: 'x@example.com' }],
  });
  await owner.query(`insert into notification_channels (org_id, name, definition) values ($1, 'pd', $2)`, [
    orgId,
    { type: 'pagerduty', routingKey: 'r'.repeat(32) },
  ]);
  await owner.query(
    `insert into channel_messages (org_id, destination, subject, reference) values ($1, 'channel:pd', $2, '{}')`,
    [orgId, `incident:${incidentId}`],
  );
  const resolved = { trigger: 'incident.resolved', occurrence: '9' };
  expect((await announce(resolved)).notices.map(({ detail }) => detail)).toEqual([
    { rule: 'ended' },
    { follows: true },
  ]);
  await owner.query('update incidents set merged_into = 3 where id = $1', [incidentId]);
  expect((await announce(resolved)).notices.map(({ detail }) => detail)).toEqual([
    { rule: 'ended', mergedInto: 3 },
    { follows: true, mergedInto: 3 },
  ]);
});
