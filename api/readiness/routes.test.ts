import { afterAll, beforeAll, expect, test } from 'vitest';
import { putOnCallSchedule } from '../../db/oncall.ts';
import { putEscalationPolicy } from '../../db/policies.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
let member: string;

beforeAll(async () => {
  api = await createTestApi();
  const { orgId } = api;
  const actor = 'owner@example.com';
  const team = await api.write(async (tx) => {
    await tx.insertInto('teams').values({ org_id: orgId, slug: 'payments', name: 'Payments' }).execute();
    for (const [name, slug] of [
      ['payments', 'payments'],
      ['shared', null],
    ] as const) {
      const definition = { timeZone: 'UTC', team: slug, rotations: [] };
      await putOnCallSchedule(tx, { orgId, name, definition, actor });
    }
    const other = await tx
      .insertInto('teams')
      .values({ org_id: orgId, slug: 'platform', name: 'Platform' })
      .returning('id')
      .executeTakeFirstOrThrow();
    const targets = ['payments', 'shared'].map((name) => ({ type: 'schedule' as const, name }));
    const definition = { levels: [{ after: '0s', targets }], repeats: 0 };
    await putEscalationPolicy(tx, { orgId, name: 'default', definition, actor });
    return other.id;
  });
  member = (await api.addPerson('cleo@example.com', 'viewer', team)).token;
});
afterAll(() => api.close());

test('readiness says what is wrong, how bad it is and what to do', async () => {
  const { status, body } = await api.ask('GET', '/api/v1/readiness', { token: api.tokens.viewer });
  expect(status).toBe(200);
  expect(body.items.map(({ kind, subject }: { kind: string; subject: string }) => [kind, subject])).toEqual([
    ['policy_reaches_nobody', 'default'],
    ['gap', 'payments'],
    ['gap', 'shared'],
  ]);
  expect(body.items[0]).toMatchObject({ severity: 'critical', remedy: expect.any(String), at: null });
  expect(Date.parse(body.items[1].at)).toBeGreaterThan(0);
});

test("a member hears of schedules that they see, and of no other team's", async () => {
  const { body } = await api.ask('GET', '/api/v1/readiness', { token: member });
  expect(body.items.map(({ subject }: { subject: string }) => subject)).toEqual(['shared']);
});
