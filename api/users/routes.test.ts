import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkIdentity } from '../../db/user-identities.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { auditEntry } from '../audit/schema.ts';
import { pageOf } from '../endpoint.ts';
import { userMade } from './schema.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const owner = () => ({ token: api.tokens.owner });

test('the Owner adds somebody, whose link signs in once with the role given', async () => {
  const body = { email: 'Cleo@Example.com', name: 'Cleo', role: 'operator' };
  const made = await api.ask('POST', '/api/v1/users', { ...owner(), body });
  expect(made.status).toBe(201);
  const { signInLink } = userMade.parse(made.body);
  const token = signInLink.url.split('/').at(-1)!;
  expect(await api.signIn.lookAtLink(token)).toEqual({ email: 'cleo@example.com', name: 'Cleo' });
  const { body: list } = await api.ask('GET', '/api/v1/users', { token: api.tokens.viewer });
  expect(list.items.find((item: { name: string }) => item.name === 'Cleo')).toMatchObject({
    email: 'cleo@example.com',
    memberships: [{ teamId: null, role: 'operator' }],
  });
  expect((await api.ask('POST', '/api/v1/users', { ...owner(), body })).status).toBe(409);
  expect((await api.ask('POST', '/api/v1/users', { token: api.tokens.admin, body })).status).toBe(403);
});

test('a role is changed and a user shut out at once', async () => {
  const { userId, token } = await api.addPerson('dana@example.com', 'viewer');
  const promoted = await api.ask('PUT', `/api/v1/users/${userId}/membership`, {
    ...owner(),
    body: { role: 'admin' },
  });
  expect(promoted.body.memberships).toMatchObject([{ role: 'admin' }]);
  expect((await api.ask('GET', '/api/v1/audit', { token })).status).toBe(200);
  const out = await api.ask('PUT', `/api/v1/users/${userId}/disabled`, {
    ...owner(),
    body: { disabled: true },
  });
  expect(out.body.disabledAt).toBeTruthy();
  expect((await api.ask('GET', '/api/v1/audit', { token })).status).toBe(401);
  await api.ask('PUT', `/api/v1/users/${userId}/disabled`, { ...owner(), body: { disabled: false } });
  expect((await api.ask('GET', '/api/v1/audit', { token })).status).toBe(200);
});

test('the Owner disconnects somebody else from who they are in chat, and the audit log says so', async () => {
  const { userId } = await api.addPerson('ben@example.com', 'operator');
  const other = await api.addPerson('erin@example.com', 'operator');
  const { orgId } = api;
  const link = { orgId, provider: 'slack', name: 'ben', actor: 'ben@example.com', how: 'code' } as const;
  await api.write((tx) => linkIdentity(tx, { ...link, userId, externalId: 'U0BEN' }));
  const path = `/api/v1/users/${userId}/identities`;
  for (const token of [api.tokens.admin, other.token]) {
    expect((await api.ask('GET', path, { token })).status).toBe(403);
    expect((await api.ask('DELETE', `${path}/slack/U0BEN`, { token })).status).toBe(403);
  }
  expect((await api.ask('GET', path, owner())).body.items).toMatchObject([
    { provider: 'slack', externalId: 'U0BEN', name: 'ben' },
  ]);
  const wrong = `/api/v1/users/${other.userId}/identities/slack/U0BEN`;
  expect((await api.ask('DELETE', wrong, owner())).status).toBe(404);
  expect((await api.ask('DELETE', `${path}/icq/U0BEN`, owner())).status).toBe(400);
  expect((await api.ask('DELETE', `${path}/slack/U0BEN`, owner())).status).toBe(204);
  expect((await api.ask('DELETE', `${path}/slack/U0BEN`, owner())).status).toBe(404);
  expect((await api.ask('GET', path, owner())).body.items).toEqual([]);
  const { rows } = await api.fixture.owner.query(
    `select actor, subject, data from audit_log where action = 'identity.unlinked'`,
  );
  expect(rows).toEqual([
    {
      actor: 'owner@example.com',
      subject: `user:${userId}`,
      data: { provider: 'slack', externalId: 'U0BEN', name: 'ben' },
    },
  ]);
});

test('the last Owner stays Owner, until there is another', async () => {
  const path = `/api/v1/users/${api.ownerUserId}`;
  const demoted = await api.ask('PUT', `${path}/membership`, { ...owner(), body: { role: 'viewer' } });
  expect([demoted.status, demoted.body.detail]).toEqual([409, expect.stringContaining('last Owner')]);
  expect((await api.ask('PUT', `${path}/disabled`, { ...owner(), body: { disabled: true } })).status).toBe(
    409,
  );
  const second = await api.addPerson('second@example.com', 'owner');
  const both = await Promise.all([
    api.ask('PUT', `${path}/membership`, { token: second.token, body: { role: 'admin' } }),
    api.ask('PUT', `/api/v1/users/${second.userId}/membership`, { ...owner(), body: { role: 'admin' } }),
  ]);
  expect(both.map((answer) => answer.status).sort()).not.toEqual([200, 200]);
});

test('what does not exist is said: user, team', async () => {
  const nobody = '00000000-0000-4000-8000-000000000000';
  const { token } = await api.addPerson('third@example.com', 'owner');
  const ask = (path: string, body: object) => api.ask('PUT', path, { token, body });
  expect((await ask(`/api/v1/users/${nobody}/membership`, { role: 'viewer' })).status).toBe(404);
  const team = await ask(`/api/v1/users/${api.ownerUserId}/membership`, { role: 'viewer', teamId: nobody });
  expect([team.status, team.body.errors[0].field]).toEqual([400, 'teamId']);
});

test('changes stand in the audit log, which Admins read in pages', async () => {
  const { body } = await api.ask('GET', '/api/v1/audit?limit=3', { token: api.tokens.admin });
  const page = pageOf(auditEntry).parse(body);
  expect(page.items).toHaveLength(3);
  const next = await api.ask('GET', `/api/v1/audit?limit=3&cursor=${page.nextCursor}`, {
    token: api.tokens.admin,
  });
  expect(next.body.items[0].id).toBeLessThan(page.items[2]!.id);
  expect((await api.ask('GET', '/api/v1/audit', { token: api.tokens.viewer })).status).toBe(403);
});
