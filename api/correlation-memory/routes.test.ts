import { afterAll, beforeAll, expect, test } from 'vitest';
import { setMembership } from '../../db/identity.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
let teams: [own: string, other: string];
beforeAll(async () => {
  api = await createTestApi();
  const { rows } = await api.fixture.owner.query<{ id: string }>(
    `insert into teams (org_id, slug, name) values ($1, 'own', 'Own'), ($1, 'other', 'Other') returning id`,
    [api.orgId],
  );
  teams = [rows[0]!.id, rows[1]!.id];
  await api.fixture.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, team_id)
     values ($1, 7, 'Down', 'high', 1, null), ($1, 8, 'Down', 'high', 1, $2), ($1, 9, 'Down', 'high', 1, $3)`,
    [api.orgId, ...teams],
  );
});
afterAll(() => api.close());

const base = '/api/v1/correlation-memory';
const remember = (fingerprint: string, incident: number) =>
  api.fixture.owner.query(
    `insert into correlation_memory (org_id, integration_id, fingerprint, group_id, name, incident_number, decided_by)
     values ($1, $2, $3, gen_random_uuid(), $3, $4, 'ana@example.com')`,
    [api.orgId, api.integrationId, fingerprint, incident],
  );
const forget = async (fingerprint: string, token: string) =>
  (await api.ask('DELETE', `${base}/${api.integrationId}/${fingerprint}`, { token })).status;

test('a memory is listed page by page and forgotten with its audit entry', async () => {
  for (const name of ['a', 'b', 'c']) await remember(name, 7);
  const token = api.tokens.operator;
  const first = await api.ask('GET', `${base}?limit=2`, { token });
  const second = await api.ask('GET', `${base}?limit=2&cursor=${first.body.nextCursor}`, { token });
  const names = [first, second].flatMap(({ body }) => body.items.map(({ name }: { name: string }) => name));
  expect(names.sort()).toEqual(['a', 'b', 'c']);
  expect(await forget('a', api.tokens.viewer)).toBe(403);
  expect(await forget('a', token)).toBe(204);
  expect(await forget('a', token)).toBe(404);
  const { rows } = await api.fixture.owner.query(
    `select 1 from audit_log where action = 'correlation-memory.forgotten'`,
  );
  expect(rows).toHaveLength(1);
});

test("a team sees and forgets what was decided in its own and shared incidents, not another team's", async () => {
  await remember('own', 8);
  await remember('other', 9);
  const { token } = await api.addPerson('own@example.com', 'operator', teams[0]);
  const { body } = await api.ask('GET', base, { token });
  const numbers = body.items.map(({ incidentNumber }: { incidentNumber: number }) => incidentNumber);
  expect(numbers).toContain(8);
  expect(numbers).not.toContain(9);
  expect(await forget('other', token)).toBe(404);
  const viewer = await api.addPerson('both@example.com', 'viewer', teams[0]);
  await api.fixture.db.write({ orgId: api.orgId }, (tx) =>
    setMembership(tx, {
      orgId: api.orgId,
      userId: viewer.userId,
      teamId: teams[1],
      role: 'operator',
      actor: 't',
    }),
  );
  expect(await forget('own', viewer.token)).toBe(403);
  expect(await forget('own', token)).toBe(204);
});
