import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSignInLink, setPassword } from '../../db/identity.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { createAttempts } from './attempts.ts';
import { TooManyAttemptsError } from './errors.ts';
import { hashPassword } from './passwords.ts';
import { mayOn, type Principal, roleOn, scopeOf } from './principal.ts';

let api: TestApi;
let person: { userId: string; token: string };
const email = 'ana@example.com';
const password = 'a long enough password';

beforeAll(async () => {
  api = await createTestApi();
  person = await api.addPerson(email, 'operator');
  const passwordHash = await hashPassword(password);
  await api.write((tx) =>
    setPassword(tx, { orgId: api.orgId, userId: person.userId, passwordHash, actor: 'test' }),
  );
});
afterAll(() => api.close());

const signIn = (given: object, headers = {}) => api.ask('POST', '/api/v1/session', { body: given, headers });

async function session() {
  const { status, headers, body } = await signIn({ email, password });
  expect(status).toBe(201);
  const cookie = headers.get('set-cookie') ?? '';
  return { cookie: cookie.split(';')[0]!, attributes: cookie, csrfToken: body.csrfToken as string };
}

test('the password opens a session whose cookie scripts cannot read', async () => {
  const { cookie, attributes } = await session();
  expect(attributes).toMatch(/HttpOnly/);
  expect(attributes).toMatch(/SameSite=Lax/);
  expect(attributes).not.toMatch(/Secure/);
  const me = await api.ask('GET', '/api/v1/me', { headers: { cookie } });
  expect(me.body).toMatchObject({ email, memberships: [{ teamId: null, role: 'operator' }] });
  expect(me.body.csrfToken).toBeTruthy();
});

test('under https the cookie is bound to the host and sent over https only', async () => {
  const secure = await createTestApi({ publicUrl: 'https://holdfast.example' });
  try {
    const { userId } = await secure.addPerson('s@example.com', 'viewer');
    const passwordHash = await hashPassword(password);
    await secure.write((tx) => setPassword(tx, { orgId: secure.orgId, userId, passwordHash, actor: 'test' }));
    const { headers } = await secure.ask('POST', '/api/v1/session', {
      body: { email: 's@example.com', password },
    });
    expect(headers.get('set-cookie')).toMatch(/^__Host-holdfast=.*Secure/);
  } finally {
    await secure.close();
  }
});

test('a wrong password, an unknown address and a user without a password get the same answer', async () => {
  const answers = await Promise.all([
    signIn({ email, password: 'wrong' }),
    signIn({ email: 'nobody@example.com', password }),
    signIn({ email: 'owner@example.com', password }),
  ]);
  expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401]);
  expect(new Set(answers.map((answer) => answer.body.detail)).size).toBe(1);
});

test('by cookie nothing is changed without the token of the session', async () => {
  const { cookie, csrfToken } = await session();
  const other = await session();
  const ask = (headers: Record<string, string>) =>
    api.ask('POST', '/api/v1/tokens', { body: { name: 'x' }, headers: { cookie, ...headers } });
  expect((await ask({})).status).toBe(403);
  expect((await ask({ 'x-csrf-token': 'wrong' })).status).toBe(403);
  expect((await ask({ 'x-csrf-token': other.csrfToken })).status).toBe(403);
  expect((await ask({ 'x-csrf-token': csrfToken, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await ask({ 'x-csrf-token': csrfToken, origin: 'https://evil.example' })).status).toBe(403);
  const made = await ask({ 'x-csrf-token': csrfToken, 'sec-fetch-site': 'same-origin' });
  expect(made.status).toBe(201);
});

test('signing in from a page of another site is refused', async () => {
  const answer = await signIn({ email, password }, { 'sec-fetch-site': 'cross-site' });
  expect(answer.status).toBe(403);
  expect(answer.headers.get('set-cookie')).toBeNull();
});

test('an API token may what its user may, is shown once, and is of no use once revoked', async () => {
  const made = await api.ask('POST', '/api/v1/tokens', { token: person.token, body: { name: 'laptop' } });
  expect(made.status).toBe(201);
  const { id, token } = made.body;
  const { body: list } = await api.ask('GET', '/api/v1/tokens', { token });
  expect(list.items.find((item: { id: string }) => item.id === id)).toMatchObject({ name: 'laptop' });
  expect(JSON.stringify(list)).not.toContain(token);
  const { rows } = await api.fixture.owner.query(`select token_hash from api_tokens where id = $1`, [id]);
  expect(rows[0].token_hash.toString('utf8')).not.toContain(token);
  expect((await api.ask('DELETE', `/api/v1/tokens/${id}`, { token })).status).toBe(204);
  expect((await api.ask('GET', '/api/v1/me', { token })).status).toBe(401);
});

test("nobody revokes another's token or ends another's session", async () => {
  const { rows } = await api.fixture.owner.query(`select id from api_tokens where user_id = $1`, [
    person.userId,
  ]);
  const stranger = api.tokens.owner;
  expect((await api.ask('DELETE', `/api/v1/tokens/${rows[0].id}`, { token: stranger })).status).toBe(404);
  const { cookie } = await session();
  const { body } = await api.ask('GET', '/api/v1/sessions', { headers: { cookie } });
  const own = body.items.find((item: { isThis: boolean }) => item.isThis);
  expect((await api.ask('DELETE', `/api/v1/sessions/${own.id}`, { token: stranger })).status).toBe(404);
});

test('signing out ends the session at the server too', async () => {
  const { cookie, csrfToken } = await session();
  const out = await api.ask('DELETE', '/api/v1/session', { headers: { cookie, 'x-csrf-token': csrfToken } });
  expect(out.status).toBe(204);
  expect(out.headers.get('set-cookie')).toMatch(/Expires=Thu, 01 Jan 1970/);
  expect((await api.ask('GET', '/api/v1/me', { headers: { cookie } })).status).toBe(401);
});

test('a new password ends the other sessions and keeps this one', async () => {
  const first = await session();
  const second = await session();
  const changed = await api.ask('PUT', '/api/v1/password', {
    headers: { cookie: second.cookie, 'x-csrf-token': second.csrfToken },
    body: { password },
  });
  expect(changed.status).toBe(204);
  expect((await api.ask('GET', '/api/v1/me', { headers: { cookie: first.cookie } })).status).toBe(401);
  expect((await api.ask('GET', '/api/v1/me', { headers: { cookie: second.cookie } })).status).toBe(200);
});

test('a sign-in link works once, and looking at it does not use it up', async () => {
  const visitor = { address: '10.0.0.1', userAgent: 'test' };
  const { orgId } = api;
  const { userId } = person;
  const link = await api.write((tx) =>
    createSignInLink(tx, { orgId, userId, expiresAt: new Date(Date.now() + 60_000), actor: 'test' }),
  );
  expect(await api.signIn.lookAtLink(link)).toEqual({ email, name: email });
  const clicks = await Promise.allSettled([
    api.signIn.byLink(link, visitor),
    api.signIn.byLink(link, visitor),
  ]);
  expect(clicks.map((click) => click.status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await api.signIn.lookAtLink(link)).toBeUndefined();
  const expired = await api.write((tx) =>
    createSignInLink(tx, { orgId, userId, expiresAt: new Date(Date.now() - 1), actor: 'test' }),
  );
  expect(await api.signIn.lookAtLink(expired)).toBeUndefined();
});

test('a disabled user is out at once, by token and by session', async () => {
  const gone = await api.addPerson('gone@example.com', 'admin');
  expect((await api.ask('GET', '/api/v1/me', { token: gone.token })).status).toBe(200);
  await api.fixture.owner.query(`update users set disabled_at = now() where id = $1`, [gone.userId]);
  expect((await api.ask('GET', '/api/v1/me', { token: gone.token })).status).toBe(401);
});

test('too many attempts from an address or for a user have to wait', async () => {
  const answers = [];
  for (let n = 0; n < 12; n++)
    answers.push(await signIn({ email: 'attacked@example.com', password: `guess ${n}` }));
  const last = answers.at(-1)!;
  expect(last.status).toBe(429);
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('attempts are counted per key and forgotten when the window has passed', () => {
  const attempts = createAttempts(2, 1000);
  attempts.take(['a'], 0);
  attempts.take(['a', 'b'], 10);
  expect(() => attempts.take(['a'], 20)).toThrow(TooManyAttemptsError);
  attempts.take(['b'], 30);
  attempts.take(['a'], 1001);
  attempts.forget(['b']);
  attempts.take(['b'], 40);
});

const principal = (memberships: Principal['memberships']): Principal => ({
  orgId: 'o',
  userId: 'u',
  email: 'e',
  name: 'n',
  memberships,
});
const membership = (teamId: string | null, role: Principal['memberships'][number]['role']) => ({
  teamId,
  teamName: teamId,
  teamSlug: teamId,
  role,
});

test('a role in the organization counts everywhere, one in a team there, and on what is shared up to Operator', () => {
  const admin = principal([membership(null, 'admin')]);
  expect([roleOn(admin, null), roleOn(admin, 'red')]).toEqual(['admin', 'admin']);
  const mixed = principal([membership(null, 'viewer'), membership('red', 'admin')]);
  expect([roleOn(mixed, null), roleOn(mixed, 'red'), roleOn(mixed, 'blue')]).toEqual([
    'operator',
    'admin',
    'viewer',
  ]);
  const red = principal([membership('red', 'viewer')]);
  expect([roleOn(red, null), roleOn(red, 'blue')]).toEqual(['viewer', undefined]);
  expect(mayOn(red, 'viewer', 'blue')).toBe(false);
});

test('what is seen: everything with a role in the organization, else the own teams', () => {
  expect(scopeOf(principal([membership('red', 'owner'), membership(null, 'viewer')])).teamIds).toBe('*');
  expect(scopeOf(principal([membership('red', 'viewer')])).teamIds).toEqual(['red']);
  expect(scopeOf(principal([])).teamIds).toEqual([]);
});

test('signing in, tokens and sign-outs stand in the audit log, without a secret', async () => {
  const { rows } = await api.fixture.owner.query(
    `select action, actor, data from audit_log where org_id = $1`,
    [api.orgId],
  );
  const actions = new Set(rows.map((row) => row.action));
  for (const action of [
    'session.created',
    'session.ended',
    'token.created',
    'token.revoked',
    'user.password_set',
  ]) {
    expect(actions).toContain(action);
  }
  expect(JSON.stringify(rows)).not.toMatch(/hf[tsli]_[\w-]{20}|argon2/);
});
