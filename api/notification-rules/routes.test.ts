import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listAnnouncedTriggers } from '../../db/notification-rules.ts';
import { notificationTriggers } from '../../domain/notification-rules/rule.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { seedExecution, seedRunbookVersion } from '../../test/harness/executions.ts';

let api: TestApi;
let token: string;
beforeAll(async () => {
  api = await createTestApi();
  token = api.tokens.admin;
});
afterAll(() => api.close());

const base = '/api/v1/notification-rules';
const targets = [{ type: 'email', address: 'ana@example.com' }];

describe('rules of notification', () => {
  test('are made, listed in their order, put again as they were read, and deleted', async () => {
    const later = { triggers: ['sla.breached'], targets, order: 20 };
    const sooner = {
      triggers: ['incident.opened', 'sla.at_risk'],
      when: { severities: ['critical'], labels: { region: 'eu-*' } },
      targets,
      template: 'Look at {{incident.number}}',
      order: 10,
    };
    expect((await api.ask('PUT', `${base}/later`, { token, body: later })).status).toBe(200);
    const put = await api.ask('PUT', `${base}/sooner`, { token, body: sooner });
    expect(put).toMatchObject({ status: 200, body: { name: 'sooner', enabled: true, ...sooner } });
    expect((await api.ask('PUT', `${base}/sooner`, { token, body: put.body })).status).toBe(200);
    const listed = await api.ask('GET', base, { token: api.tokens.viewer });
    expect(listed.body.items.map(({ name }: { name: string }) => name)).toEqual(['sooner', 'later']);
    expect(await api.write(listAnnouncedTriggers)).toEqual([
      'incident.opened',
      'sla.at_risk',
      'sla.breached',
    ]);
    const off = { ...later, enabled: false };
    expect((await api.ask('PUT', `${base}/later`, { token, body: off })).status).toBe(200);
    expect(await api.write(listAnnouncedTriggers)).toEqual(['incident.opened', 'sla.at_risk']);
    for (const name of ['sooner', 'later']) {
      expect((await api.ask('DELETE', `${base}/${name}`, { token })).status).toBe(204);
    }
    expect(await api.write(listAnnouncedTriggers)).toEqual([]);
    // of notes PagerDuty alone is told
    const followed = ['incident.acknowledged', 'incident.resolved', 'incident.root_cause_found'];
    for (const [channel, noted] of [
      [{ type: 'slack', token: 'xoxb-1234', channel: '#ops' }, []],
      [{ type: 'pagerduty', routingKey: 'r'.repeat(32) }, ['incident.noted']],
    ] as const) {
      const path = '/api/v1/notification-channels/following';
      expect((await api.ask('PUT', path, { token, body: channel })).status).toBe(200);
      expect(await api.write(listAnnouncedTriggers)).toEqual([...followed, ...noted].sort());
      expect((await api.ask('DELETE', path, { token })).status).toBe(204);
    }
  });

  test('keep a channel that they name from being deleted', async () => {
    const channel = '/api/v1/notification-channels/ops';
    const made = { type: 'email', addresses: ['ops@example.com'] };
    expect((await api.ask('PUT', channel, { token, body: made })).status).toBe(200);
    const body = { triggers: ['sla.breached'], targets: [{ type: 'channel', name: 'ops' }] };
    expect((await api.ask('PUT', `${base}/tells-ops`, { token, body })).status).toBe(200);
    expect(await api.ask('DELETE', channel, { token })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('tells-ops') },
    });
    expect((await api.ask('DELETE', `${base}/tells-ops`, { token })).status).toBe(204);
    expect((await api.ask('DELETE', channel, { token })).status).toBe(204);
  });

  test('are written by admins', async () => {
    const body = { triggers: ['sla.breached'], targets };
    expect((await api.ask('PUT', `${base}/x`, { token: api.tokens.operator, body })).status).toBe(403);
  });

  test.each([
    [{ triggers: [] }, 'triggers'],
    [{ triggers: ['coffee'] }, 'triggers.0'],
    [{ targets: [] }, 'targets'],
    [{ targets: [{ type: 'channel', name: 'nowhere' }] }, 'targets.0.name'],
    [{ targets: [{ type: 'schedule', name: 'nobody' }] }, 'targets.0.name'],
    [{ targets: [{ type: 'user', email: 'nobody@example.com' }] }, 'targets.0.email'],
    [{ when: { team: 'none' } }, 'when.team'],
    [
      { when: { hours: { timeZone: '+02:00', days: ['mon'], from: '09:00', to: '17:00' } } },
      'when.hours.timeZone',
    ],
    [{ template: '{{incident.password}}' }, 'template'],
    [{ template: '{{incident.number' }, 'template'],
  ])('that cannot hold are refused with their field: %j', async (given, field) => {
    const body = { triggers: ['incident.opened'], targets, ...given };
    const refused = await api.ask('PUT', `${base}/refused`, { token, body });
    expect(refused.status).toBe(400);
    expect(refused.body.errors[0].field).toBe(field);
  });
});

async function past(
  number: number,
  {
    severity,
    service,
    alert,
    daysAgo,
  }: { severity: string; service: string; alert: string; daysAgo: number },
): Promise<void> {
  const { rows } = await api.fixture.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, service, labels, opened_at, resolved_at,
       closed_at, status)
     select $1, $2, $5 || ' of ' || $4, $3, 0, $4, '{"region": "eu-1"}', at, at + interval '1 hour', at, 'resolved'
     from (select now() - $6 * interval '1 day' as at) t returning id`,
    [api.orgId, number, severity, service, alert, daysAgo],
  );
  await api.fixture.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, received_at, incident_id)
     select $1, $2, gen_random_uuid()::text, 'resolved', name, $4, 0, $5, '{"region": "eu-1"}', '{}', opened_at,
       opened_at, i.id
     from incidents i, unnest(array[$6, 'Other']) name where i.id = $3`,
    [api.orgId, api.integrationId, rows[0].id, severity, service, alert],
  );
  await api.fixture.owner.query(
    `insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state, ended_at)
     select org_id, id, 'resolve', 'Critical', opened_at, opened_at + interval '1 minute',
       opened_at + interval '5 minutes', 'breached', opened_at + interval '5 minutes' from incidents where id = $1`,
    [rows[0].id],
  );
}

test('a preview says what a rule would have told of the last 30 days, to whom and why', async () => {
  await past(1, { severity: 'critical', service: 'payment-api', alert: 'DiskFull', daysAgo: 3 });
  await past(2, { severity: 'critical', service: 'payment-db', alert: 'SlowQuery', daysAgo: 2 });
  await past(3, { severity: 'low', service: 'payment-db', alert: 'DiskFull', daysAgo: 1 });
  await past(4, { severity: 'critical', service: 'payment-db', alert: 'DiskFull', daysAgo: 40 });
  const rule = {
    triggers: ['incident.opened', 'incident.resolved', 'sla.breached', 'forecast'],
    when: { severities: ['critical'], alert: 'Disk*' },
    targets: [...targets, ...targets, { type: 'email', address: 'ben@example.com' }],
    template: 'See #{{incident.number}} of {{incident.service}}',
  };
  const tried = await api.ask('POST', `${base}/preview`, { token: api.tokens.operator, body: { rule } });
  expect(tried).toMatchObject({
    status: 200,
    body: {
      events: 9,
      matched: 3,
      messages: 6,
      cut: false,
      targets: [
        { target: 'ana@example.com', messages: 3 },
        { target: 'ben@example.com', messages: 3 },
      ],
      triggers: [
        { trigger: 'incident.opened', events: 3, matched: 1 },
        { trigger: 'incident.resolved', events: 3, matched: 1 },
        { trigger: 'sla.breached', events: 3, matched: 1 },
        { trigger: 'forecast', events: 0, matched: 0 },
      ],
      misses: [
        { reason: 'the severity is low, not critical', events: 3 },
        { reason: "none of its alerts matches 'Disk*'", events: 3 },
      ],
    },
  });
  expect(tried.body.newest[0]).toMatchObject({
    trigger: 'incident.resolved',
    incidentNumber: 1,
    title: 'DiskFull of payment-api',
    reasons: [
      'it waits for incident.resolved',
      'the severity is critical',
      "the alert 'DiskFull' matches 'Disk*'",
    ],
    note: 'See #1 of payment-api',
  });
});

test('a preview counts nothing as told that a silence held back', async () => {
  const { owner } = api.fixture;
  const line = (number: number, seq: number, kind: string, hours: string, data: object = {}) =>
    owner.query(
      `insert into timeline (org_id, incident_id, at, kind, actor, summary, data, dedup_key)
       select org_id, id, opened_at + $3::interval, $2, 'Holdfast', 's', $4, $5 from incidents where number = $1`,
      [number, kind, hours, JSON.stringify(data), `incident:${seq}`],
    );
  const services = ['quiet-start', 'quiet-later', 'quiet-over', 'quiet-open'];
  for (const [index, service] of services.entries()) {
    await past(20 + index, { severity: 'high', service, alert: 'Down', daysAgo: 1 });
  }
  // it opened in a silence and was over in it
  await line(20, 1, 'silenced', '1 second', { until: 'x', fromTheStart: true });
  await line(20, 2, 'resolved', '1 hour');
  // silenced when people knew of it: before its clock was breached, and until it was over
  await line(21, 1, 'silenced', '2 minutes', { until: 'x' });
  await line(21, 2, 'resolved', '1 hour');
  // what waited was told when the silence ended
  await line(22, 1, 'silenced', '1 second', { until: 'x', fromTheStart: true });
  await line(22, 2, 'silence_ended', '30 minutes');
  await line(22, 3, 'resolved', '1 hour');
  // it is still silent
  await owner.query(`update incidents set resolved_at = null, closed_at = null where number = 23`);
  await line(23, 1, 'silenced', '1 second', { until: 'x', fromTheStart: true });
  const counted: number[][] = [];
  // one after the other: the third of one organization that would wait is sent away
  for (const service of services) {
    const triggers = ['alert.received', 'incident.opened', 'incident.resolved', 'sla.breached'];
    const rule = { triggers, when: { service }, targets };
    const { body } = await api.ask('POST', `${base}/preview`, { token: api.tokens.operator, body: { rule } });
    counted.push([body.matched, body.heldBack, body.messages, body.newest.length]);
  }
  expect(counted).toEqual([
    [0, 5, 0, 0],
    [4, 1, 4, 4],
    [5, 0, 5, 5],
    [0, 4, 0, 0],
  ]);
});

test("a preview tells nobody of other teams' incidents", async () => {
  const { owner } = api.fixture;
  const { rows: teams } = await owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'shop', 'Shop'), ($1, 'vault', 'Vault') returning id`,
    [api.orgId],
  );
  await past(50, { severity: 'high', service: 'vault', alert: 'VaultOpen', daysAgo: 1 });
  await past(51, { severity: 'high', service: 'shop', alert: 'ShopSlow', daysAgo: 1 });
  await owner.query('update incidents set team_id = $1 where number = 50', [teams[1].id]);
  await owner.query('update incidents set team_id = $1 where number = 51', [teams[0].id]);
  // everybody sees the run of a runbook that no team owns
  await seedRunbookVersion({ owner, orgId: api.orgId }, 'restart');
  await owner.query(
    `insert into approvals (org_id, execution_id, incident_id, runbook, requested_by, requested_at, expires_at, status,
       workflow_id)
     select org_id, $1, id, 'restart', 'ana@example.com', now(), now() + interval '1 hour', 'pending', 'w'
     from incidents where number = 50`,
    [await seedExecution({ owner, orgId: api.orgId })],
  );
  const { token: shop } = await api.addPerson('ben@example.com', 'operator', teams[0].id);
  const tried = async (as: string) => {
    const triggers = ['alert.received', 'sla.breached', 'incident.opened', 'approval.needed'];
    const rule = { triggers, targets, template: 'Of {{alerts}}' };
    const { body } = await api.ask('POST', `${base}/preview`, { token: as, body: { rule } });
    return {
      events: body.triggers.map(({ events }: { events: number }) => events),
      told: JSON.stringify(body.newest),
    };
  };
  const everything = await tried(api.tokens.operator);
  const [alerts, clocks, incidents, approvals] = everything.events;
  expect(everything.told).toContain('VaultOpen');
  const own = await tried(shop);
  expect(own.events).toEqual([alerts - 2, clocks - 1, incidents - 1, approvals]);
  expect(own.told).toContain('ShopSlow');
  expect(own.told).not.toContain('VaultOpen');
});

test('every trigger can be previewed, with nothing to look at', async () => {
  const rule = { triggers: [...notificationTriggers], targets };
  const tried = await api.ask('POST', `${base}/preview`, { token, body: { rule } });
  expect(tried.status).toBe(200);
  expect(tried.body.triggers).toHaveLength(notificationTriggers.length);
});
