import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerChatMessage, beginChatMessage } from '../../db/chat-history.ts';
import { createSession, createUser, setMembership } from '../../db/identity.ts';
import { createLinkCode, findIdentity } from '../../db/user-identities.ts';
import type { Role } from '../../domain/roles.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';

interface SignedIn {
  userId: string;
  get(path: string): Promise<Response>;
  post(path: string, fields?: Record<string, string>): Promise<Response>;
}

let database: TestDatabase;
let web: TestWeb;
let ana: SignedIn;
let admin: SignedIn;

beforeAll(async () => {
  database = await createTestDatabase();
  web = await serveWeb(database.db, { logError: (error) => console.error(error) });
  ana = await signedIn('ana@example.com', 'viewer');
  admin = await signedIn('admin@example.com', 'admin');
});
afterAll(async () => {
  await web?.close();
  await database?.close();
});
beforeEach(async () => {
  await database.owner.query('truncate chat_messages, user_identities, identity_link_codes');
});

const write = <T>(work: Parameters<typeof database.db.write<T>>[1]) =>
  database.db.write({ orgId: database.orgId }, work);

async function signedIn(email: string, role: Role): Promise<SignedIn> {
  const { orgId } = database;
  const { userId, token, csrfToken } = await write(async (tx) => {
    const userId = await createUser(tx, { orgId, email, name: email, actor: 'test' });
    await setMembership(tx, { orgId, userId, teamId: null, role, actor: 'test' });
    const expiresAt = new Date(Date.now() + 3_600_000);
    const session = await createSession(tx, { orgId, userId, userAgent: 'test', expiresAt, actor: email });
    return { userId, ...session };
  });
  const headers = { cookie: `holdfast=${token}` };
  return {
    userId,
    get: (path) => fetch(web.base + path, { headers, redirect: 'manual' }),
    post: (path, fields = {}) =>
      fetch(web.base + path, {
        method: 'POST',
        headers,
        redirect: 'manual',
        body: new URLSearchParams({ ...fields, _csrf: csrfToken }),
      }),
  };
}

const slackUser = { provider: 'slack', externalId: 'U0NEW', name: '<b>new</b>' } as const;
const linked = () => write((tx) => findIdentity(tx, slackUser));
const newCode = () => write((tx) => createLinkCode(tx, database.orgId, slackUser));

async function said(delivery: string, command: string, user: SignedIn | null): Promise<void> {
  const { orgId } = database;
  const person = 'ana';
  await write(async (tx) => {
    const message = { orgId, provider: 'slack', delivery, conversation: 'alerts', person, command } as const;
    const id = await beginChatMessage(tx, message);
    const found = user && { userId: user.userId, email: `${person}@example.com` };
    await answerChatMessage(tx, { id: id!, answer: `answer to ${command}`, user: found });
  });
}

describe('an address that connects', () => {
  it('shows who wants to act as whom, and connects once, by a press', async () => {
    const code = await newCode();
    const page = await (await ana.get(`/chat/link/${code}`)).text();
    expect(page).toContain('&lt;b&gt;new&lt;/b&gt;');
    expect(page).toContain('ana@example.com');
    expect(await linked()).toBeUndefined();
    expect((await ana.post(`/chat/link/${code}`)).headers.get('location')).toBe('/chat');
    expect(await linked()).toMatchObject({ userId: ana.userId, name: '<b>new</b>' });
    expect((await admin.post(`/chat/link/${code}`)).status).toBe(410);
    expect(await linked()).toMatchObject({ userId: ana.userId });
    const { rows } = await database.owner.query(
      `select actor, data from audit_log where action = 'identity.linked'`,
    );
    expect(rows).toMatchObject([{ actor: 'ana@example.com', data: { how: 'code', externalId: 'U0NEW' } }]);
  });

  it('is for somebody who is signed in, and dies with its time', async () => {
    const code = await newCode();
    const stranger = await fetch(`${web.base}/chat/link/${code}`, { redirect: 'manual' });
    expect(stranger.headers.get('location')).toBe(
      `/sign-in?back=${encodeURIComponent(`/chat/link/${code}`)}`,
    );
    await database.owner.query(`update identity_link_codes set expires_at = now()`);
    const late = await ana.get(`/chat/link/${code}`);
    expect(late.status).toBe(410);
    expect(await late.text()).toContain('This address works no more');
    expect((await ana.post(`/chat/link/${code}`)).status).toBe(410);
    expect(await linked()).toBeUndefined();
  });

  it('is undone by an Owner among the people, where a person has left or was linked wrongly', async () => {
    const owner = await signedIn('owner@example.com', 'owner');
    await ana.post(`/chat/link/${await newCode()}`);
    const unlink = `/settings/people/${ana.userId}/unlink`;
    const fields = { provider: 'slack', externalId: 'U0NEW' };
    expect(await (await admin.get('/settings/people')).text()).not.toContain('/unlink');
    expect((await admin.post(unlink, fields)).status).toBe(403);
    const people = await (await owner.get('/settings/people')).text();
    expect(people).toContain(`action="${unlink}"`);
    expect(people).toContain('Slack: <bdi title="U0NEW">&lt;b&gt;new&lt;/b&gt;</bdi>');
    await owner.post(`/settings/people/${admin.userId}/unlink`, fields);
    expect(await linked()).toBeDefined();
    expect((await owner.post(unlink, fields)).headers.get('location')).toBe('/settings/people');
    expect(await linked()).toBeUndefined();
    expect((await owner.post(unlink, { ...fields, provider: 'icq' })).status).toBe(404);
  });

  it('is undone by the person, and by no Admin', async () => {
    await ana.post(`/chat/link/${await newCode()}`);
    const fields = { provider: 'slack', externalId: 'U0NEW' };
    await admin.post('/chat/unlink', fields);
    expect(await linked()).toBeDefined();
    await ana.post('/chat/unlink', fields);
    expect(await linked()).toBeUndefined();
  });
});

describe('the history', () => {
  it('shows everybody their own, Admins all, and finds words', async () => {
    await said('1', 'ack 42', ana);
    await said('2', 'incidents <all>', null);
    const own = await (await ana.get('/chat?whose=all')).text();
    expect(own).toContain('ack 42');
    expect(own).not.toContain('incidents &lt;all&gt;');
    const all = await (await admin.get('/chat?whose=all')).text();
    expect(all).toContain('incidents &lt;all&gt;');
    const found = await (await admin.get('/chat?whose=all&q=TO+ACK')).text();
    expect(found).toContain('ack 42');
    expect(found).not.toContain('incidents &lt;all&gt;');
    expect((await admin.get('/chat?cursor=cut-of')).status).toBe(200);
  });

  it('is cleared by the person, and all of it by an Admin alone', async () => {
    await said('1', 'ack 42', ana);
    await said('2', 'incidents', null);
    const left = async () => (await database.owner.query('select from chat_messages')).rowCount;
    expect((await ana.post('/chat/clear', { whose: 'all' })).status).toBe(403);
    expect(await left()).toBe(2);
    await ana.post('/chat/clear', { whose: 'mine' });
    expect(await left()).toBe(1);
    await admin.post('/chat/clear', { whose: 'all' });
    expect(await left()).toBe(0);
  });
});

describe('the settings', () => {
  it('keep what is ticked, and show the addresses of each Slack channel', async () => {
    await database.owner.query(
      `insert into notification_channels (org_id, name, definition) values ($1, 'alerts', $2), ($1, 'hook', $3)`,
      [
        database.orgId,
        JSON.stringify({ type: 'slack', channel: 'C0ALERTS' }),
        JSON.stringify({ type: 'webhook', url: 'https://hook.example.com' }),
      ],
    );
    expect((await ana.get('/settings/chat')).status).toBe(403);
    await admin.post('/settings/chat', { linkByEmail: 'on', summaries: 'week:alerts' });
    const { rows } = await database.owner.query(`select value from settings where key = 'chat'`);
    expect(rows).toEqual([{ value: { linkByEmail: true, summaries: { alerts: ['week'] } } }]);
    const page = await (await admin.get('/settings/chat')).text();
    expect(page).toContain('value="week:alerts" checked');
    expect(page).toMatch(/\/api\/v1\/chat\/slack\/[0-9a-f-]{36}\/commands/);
    expect(page).not.toContain('day:hook');
  });
});
