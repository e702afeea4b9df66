import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api?.close());

const path = '/api/v1/on-call/imports';
const exported = {
  users: [
    { id: 'PANA', name: 'Ana Example', email: 'ana@example.com' },
    { id: 'PBEN', name: 'Ben Example', email: 'ben@example.com' },
  ],
  schedules: [
    {
      id: 'PS',
      name: 'Payments',
      time_zone: 'Europe/Berlin',
      schedule_layers: [
        {
          name: 'Layer 1',
          start: '2026-01-05T08:00:00Z',
          end: null,
          rotation_virtual_start: '2026-01-05T08:00:00Z',
          rotation_turn_length_seconds: 604_800,
          users: [
            { user: { id: 'PANA', type: 'user_reference' } },
            { user: { id: 'PBEN', type: 'user_reference' } },
          ],
          restrictions: [],
        },
      ],
    },
  ],
  escalation_policies: [
    {
      id: 'PP',
      name: 'Payments',
      num_loops: 0,
      escalation_rules: [
        { escalation_delay_in_minutes: 5, targets: [{ id: 'PS', type: 'schedule_reference' }] },
      ],
    },
  ],
};
const given = { source: 'pagerduty', export: exported };
const ask = (at: string, body: object, token = api.tokens.owner) => api.ask('POST', at, { token, body });

it('is planned, then applied as the plan says, in one transaction', async () => {
  const { status, body: plan } = await ask(`${path}/plan`, given, api.tokens.admin);
  expect(status).toBe(200);
  expect(plan.schedules).toMatchObject([{ name: 'payments', title: 'Payments', change: 'create' }]);
  expect(plan.people.map(({ change }: { change: string }) => change)).toEqual(['create', 'create']);

  const strangers = await ask(path, { ...given, hash: plan.hash }, api.tokens.admin);
  expect(strangers.status).toBe(409);
  expect(strangers.body.detail).toMatch(/ana@example.com, ben@example.com are no users here/);
  const admin = await ask(path, { ...given, hash: plan.hash, createPeople: true }, api.tokens.admin);
  expect(admin.status).toBe(403);
  expect((await api.ask('GET', '/api/v1/on-call-schedules', { token: api.tokens.admin })).body.items).toEqual(
    [],
  );

  expect((await ask(path, { ...given, hash: plan.hash, createPeople: true })).status).toBe(200);
  const now = await api.ask('GET', '/api/v1/on-call', { token: api.tokens.viewer });
  expect(now.body.items).toMatchObject([{ schedule: 'payments', shifts: [{ rotation: 'Layer 1' }] }]);
  const policy = await api.ask('GET', '/api/v1/escalation-policies/payments', { token: api.tokens.viewer });
  expect(policy.body.levels[0].targets).toEqual([{ type: 'schedule', name: 'payments' }]);
  const { rows } = await api.fixture.owner.query(
    `select actor, data from audit_log where action = 'on-call-import.applied'`,
  );
  expect(rows).toEqual([
    {
      actor: 'owner@example.com',
      data: {
        schedules: ['payments'],
        policies: ['payments'],
        people: ['ana@example.com', 'ben@example.com'],
        problems: 1,
      },
    },
  ]);

  // what was planned before is another plan now: everything stands already
  const again = await ask(path, { ...given, hash: plan.hash, createPeople: true });
  expect(again.status).toBe(409);
  expect(again.body.detail).toMatch(/look at it again/);
  const { body: second } = await ask(`${path}/plan`, given);
  expect([...second.schedules, ...second.policies, ...second.people].map(({ change }) => change)).toEqual(
    Array(4).fill('same'),
  );
});

it('names the field of an export that is wrong', async () => {
  const { status, body } = await ask(`${path}/plan`, {
    source: 'opsgenie',
    export: { schedules: [{ id: 's', name: 'x' }] },
  });
  expect(status).toBe(400);
  expect(body.errors).toEqual([
    { field: 'export.schedules.0.timezone', message: expect.stringContaining('expected string') },
  ]);
});

it('needs an Admin', async () => {
  expect((await ask(`${path}/plan`, given, api.tokens.operator)).status).toBe(403);
});
