import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
  await api.addPerson('ana@example.com', 'operator', null);
  await api.addPerson('ben@example.com', 'operator', null);
});
afterAll(() => api.close());

const level = (after: string, email: string) => ({ after, targets: [{ type: 'user', email }] });
const edited = {
  name: 'payments',
  definition: {
    levels: [level('0s', 'ana@example.com'), level('15m', 'ben@example.com')],
    match: { service: 'payment-*' },
  },
};
const situation = { at: '2026-03-29 02:30 Europe/Berlin', severity: 'critical', service: 'payment-api' };
const ask = async (body: object, token = api.tokens.operator) =>
  await api.ask('POST', '/api/v1/rehearsals', { token, body });

const tables = ['escalation_policies', 'notifications', 'incidents', 'alerts', 'audit_log', 'timeline'];
const rowCounts = async () =>
  await Promise.all(
    tables.map(
      async (table) => (await api.fixture.owner.query(`select count(*) from ${table}`)).rows[0].count,
    ),
  );

test('an edited policy is tried on a situation, beside all that stands, and nothing is stored', async () => {
  const before = await rowCounts();
  const answer = await ask({
    policy: edited,
    situation: { ...situation, answers: [{ after: '20m', by: 'ben@example.com', what: 'acknowledge' }] },
  });
  expect(answer).toMatchObject({
    status: 200,
    body: {
      kind: 'situation',
      // the clock goes from 02:00 to 03:00
      opensAt: '2026-03-29T01:30:00.000Z',
      timeZone: 'Europe/Berlin',
      policy: 'payments',
      cut: false,
    },
  });
  const pages = answer.body.rows.filter(({ type }: { type: string }) => type === 'escalation.page');
  expect(pages).toMatchObject([
    { who: 'ana@example.com', local: 'Sun 29 Mar 03:30:00', afterMs: 0, by: 'mail', outcome: 'sent' },
    { who: 'ben@example.com', local: 'Sun 29 Mar 03:45:00', afterMs: 900_000, why: 'level 2 of payments' },
  ]);
  expect(await rowCounts()).toEqual(before);
});

test('a schedule, its overrides, a rule and an SLA policy are tried with it', async () => {
  const schedule = {
    name: 'primary',
    definition: {
      timeZone: 'Europe/Berlin',
      rotations: [
        {
          name: 'weekly',
          participants: [['ana@example.com']],
          turn: { unit: 'week' },
          startsAt: '2026-01-05T09:00',
        },
      ],
    },
  };
  const answer = await ask({
    schedule,
    overrides: [
      {
        schedule: 'primary',
        person: 'ben@example.com',
        from: '2026-03-29T00:00:00Z',
        to: '2026-03-29T04:00:00Z',
      },
    ],
    policy: {
      name: 'payments',
      definition: {
        ...edited.definition,
        levels: [{ after: '0s', targets: [{ type: 'schedule', name: 'primary' }] }],
      },
    },
    rule: {
      name: 'tell leads',
      definition: {
        triggers: ['sla.breached'],
        targets: [{ type: 'email', address: 'lead@example.com' }],
      },
    },
    slaPolicy: {
      name: 'Payments',
      definition: { order: 1, match: { service: 'payment-*' }, acknowledgeWithin: '5m', resolveWithin: '1h' },
    },
    situation,
  });
  const messages = answer.body.rows
    .filter(({ kind }: { kind: string }) => kind === 'message')
    .map(({ type, who }: { type: string; who: string }) => `${type} ${who}`);
  expect(messages).toContain('escalation.page ben@example.com');
  expect(messages).not.toContain('escalation.page ana@example.com');
  expect(messages).toContain('sla.breached lead@example.com');
  expect(answer.body).toMatchObject({
    sla: 'Payments',
    clocks: [
      { kind: 'acknowledge', state: 'breached', dueAt: '2026-03-29T01:35:00.000Z' },
      { kind: 'resolve', state: 'breached' },
    ],
  });
});

test('a past week is shown as it was, as what stands makes it, and as edited', async () => {
  const { rows } = await api.fixture.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, service, opened_at)
     values ($1, 900, 'HighLatency on payment-api', 'critical', 0, 'payment-api', '2026-03-24T02:00:00Z') returning id`,
    [api.orgId],
  );
  await api.fixture.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, received_at, resolved_at, incident_id)
     values ($1, $2, 'rehearsed', 'resolved', 'HighLatency', 'critical', 0, 'payment-api', '{}', '{}',
       '2026-03-24T02:00:00Z', '2026-03-24T02:00:00Z', '2026-03-24T03:00:00Z', $3)`,
    [api.orgId, api.integrationId, rows[0].id],
  );
  await api.fixture.owner.query(
    `insert into timeline (org_id, incident_id, at, kind, actor, summary, dedup_key)
     values ($1, $2, '2026-03-24T02:10:00Z', 'acknowledged', 'ana@example.com', 'Acknowledged', 'rehearsed')`,
    [api.orgId, rows[0].id],
  );
  await api.fixture.owner.query(
    `insert into notifications (org_id, key, type, incident_id, channel, destination, subject, status, created_at, person)
     values ($1, 'rehearsed', 'escalation.page', $2, 'email', 'ben@example.com', 'x', 'sent', '2026-03-24T02:00:01Z',
       'ben@example.com')`,
    [api.orgId, rows[0].id],
  );
  const answer = await ask({ policy: edited, week: { from: '2026-03-23', timeZone: 'Europe/Berlin' } });
  expect(answer).toMatchObject({
    status: 200,
    body: {
      kind: 'week',
      from: '2026-03-22T23:00:00.000Z',
      incidents: 1,
      cut: false,
      asItWas: { pages: 1, atNight: 1, nobodyReached: [] },
      // acknowledged before the second level
      asEdited: { pages: 1, atNight: 1, told: 1, nobodyReached: [] },
      differences: [{ number: 900, asEdited: { pages: 1, firstAfterMs: 0 } }],
    },
  });
  const people = Object.fromEntries(
    answer.body.people.map((each: { who: string; asItWas: object; asEdited: object }) => [each.who, each]),
  );
  expect(people['ana@example.com']).toMatchObject({ asItWas: { pages: 0 }, asEdited: { pages: 1 } });
  expect(people['ben@example.com']).toMatchObject({ asItWas: { pages: 1 }, asEdited: { pages: 0 } });
});

test.each([
  // the clocks go forward in Berlin on the last Sunday of March: an hour less
  [{ from: '2026-03-25' }, 'Europe/Berlin', '2026-03-22T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
  [{ from: '2026-10-25' }, 'Europe/Berlin', '2026-10-18T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
  [
    { from: '2026-03-23', timeZone: 'America/New_York' },
    'America/New_York',
    '2026-03-23T04:00:00.000Z',
    '2026-03-30T04:00:00.000Z',
  ],
])(
  'a week begins on its Monday, where the organization is unless it says otherwise: %j',
  async (week, timeZone, from, to) => {
    await api.fixture.owner.query(`insert into settings (org_id, key, value) values ($1, 'reports', $2)`, [
      api.orgId,
      JSON.stringify({ timeZone: 'Europe/Berlin' }),
    ]);
    const answer = await ask({ week });
    await api.fixture.owner.query(`delete from settings where key = 'reports'`);
    expect(answer.body).toMatchObject({ kind: 'week', timeZone, from, to });
  },
);

test('without a zone of the organization it is that of HOLDFAST_TIME_ZONE', async () => {
  expect((await ask({ week: { from: '2026-03-23' } })).body).toMatchObject({
    timeZone: 'UTC',
    from: '2026-03-23T00:00:00.000Z',
  });
});

test.each([
  [{ situation: { ...situation, at: 'soon' } }, 'situation.at', 'Saturday 03:00'],
  [{ situation: { ...situation, severity: 'bad' } }, 'situation.severity', ''],
  [{}, 'situation', 'either a situation or a week'],
  [{ week: { from: '2999-01-01' } }, 'week.from', 'a week that is over'],
  [{ policy: { name: 'x', definition: { levels: [] } }, situation }, 'policy.definition.levels', ''],
])('what cannot be rehearsed is refused with its field: %j', async (body, field, message) => {
  const refused = await ask(body);
  expect(refused.status).toBe(400);
  expect(refused.body.errors[0]).toMatchObject({ field, message: expect.stringContaining(message) });
});

test('without a policy that takes what no other matches, an incident that needs it cannot be rehearsed', async () => {
  const { owner } = api.fixture;
  const { rows } = await owner.query(
    `delete from escalation_policies where name = 'default' returning definition`,
  );
  const refused = await ask({ policy: edited, situation: { ...situation, service: 'search' } });
  expect(refused).toMatchObject({
    status: 400,
    body: {
      errors: [{ field: 'policy', message: expect.stringContaining('/api/v1/escalation-policies/default') }],
    },
  });
  expect(await ask({ policy: edited, situation })).toMatchObject({
    status: 200,
    body: { policy: 'payments' },
  });
  const added = { ...edited, name: 'default' };
  expect(await ask({ policy: added, situation })).toMatchObject({ status: 200, body: { policy: 'default' } });
  await owner.query(`insert into escalation_policies (org_id, name, definition) values ($1, 'default', $2)`, [
    api.orgId,
    rows[0].definition,
  ]);
});

test('viewers may not, as a rehearsal takes its time', async () => {
  expect((await ask({ situation }, api.tokens.viewer)).status).toBe(403);
});
