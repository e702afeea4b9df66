import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dedupKeyOf, noteForPagerDuty, pagerDutySaid } from '../../domain/pagerduty.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { pagerDutyWebhook } from '../../test/harness/pagerduty-double.ts';
import { createTestChat } from '../../test/harness/slack-app.ts';
import { RefusedError, TemporalUnavailableError } from '../../workflows/messages-client.ts';

const secret = 'secret-of-the-subscription';
let api: TestApi;
let address: string;
let incident: { id: string; number: number };
beforeAll(async () => {
  const chat = createTestChat();
  const readHidden = async (_orgId: string, hidden: string) => {
    if (hidden.startsWith('env:')) throw new Error(`${hidden} is not set`);
    return hidden;
  };
  api = await createTestApi({ chat: { ...chat, readHidden } });
  const { rows } = await api.fixture.owner.query(
    `insert into notification_channels (org_id, name, definition) values ($1, 'pd', $2) returning id`,
    [api.orgId, { type: 'pagerduty', routingKey: 'r'.repeat(32), webhookSecret: secret }],
  );
  address = `/api/v1/pagerduty/${rows[0].id}`;
});
afterAll(() => api.close());

let numbers = 0;
beforeEach(async () => {
  api.messages.sent.length = 0;
  const number = ++numbers;
  const { rows } = await api.fixture.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, alert_count, firing_count, recorded_seq)
     values ($1, $2, 'db-primary', 'critical', 0, 1, 1, 5) returning id`,
    [api.orgId, number],
  );
  incident = { id: rows[0].id, number };
});

const earline = { id: 'PUSER1', type: 'user_reference', summary: 'Ana of PagerDuty' };
const given = (type: string, change: Partial<Parameters<typeof pagerDutyWebhook>[0]> = {}) => ({
  type,
  incidentKey: dedupKeyOf(`incident:${incident.id}`),
  agent: earline as object | null,
  ...change,
});
const send = async (event: Parameters<typeof pagerDutyWebhook>[0], secrets = [secret]) =>
  await api.ask('POST', address, pagerDutyWebhook(event, secrets));

test('acknowledged there is acknowledged here, under the name that the person has there', async () => {
  expect(await send(given('incident.acknowledged'))).toMatchObject({ status: 202, body: { done: true } });
  const actor = { name: 'Ana of PagerDuty (PagerDuty)', via: 'pagerduty' };
  expect(api.messages.sent).toEqual([
    { method: 'acknowledge', args: [api.orgId, incident.number, { actor, asOf: 5, opening: 1 }] },
  ]);
  // so that the notice of it is not sent back there
  const { rows } = await api.fixture.owner.query(
    `select reference from channel_messages where destination = 'channel:pd' and subject = $1`,
    [pagerDutySaid(incident.id, 1)],
  );
  expect(rows).toEqual([{ reference: { acknowledged: true } }]);
});

test('somebody who is linked acts as themselves, as far as their role goes', async () => {
  const operator = await api.addPerson('ana@example.com', 'operator');
  const link = `insert into user_identities (org_id, user_id, provider, external_id) values ($1, $2, 'pagerduty', $3)`;
  await api.fixture.owner.query(link, [api.orgId, operator.userId, 'PANA']);
  await send(given('incident.resolved', { agent: { ...earline, id: 'PANA' } }));
  expect(api.messages.sent).toMatchObject([
    { method: 'resolve', args: [api.orgId, incident.number, { actor: { name: 'ana@example.com' } }] },
  ]);
  const viewer = await api.addPerson('ben@example.com', 'viewer');
  await api.fixture.owner.query(link, [api.orgId, viewer.userId, 'PBEN']);
  expect(await send(given('incident.resolved', { agent: { ...earline, id: 'PBEN' } }))).toMatchObject({
    status: 202,
    body: { done: false, reason: expect.stringContaining('role operator') },
  });
  expect(api.messages.sent).toHaveLength(1);
});

test('an Owner says who somebody of PagerDuty is here', async () => {
  const path = '/api/v1/pagerduty/people/POPS';
  const put = (token: string, email: string) => api.ask('PUT', path, { token, body: { email, name: 'Ops' } });
  expect((await put(api.tokens.admin, 'operator@example.com')).status).toBe(403);
  expect(await put(api.tokens.owner, 'nobody@example.com')).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'email' }] },
  });
  expect(await put(api.tokens.owner, 'Operator@example.com')).toMatchObject({
    status: 200,
    body: { externalId: 'POPS', email: 'operator@example.com', name: 'Ops' },
  });
  await send(given('incident.acknowledged', { agent: { ...earline, id: 'POPS' } }));
  expect(api.messages.sent).toMatchObject([
    { args: [api.orgId, incident.number, { actor: { name: 'operator@example.com' } }] },
  ]);
  const list = async () =>
    (await api.ask('GET', '/api/v1/pagerduty/people', { token: api.tokens.viewer })).body.items;
  expect(await list()).toContainEqual(expect.objectContaining({ externalId: 'POPS' }));
  expect((await api.ask('DELETE', path, { token: api.tokens.owner })).status).toBe(204);
  expect((await api.ask('DELETE', path, { token: api.tokens.owner })).status).toBe(404);
  expect(await list()).not.toContainEqual(expect.objectContaining({ externalId: 'POPS' }));
});

test('a note there is a note here, of the incident that earlier events named', async () => {
  await send(given('incident.triggered'));
  expect(api.messages.sent).toEqual([]);
  await send(given('incident.annotated', { note: 'The disk is full.' }));
  expect(api.messages.sent).toMatchObject([
    { method: 'addNote', args: [api.orgId, incident.number, { text: 'The disk is full.' }] },
  ]);
});

test('a note that is sent again while the first is on its way, or by a second subscription, is the same one', async () => {
  await send(given('incident.triggered'));
  const note = given('incident.annotated', { id: randomUUID(), note: 'The disk is full.' });
  await Promise.all([send(note), send(note), send({ ...note, id: randomUUID() })]);
  // what had been done by then, or said since, makes no other of it
  const keys = api.messages.sent.map(({ args }) => (args[2] as { key: string }).key);
  expect(new Set(keys)).toEqual(new Set(['pagerduty:P1NOTE']));
});

test('a note that Holdfast wrote there comes back as no other one', async () => {
  await send(given('incident.triggered'));
  await api.fixture.owner.query(
    `insert into timeline (org_id, incident_id, at, kind, actor, summary, data, dedup_key)
     values ($1, $2, now(), 'note', 'ben@example.com', 'The disk is full.', '{}', 'incident:7')`,
    [api.orgId, incident.id],
  );
  const note = { incident: incident.number, seq: 7, writer: 'ben@example.com', text: 'The disk is full.' };
  const ours = noteForPagerDuty(note);
  const answer = { done: false, reason: 'Holdfast wrote it there' };
  expect((await send(given('incident.annotated', { note: ours }))).body).toEqual(answer);
  const cut = given('incident.annotated', { note: ours.slice(0, -9), trimmed: true });
  expect((await send(cut)).body).toEqual(answer);
  expect(api.messages.sent).toEqual([]);
  const quoted = noteForPagerDuty({ ...note, seq: 8 });
  expect((await send(given('incident.annotated', { note: quoted }))).body).toMatchObject({ done: true });
});

test('a note of which only the beginning is here says so', async () => {
  await send(given('incident.triggered'));
  await send(given('incident.annotated', { note: 'The disk is', trimmed: true }));
  await send(given('incident.annotated', { note: 'x'.repeat(6000) }));
  expect(api.messages.sent.map(({ args }) => (args[2] as { text: string }).text)).toEqual([
    'The disk is … (there is more at PagerDuty)',
    `${'x'.repeat(4900)} … (there is more at PagerDuty)`,
  ]);
});

test('an event that is delivered again is done once; one that could not be done is done when it comes again', async () => {
  const event = given('incident.acknowledged', { id: randomUUID() });
  api.messages.next(new TemporalUnavailableError('Temporal does not answer'));
  expect((await send(event)).status).toBe(503);
  expect(await send(event)).toMatchObject({ status: 202, body: { done: true } });
  expect(await send(event)).toMatchObject({ status: 202, body: { done: false } });
  expect(api.messages.sent).toHaveLength(2);
});

test('what no person did, what is about nothing of Holdfast and what is refused comes to nothing, and is not sent again', async () => {
  for (const event of [
    given('incident.acknowledged', { agent: null }),
    given('incident.acknowledged', { agent: { id: 'P1', type: 'service_reference' } }),
    given('incident.acknowledged', { incidentKey: 'baf7cf21b1da41b4b0221008339ff357' }),
    given('incident.acknowledged', { incidentKey: dedupKeyOf(`incident:${randomUUID()}`) }),
    given('incident.priority_updated'),
  ]) {
    expect(await send(event)).toMatchObject({ status: 202, body: { done: false } });
  }
  expect(api.messages.sent).toEqual([]);
  api.messages.next(new RefusedError('it is resolved already'));
  expect(await send(given('incident.acknowledged'))).toMatchObject({
    status: 202,
    body: { done: false, reason: 'it is resolved already' },
  });
});

test('only a body that is signed with the secret counts; two secrets at once while one replaces the other', async () => {
  expect((await send(given('incident.acknowledged'), ['old-secret', secret])).status).toBe(202);
  expect((await send(given('incident.acknowledged'), ['old-secret'])).status).toBe(401);
  const signed = pagerDutyWebhook(given('incident.acknowledged'), [secret]);
  expect((await api.ask('POST', address, { ...signed, body: `${signed.body} ` })).status).toBe(401);
  const { 'x-pagerduty-signature': _, ...unsigned } = signed.headers;
  expect((await api.ask('POST', address, { ...signed, headers: unsigned })).status).toBe(401);
  expect((await api.ask('POST', `/api/v1/pagerduty/${randomUUID()}`, signed)).status).toBe(404);
});

test('a secret that cannot be read now is asked for again, and which one it is stays in the log', async () => {
  const { rows } = await api.fixture.owner.query(
    `insert into notification_channels (org_id, name, definition) values ($1, 'unread', $2) returning id`,
    [api.orgId, { type: 'pagerduty', routingKey: 'r'.repeat(32), webhookSecret: 'env:PD_SECRET' }],
  );
  const at = `/api/v1/pagerduty/${rows[0].id}`;
  const answer = await api.ask('POST', at, pagerDutyWebhook(given('incident.acknowledged'), [secret]));
  expect(answer.status).toBe(503);
  expect(JSON.stringify(answer.body)).not.toContain('PD_SECRET');
  expect(api.errors).toMatchObject([{ channel: 'unread' }]);
});
