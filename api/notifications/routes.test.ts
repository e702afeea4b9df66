import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { beginNotification, finishNotification, type NotificationEntry } from '../../db/notifications.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import type { OriginReader } from '../../workflows/messages-origin.ts';

let api: TestApi;
let shopId: string;
let incidentId: string;
let readOrigin: OriginReader = async () => null;
const cause = { event: 'incident.opened', at: '2026-06-05T22:00:00.000Z', policy: 'payments', level: 1 };

beforeAll(async () => {
  api = await createTestApi({ readOrigin: (workflowId, key) => readOrigin(workflowId, key) });
  const { owner } = api.fixture;
  const teams = await owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'shop', 'Shop') returning id`,
    [api.orgId],
  );
  shopId = teams.rows[0].id;
  const { rows } = await owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, team_id)
     values ($1, 42, 'Checkout fails', 'critical', 0, null), ($1, 43, 'Secret', 'critical', 0, $2) returning id`,
    [api.orgId, shopId],
  );
  incidentId = rows[0].id;
  const entry = (given: Partial<NotificationEntry>): NotificationEntry => ({
    orgId: api.orgId,
    key: `incident:${incidentId}:page:1`,
    type: 'escalation.page',
    incidentId,
    executionId: null,
    channel: 'email',
    destination: 'ana@example.com',
    person: 'ana@example.com',
    subject: 'Checkout fails',
    cause,
    ...given,
  });
  await api.write(async (tx) => {
    await beginNotification(tx, entry({}));
    await finishNotification(tx, { key: entry({}).key, status: 'sent', latencyMs: 20, sinceDueMs: 140 });
    const slack = {
      key: 'x',
      destination: '#ops',
      channel: 'slack',
      person: null,
      type: 'sla.breached',
    } as const;
    await beginNotification(tx, entry(slack));
    await finishNotification(tx, { key: 'x', status: 'failed', error: 'no such channel', latencyMs: 20 });
    await beginNotification(tx, entry({ key: 'secret', incidentId: rows[1].id }));
  });
});
afterAll(() => api.close());
beforeEach(() => {
  readOrigin = async () => null;
});

const base = '/api/v1/notifications';
const list = async (query: string, token = api.tokens.viewer) =>
  (await api.ask('GET', `${base}?${query}`, { token })).body.items.map(({ key }: { key: string }) =>
    key.slice(-6),
  );

test.each([
  ['', ['secret', 'x', 'page:1']],
  ['status=failed', ['x']],
  ['status=sent,failed', ['x', 'page:1']],
  ['type=sla.breached', ['x']],
  ['person=Ana@example.com', ['secret', 'page:1']],
  ['destination=%23ops', ['x']],
  ['incident=42', ['x', 'page:1']],
  ['incident=7', []],
])('the log is filtered: %s', async (query, keys) => {
  expect(await list(query)).toEqual(keys);
});

test("what is about another team's incident is not shown", async () => {
  const other = await api.fixture.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'ops', 'Ops') returning id`,
    [api.orgId],
  );
  const { token } = await api.addPerson('ops@example.com', 'operator', other.rows[0].id);
  expect(await list('', token)).toEqual(['x', 'page:1']);
  const { body } = await api.ask('GET', `${base}?limit=1`, { token: api.tokens.viewer });
  expect((await api.ask('GET', `${base}/${body.items[0].id}`, { token })).status).toBe(404);
});

async function explain(query = 'status=sent') {
  const { body } = await api.ask('GET', `${base}?${query}`, { token: api.tokens.viewer });
  return await api.ask('GET', `${base}/${body.items[0].id}`, { token: api.tokens.viewer });
}

test("a message says why it was sent, by its workflow's own history", async () => {
  const asked: string[] = [];
  readOrigin = async (workflowId, key) => {
    asked.push(`${workflowId} ${key}`);
    return { workflowId, runId: 'r', eventId: 17, at: cause.at, cause: { ...cause, level: 2 } };
  };
  expect(await explain()).toMatchObject({
    status: 200,
    body: {
      status: 'sent',
      latencyMs: 140,
      incident: { number: 42, title: 'Checkout fails' },
      cause: { level: 2 },
      why: [
        expect.stringMatching(/^ana@example.com was paged because level 2 of the policy payments came due/),
      ],
      workflow: {
        id: `incident:${api.orgId}:42`,
        url: `http://temporal.example/incident:${api.orgId}:42`,
        event: { runId: 'r', id: 17, at: cause.at },
        note: null,
      },
    },
  });
  expect(asked).toEqual([`incident:${api.orgId}:42 incident:${incidentId}:page:1`]);
});

test('where a person was reached is shown to them and to Admins; others see who and by what', async () => {
  const ben = await api.addPerson('ben@example.com', 'operator', null);
  const cleo = await api.addPerson('admin-of-shop@example.com', 'admin', shopId);
  const told = { event: 'incident.opened', at: cause.at, method: 'email:home@private.example' };
  await api.write(async (tx) => {
    const entry: NotificationEntry = {
      orgId: api.orgId,
      key: 'consolidated:email:home@private.example:disk',
      type: 'escalation.page',
      incidentId,
      executionId: null,
      channel: 'email',
      destination: 'home@private.example',
      person: 'ben@example.com',
      subject: 'Checkout fails',
      cause: { ...told, instead: 'mail: 550 <other@private.example> is unknown' },
    };
    await beginNotification(tx, entry);
    const error = 'the mail server refuses mail to home@private.example: 550';
    await finishNotification(tx, { key: entry.key, status: 'failed', error, latencyMs: 1 });
  });
  const read = async (path: string, token: string) =>
    (await api.ask('GET', `${base}${path}`, { token })).body;
  const query = '?person=ben@example.com';
  const [{ id }] = (await read(query, ben.token)).items;
  for (const token of [api.tokens.viewer, cleo.token]) {
    const shown = JSON.stringify([await read(query, token), await read(`/${id}`, token)]);
    expect(shown).toContain('"destination":"ben@example.com, by mail"');
    expect(shown).toContain('refuses mail to (address): 550');
    expect(shown).not.toContain('private.example');
    expect((await read('?destination=home@private.example', token)).items).toEqual([]);
  }
  for (const token of [api.tokens.admin, ben.token]) {
    expect(await read(`/${id}`, token)).toMatchObject({
      destination: 'home@private.example',
      error: expect.stringContaining('home@private.example'),
      cause: { method: 'email:home@private.example' },
    });
    expect((await read('?destination=home@private.example', token)).items).toHaveLength(1);
  }
  readOrigin = async (workflowId) => ({
    workflowId,
    runId: 'r',
    eventId: 1,
    at: cause.at,
    cause: { ...told, instead: 'mail: 550 <other@private.example> is unknown' },
  });
  await api.fixture.owner.query(`update notifications set key = $1 where id = $2`, [
    `incident:${incidentId}:page:9`,
    id,
  ]);
  const explained = await read(`/${id}`, api.tokens.viewer);
  expect(explained.workflow.event).toMatchObject({ id: 1 });
  expect(JSON.stringify(explained)).not.toContain('private.example');
  await api.fixture.owner.query('delete from notifications where id = $1', [id]);
});

test('while Temporal is away the stored cause stands, and says so', async () => {
  readOrigin = async () => {
    throw new Error('connect ECONNREFUSED');
  };
  expect((await explain()).body).toMatchObject({
    cause: { level: 1 },
    why: [expect.stringContaining('level 1 of the policy payments')],
    workflow: { event: null, note: expect.stringContaining('does not answer now') },
  });
});

test('a message whose key names no workflow has none', async () => {
  expect((await explain('status=failed')).body).toMatchObject({ workflow: null, error: 'no such channel' });
});

test('a message that stands for others is seen by those who see some of them', async () => {
  const { owner } = api.fixture;
  const { rows } = await owner.query(
    `insert into notifications (org_id, key, type, channel, destination, subject, status)
     values ($1, 'many', 'notifications.consolidated', 'email', 'ana@example.com', 'Messages about Secret', 'sent')
     returning id`,
    [api.orgId],
  );
  await owner.query(`update notifications set consolidated_into = $1 where key = 'secret'`, [rows[0].id]);
  const { rows: parts } = await owner.query(
    `insert into notifications (org_id, key, type, channel, destination, person, subject, status, part_of)
     select $1, 'many' || part, 'notifications.consolidated', 'email', 'ana@example.com', 'ana@example.com', 'More', 'sent',
       $2 from unnest(array[':1:7', ':2:7:over']) as part returning id`,
    [api.orgId, rows[0].id],
  );
  const teams = await owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'web', 'Web') returning id`,
    [api.orgId],
  );
  const others = await api.addPerson('web@example.com', 'viewer', teams.rows[0].id);
  const own = await api.addPerson('shop@example.com', 'viewer', shopId);
  const one = `${base}/${rows[0].id}`;
  expect((await api.ask('GET', one, { token: others.token })).status).toBe(404);
  expect((await api.ask('GET', one, { token: own.token })).status).toBe(200);
  expect(await list('', others.token)).not.toContain('many');
  expect(await list('', own.token)).toContain('many');
  const later = ['2:7:over', ':1:7'].map((key) => expect.stringContaining(key.slice(-4)));
  for (const query of [
    'type=notifications.consolidated&person=ana@example.com',
    'destination=ana@example.com&limit=2',
  ]) {
    expect(await list(query, own.token)).toEqual(later);
    expect(await list(query, others.token)).toEqual(query.startsWith('type') ? [] : ['page:1']);
  }
  const why = async (id: number) => {
    const { body } = await api.ask('GET', `${base}/${id}`, { token: own.token });
    return [body.partOf, body.why[0]];
  };
  expect(await why(rows[0].id)).toEqual([null, expect.stringContaining('more than ten messages')]);
  expect(await why(parts[0].id)).toEqual([rows[0].id, expect.stringContaining('there was more to say')]);
  expect(await why(parts[1].id)).toEqual([rows[0].id, expect.stringContaining('is over')]);
});

test.each(['destination=%00', 'incident=3000000000'])('%s is refused', async (query) => {
  expect((await api.ask('GET', `${base}?${query}`, { token: api.tokens.viewer })).status).toBe(400);
});
