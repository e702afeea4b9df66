import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listAudit } from '../../db/audit.ts';
import { putChatSettings } from '../../db/chat-settings.ts';
import { putNotificationChannel } from '../../db/policies.ts';
import { saveRunbook } from '../../db/runbooks.ts';
import { linkIdentity } from '../../db/user-identities.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { type SlackAppDouble, type SlackUser, startSlackApp } from '../../test/harness/slack-app.ts';
import { RefusedError, TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { createSlackDesk } from './slack-desk.ts';

let slack: SlackAppDouble;
let api: TestApi;
let base: string;
let botless: string;
let approvalId: string;
let executionId: string;

const ana: SlackUser = { id: 'U0ANA', name: 'ana' };
const viewer: SlackUser = { id: 'U0VIEW', name: 'vera' };
const stranger: SlackUser = { id: 'U0NEW', name: 'new <!channel> & co' };

const source = `
name: restart-service
description: Restart a failing service
triggers:
  - alert_pattern: "ServiceDown*"
inputs:
  service_name: { description: Which one }
  size: { options: [small, large], default: small }
  token: { secret: true, default: s3cret-default }
execution:
  mode: semi_auto
steps:
  - name: Restart
    command: [systemctl, restart, "{{service_name}}"]
`;

beforeAll(async () => {
  slack = await startSlackApp();
  api = await createTestApi({ chat: slack.chat });
  const { orgId } = api;
  base = await addChannel('alerts', { token: slack.token, signingSecret: 'env:SLACK_SIGNING' });
  botless = await addChannel('hook', { signingSecret: slack.signingSecret });
  await api.addPerson('ana@example.com', 'operator');
  await link('ana@example.com', ana);
  await link('viewer@example.com', viewer);
  const parsed = parseRunbook(source, 'restart.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const another = { ...parsed.definition, name: 'another', triggers: [] };
  await api.write(async (tx) => {
    await saveRunbook(tx, { orgId, file: 'restart.yaml', source, definition: parsed.definition });
    await saveRunbook(tx, { orgId, file: 'another.yaml', source, definition: another });
  });
});
afterAll(async () => {
  await api.close();
  await slack.close();
});

beforeEach(async () => {
  api.messages.sent.length = 0;
  slack.modals.length = 0;
  await api.fixture.owner.query(
    `truncate incidents, alerts, executions, approvals, chat_messages, timeline cascade`,
  );
  await seed();
});

/** The address of a channel's app. */
async function addChannel(name: string, definition: object): Promise<string> {
  const { orgId } = api;
  await api.write((tx) =>
    putNotificationChannel(tx, {
      orgId,
      name,
      definition: { type: 'slack', channel: 'C0ALERTS', ...definition },
      actor: 'test',
    }),
  );
  const { rows } = await api.fixture.owner.query(`select id from notification_channels where name = $1`, [
    name,
  ]);
  return `${api.url}/api/v1/chat/slack/${rows[0].id}`;
}

async function link(email: string, { id, name }: SlackUser): Promise<void> {
  const { rows } = await api.fixture.owner.query(`select id from users where email = $1`, [email]);
  const person = { provider: 'slack', externalId: id, name, userId: rows[0].id } as const;
  await api.write((tx) => linkIdentity(tx, { orgId: api.orgId, ...person, actor: email, how: 'code' }));
}

async function seed(): Promise<void> {
  const { owner } = api.fixture;
  for (const [number, title, severity, service] of [
    [41, 'Disk <!channel> is full & slow', 'warning', 'storage'],
    [42, 'db-primary refuses connections', 'critical', 'checkout'],
  ]) {
    await owner.query(
      `insert into incidents (org_id, number, title, severity, severity_rank, service, status, recorded_seq)
       values ($1, $2, $3, $4, 0, $5, 'investigating', 7)`,
      [api.orgId, number, title, severity, service],
    );
  }
  await owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, incident_id)
     select org_id, $2, 'f' || number, 'firing', 'ServiceDown', 'critical', 0, 'checkout', '{}', '{}', now(), id
     from incidents where org_id = $1 and number = 42`,
    [api.orgId, api.integrationId],
  );
  executionId = randomUUID();
  approvalId = randomUUID();
  await owner.query(
    `insert into executions (org_id, id, runbook, runbook_version, incident_id, requested_by, mode, target, inputs,
       status, workflow_id)
     select org_id, $2, 'restart-service', 1, id, 'Holdfast', 'semi_auto', 'checkout', '{}', 'waiting', 'w'
     from incidents where org_id = $1 and number = 42`,
    [api.orgId, executionId],
  );
  await owner.query(
    `insert into approvals (org_id, id, execution_id, incident_id, runbook, requested_by, requested_at, expires_at,
       status, workflow_id)
     select org_id, $2, $3, id, 'restart-service', 'Holdfast', now(), now() + interval '1 hour', 'pending', 'w'
     from incidents where org_id = $1 and number = 42`,
    [api.orgId, approvalId, executionId],
  );
}

const acknowledgedBy = (email: string) =>
  api.fixture.owner.query(
    `update incidents set acknowledged_at = now(), acknowledged_by = $1, recorded_seq = 9 where number = 42`,
    [email],
  );
const ask = async (text: string, user = ana) => {
  const answered = await slack.command(`${base}/commands`, text, user);
  expect(answered.status).toBe(200);
  return answered.body;
};
const press = (action: string, value: object, user = ana, url = base) =>
  slack.press(`${url}/interactions`, { action_id: `holdfast.${action}`, value: JSON.stringify(value) }, user);
const shown = (message: object) => JSON.stringify(message);
const sent = () => api.messages.sent.map(({ method, args }) => [method, ...args.slice(1)]);
const history = async () =>
  (await api.fixture.owner.query(`select person, user_id, command, answer from chat_messages order by id`))
    .rows;
/** What follows an answer comes in its own time. */
const arrived = (what: () => unknown[], count: number) =>
  expect.poll(what, { interval: 10 }).toHaveLength(count);
const noProblems = () => expect(slack.problems).toEqual([]);

describe('a request', () => {
  it('is taken only with the signature of the app, over the bytes as they came, and fresh', async () => {
    const body = 'command=%2Fholdfast&text=help&user_id=U0ANA&response_url=https://hooks.slack.com/x';
    const url = `${base}/commands`;
    const now = Math.floor(Date.now() / 1000);
    expect(await slack.send(url, body)).toMatchObject({ status: 200 });
    expect(await slack.send(url, body, { secret: 'another' })).toMatchObject({ status: 401 });
    expect(await slack.send(url, body, { timestamp: now - 400 })).toMatchObject({ status: 401 });
    expect(await slack.send(url, body, { timestamp: now + 400 })).toMatchObject({ status: 401 });
    const unsigned = await fetch(url, { method: 'POST', body });
    expect(unsigned.status).toBe(401);
    expect(await unsigned.json()).toMatchObject({ detail: expect.stringContaining('X-Slack-Signature') });
    expect(await slack.send(`${api.url}/api/v1/chat/slack/${randomUUID()}/commands`, body)).toMatchObject({
      status: 404,
    });
    const unset = await addChannel('unset', { token: slack.token });
    expect(await slack.send(`${unset}/commands`, body)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("'unset' has no signing secret") },
    });
  });

  it('that is delivered again is done once', async () => {
    await ask('ack 42');
    const again = await slack.again();
    expect(again).toMatchObject({ status: 200, body: '' });
    expect(sent()).toHaveLength(1);
    expect(await history()).toHaveLength(1);
    noProblems();
  });

  it('is refused by the name of the field where it is none of Slack', async () => {
    const answer = await slack.send(`${base}/interactions`, 'payload=%7B%7D');
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'payload.type' }] } });
  });

  it('that needs nothing done is answered with nothing', async () => {
    for (const payload of [{ type: 'view_closed' }, { type: 'shortcut' }]) {
      const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
      expect(await slack.send(`${base}/interactions`, body)).toEqual({ status: 200, body: '' });
    }
    expect(await press('view', {})).toMatchObject({ status: 200, body: '' });
    expect(await history()).toEqual([]);
  });
});

describe('a command', () => {
  it('lists open incidents, the worst first, for the eyes of whoever asked', async () => {
    const answer = await ask('incidents');
    expect(answer.response_type).toBe('ephemeral');
    const text = shown(answer);
    expect(text).toContain('2 open incidents');
    expect(text.indexOf('#42')).toBeLessThan(text.indexOf('#41'));
    expect(text).toContain('Disk &lt;!channel&gt; is full &amp; slow');
    expect(shown(await ask('incidents warning'))).not.toContain('db-primary');
    await acknowledgedBy('ana@example.com');
    expect(shown(await ask('incidents mine'))).toContain('1 open incident (mine)');
    expect(shown(await ask('incidents team red'))).toContain("there is no team 'red'");
    noProblems();
  });

  it('shows an incident with its sentence, its buttons and what waits', async () => {
    const answer = await ask('alert 42');
    const text = shown(answer);
    expect(text).toContain('*checkout* has been failing since <!date^');
    expect(text).toContain('restart-service');
    const ids = answer.blocks.flatMap((block: { elements?: { action_id?: string }[] }) =>
      (block.elements ?? []).flatMap(({ action_id }) => action_id ?? []),
    );
    expect(ids).toEqual([
      'holdfast.approve',
      'holdfast.reject',
      'holdfast.acknowledge',
      'holdfast.view',
      'holdfast.run',
      'holdfast.false_positive',
    ]);
    expect(shown(await ask('alert 7'))).toContain('there is no incident 7');
    noProblems();
  });

  it('acts in the name of the person, and stands in the audit log with how it came', async () => {
    expect(shown(await ask('ack 42 on <it>'))).toContain('Incident #42 is yours');
    expect(sent()).toEqual([
      ['acknowledge', 42, { actor: { name: 'ana@example.com', via: 'slack' }, asOf: 7, note: 'on <it>' }],
    ]);
    const { items } = await api.write((tx) => listAudit(tx, { limit: 1 }));
    expect(items[0]).toMatchObject({
      actor: 'ana@example.com',
      action: 'chat.acknowledged',
      subject: 'incident:42',
      data: { via: 'slack', channel: 'alerts' },
    });
    expect(await history()).toMatchObject(
      [{ person: 'ana@example.com', command: 'ack 42 on <it>', answer: /yours/ as unknown }].map((row) => ({
        ...row,
        answer: expect.stringContaining('Incident #42 is yours'),
      })),
    );
    noProblems();
  });

  it('votes with the role of the person, by the incident or the execution', async () => {
    await ask('approve 42 looks right');
    await ask(`reject ${executionId}`);
    expect(sent()).toEqual([
      [
        'approve',
        executionId,
        {
          actor: { name: 'ana@example.com', via: 'slack', role: 'operator', teams: [] },
          approvalId,
          reason: 'looks right',
        },
      ],
      ['reject', executionId, expect.objectContaining({ approvalId })],
    ]);
    expect(shown(await ask('approve 41'))).toContain('nothing of incident 41 waits for approval');
    noProblems();
  });

  it('runs a runbook, and says what its inputs lack; a secret does not stand in chat', async () => {
    expect(shown(await ask('run restart-service on 42 size=large'))).toContain('is on its way');
    expect(sent().map(([method]) => method)).toEqual(['startExecution']);
    expect(shown(await ask('run restart-service size=huge service_name=x'))).toContain('size');
    expect(shown(await ask('run restart-service on 42 token=hunter2'))).toContain('token: is secret');
    expect(shown(await ask('run nothing'))).toContain("there is no runbook 'nothing'");
    expect((await history()).map(({ command }) => command)).toContain('run restart-service on 42 token=…');
    expect(shown(await history())).not.toContain('hunter2');
    noProblems();
  });

  it('is refused privately, with the reason and the remedy', async () => {
    const answer = await ask('ack 42', viewer);
    expect(answer.response_type).toBe('ephemeral');
    expect(shown(answer)).toContain('this needs the role operator; viewer@example.com has viewer here');
    expect(shown(answer)).toContain('Ask an Owner');
    api.messages.next(new RefusedError('already acknowledged by ben@example.com'));
    expect(shown(await ask('ack 42'))).toContain('already acknowledged by ben@example.com');
    api.messages.next(new TemporalUnavailableError('Temporal does not answer'));
    expect(shown(await ask('resolve 42'))).toContain('Nothing was lost');
    expect(shown(await ask('akc 42'))).toContain('Did you mean `ack`?');
    noProblems();
  });

  it('that takes longer is answered at once, and the answer follows', async () => {
    const gate = Promise.withResolvers<void>();
    const { acknowledge } = api.messages;
    api.messages.acknowledge = async (...args) => {
      await gate.promise;
      return await acknowledge(...args);
    };
    const desk = createSlackDesk({
      db: api.fixture.db,
      messages: api.messages,
      slack: slack.chat.slack,
      publicUrl: 'http://holdfast.example',
      log: { error: (detail) => slack.problems.push(JSON.stringify(detail)) },
      clock: Date.now,
      patienceMs: 0,
    });
    try {
      const { body, replies } = slack.commandBody('ack 42', ana);
      const app = { orgId: api.orgId, channel: 'alerts', token: slack.token };
      const request = { app, headers: {}, body: Buffer.from(body), arrivedAt: Date.now() };
      expect(shown((await desk.command(request)) as object)).toContain('On it: the answer follows.');
      gate.resolve();
      await arrived(() => replies, 1);
      expect(shown(replies[0])).toContain('Incident #42 is yours');
      expect(replies[0]).toMatchObject({ response_type: 'ephemeral', replace_original: false });
    } finally {
      api.messages.acknowledge = acknowledge;
    }
    noProblems();
  });

  it('says who is on call, and helps, also those whom nobody knows', async () => {
    expect(shown(await ask('oncall'))).toContain('There is no on-call schedule');
    expect(shown(await ask('', stranger))).toContain('What you can ask');
    noProblems();
  });
});

describe('who speaks', () => {
  it('is told how to say who they are, and then acts as that person', async () => {
    const text = shown(await ask('ack 42', stranger));
    const code = /\/chat\/link\/([\w-]+)/.exec(text)?.[1];
    expect(code).toBeTruthy();
    expect(sent()).toEqual([]);
    expect((await history())[0]).toMatchObject({ person: stranger.name, user_id: null });
    const { token } = await api.addPerson('new@example.com', 'operator');
    const identities = '/api/v1/chat/identities';
    const connect = () => api.ask('POST', identities, { token, body: { code } });
    expect(await connect()).toMatchObject({
      status: 201,
      body: { provider: 'slack', externalId: stranger.id },
    });
    expect(await connect()).toMatchObject({ status: 409 });
    expect((await api.ask('GET', identities, { token })).body.items).toMatchObject([{ name: stranger.name }]);
    expect(shown(await ask('ack 42', stranger))).toContain('is yours');
    expect(sent()).toMatchObject([['acknowledge', 42, { actor: { name: 'new@example.com' } }]]);
    const mine = `${identities}/slack/${stranger.id}`;
    expect((await api.ask('DELETE', mine, { token: api.tokens.admin })).status).toBe(404);
    expect((await api.ask('DELETE', mine, { token })).status).toBe(204);
    expect(shown(await ask('ack 42', stranger))).toContain('/chat/link/');
    noProblems();
  });

  it('is known by the mail address that Slack has confirmed, where an Admin allows that', async () => {
    await api.addPerson('ben@example.com', 'operator');
    const ben = { id: 'U0BEN', name: 'ben', email: 'Ben@example.com' };
    slack.users.set(ben.id, ben);
    expect(shown(await ask('ack 42', ben))).toContain('/chat/link/');
    const allow = (linkByEmail: boolean) =>
      api.write((tx) => putChatSettings(tx, { orgId: api.orgId, settings: { linkByEmail }, actor: 'test' }));
    await allow(true);
    slack.users.set(ben.id, { ...ben, emailConfirmed: false });
    expect(shown(await ask('ack 42', ben))).toContain('/chat/link/');
    slack.users.set(ben.id, ben);
    expect(shown(await ask('ack 42', ben))).toContain('is yours');
    await allow(false);
    // linked for good
    await ask('resolve 42', ben);
    expect(sent().map(([method, , args]) => [method, (args as { actor: object }).actor])).toEqual([
      ['acknowledge', { name: 'ben@example.com', via: 'slack' }],
      ['resolve', { name: 'ben@example.com', via: 'slack' }],
    ]);
    noProblems();
  });

  it('does nothing from another workspace, or once disabled', async () => {
    const guest = await press('acknowledge', { number: 42 }, { ...ana, teamId: 'T0OTHER' });
    await arrived(() => guest.replies, 1);
    expect(shown(guest.replies)).toContain('other workspaces');
    await api.addPerson('gone@example.com', 'admin');
    const gone = { id: 'U0GONE', name: 'gone' };
    await link('gone@example.com', gone);
    await api.fixture.owner.query(`update users set disabled_at = now() where email = 'gone@example.com'`);
    expect(shown(await ask('ack 42', gone))).toContain('gone@example.com is disabled');
    expect(sent()).toEqual([]);
    noProblems();
  });
});

describe('a button', () => {
  it('acknowledges as of what its message said, and the message says how things stand', async () => {
    const answered = await press('acknowledge', { number: 42, asOf: 5, opening: 1 });
    expect(answered).toMatchObject({ status: 200, body: '' });
    await arrived(() => answered.replies, 2);
    expect(sent()).toEqual([
      ['acknowledge', 42, { actor: { name: 'ana@example.com', via: 'slack' }, asOf: 5, opening: 1 }],
    ]);
    expect(answered.replies[0]).toMatchObject({ replace_original: true });
    expect(shown(answered.replies[1])).toContain('is yours');
    noProblems();
  });

  it('of a message that is out of date changes nothing, says so privately and mends the message', async () => {
    await acknowledgedBy('ben@example.com');
    api.messages.next(new RefusedError('already acknowledged by ben@example.com'));
    const late = await press('acknowledge', { number: 42, asOf: 5, opening: 1 });
    await arrived(() => late.replies, 2);
    expect(shown(late.replies[0])).toContain('ben@example.com* acknowledged it');
    expect(shown(late.replies[0])).not.toContain('holdfast.acknowledge');
    expect(late.replies[1]).toMatchObject({ response_type: 'ephemeral' });
    expect(shown(late.replies[1])).toContain('Nothing was changed: already acknowledged by ben@example.com');

    api.messages.sent.length = 0;
    await api.fixture.owner.query(`update incidents set opening = 2 where number = 42`);
    const former = await press('false_positive', { number: 42, asOf: 5, opening: 1 });
    await arrived(() => former.replies, 2);
    expect(shown(former.replies[1])).toContain('has opened again since that message');
    await api.fixture.owner.query(`update incidents set resolved_at = now() where number = 42`);
    const over = await press('acknowledge', { number: 42, asOf: 5, opening: 2 });
    await arrived(() => over.replies, 2);
    expect(shown(over.replies[1])).toContain('Too late: incident #42 is over');
    expect(sent()).toEqual([]);
    noProblems();
  });

  it('asks once before it closes an incident as a false positive', async () => {
    const url = `${base}/interactions`;
    await press('false_positive', { number: 42, asOf: 5, opening: 1 });
    await arrived(() => slack.modals, 1);
    expect(sent()).toEqual([]);
    await slack.submit(url, slack.modals[0], { reason: 'a test' }, ana);
    expect(sent()).toEqual([
      [
        'resolve',
        42,
        {
          actor: { name: 'ana@example.com', via: 'slack' },
          asOf: 5,
          opening: 1,
          note: 'a test',
          falsePositive: true,
        },
      ],
    ]);
    noProblems();
  });

  it('asks for the reason in a form before a vote counts', async () => {
    await press('reject', { approvalId, executionId });
    await arrived(() => slack.modals, 1);
    expect(sent()).toEqual([]);
    const url = `${base}/interactions`;
    const done = await slack.submit(url, slack.modals[0], { reason: 'not during the sale' }, ana);
    expect(done.body).toMatchObject({ response_action: 'update' });
    expect(sent()).toEqual([
      ['reject', executionId, expect.objectContaining({ approvalId, reason: 'not during the sale' })],
    ]);
    api.messages.next(new RefusedError('you have voted already'));
    const again = await slack.submit(url, slack.modals[0], {}, ana);
    expect(again.body).toEqual({
      response_action: 'errors',
      errors: { reason: 'Not done: you have voted already.' },
    });
    noProblems();
  });

  it('runs a runbook that is chosen, with its inputs, secret ones left out', async () => {
    const url = `${base}/interactions`;
    await press('run', { number: 42, asOf: 7, opening: 1 });
    await arrived(() => slack.modals, 1);
    const options = slack.modals[0].blocks[1].element.options;
    expect(options.map(({ value }: { value: string }) => value)).toEqual(['restart-service', 'another']);
    const chosen = await slack.submit(url, slack.modals[0], { runbook: 'restart-service' }, ana);
    expect(chosen.body.response_action).toBe('update');
    const form = chosen.body.view;
    expect(shown(form)).toContain('input.service_name');
    expect(shown(form)).not.toContain('input.token');
    const wrong = await slack.submit(url, form, { 'input.service_name': '-rf' }, ana);
    expect(wrong.body).toMatchObject({
      response_action: 'errors',
      errors: { 'input.service_name': expect.stringContaining('service_name') },
    });
    const done = await slack.submit(url, form, { 'input.size': 'large' }, ana);
    expect(shown(done.body)).toContain('is on its way');
    expect(sent().map(([method]) => method)).toEqual(['startExecution']);
    const { rows } = await api.fixture.owner.query(
      `select inputs, requested_by from executions where id <> $1`,
      [executionId],
    );
    expect(rows).toMatchObject([
      { requested_by: 'ana@example.com', inputs: { service_name: 'checkout', size: 'large' } },
    ]);
    noProblems();
  });

  it('without a bot leads to the page where a form would open', async () => {
    const answered = await press('approve', { approvalId, executionId }, ana, botless);
    await arrived(() => answered.replies, 1);
    expect(shown(answered.replies)).toContain(`/approvals/${approvalId}`);
    expect(slack.modals).toEqual([]);
    noProblems();
  });

  it('grants nothing by what it carries', async () => {
    const answered = await press('approve', { approvalId, executionId }, viewer);
    await arrived(() => answered.replies, 1);
    expect(shown(answered.replies)).toContain('this needs the role operator');
    const url = `${base}/interactions`;
    await press('approve', { approvalId, executionId });
    await arrived(() => slack.modals, 1);
    const stolen = await slack.submit(url, slack.modals[0], {}, viewer);
    expect(shown(stolen.body)).toContain('this needs the role operator');
    expect(sent()).toEqual([]);
    noProblems();
  });
});

describe('the history', () => {
  it('is read and cleared by everybody for themselves, by Admins for all', async () => {
    await ask('ack 42');
    await ask('incidents', viewer);
    const get = (query: string, token: string) => api.ask('GET', `/api/v1/chat/messages${query}`, { token });
    const { viewer: mine, admin } = api.tokens;
    expect((await get('', mine)).body.items).toMatchObject([
      { person: 'viewer@example.com', command: 'incidents', provider: 'slack', conversation: 'alerts' },
    ]);
    expect(await get('?whose=all', mine)).toMatchObject({ status: 403 });
    const all = await get('?whose=all&limit=1', admin);
    expect(all.body.items).toMatchObject([{ command: 'incidents' }]);
    const next = await get(`?whose=all&limit=1&cursor=${all.body.nextCursor}`, admin);
    expect(next.body).toMatchObject({ items: [{ command: 'ack 42' }], nextCursor: null });
    expect((await get('?whose=all&q=IS YOURS', admin)).body.items).toMatchObject([{ command: 'ack 42' }]);
    expect((await get('?whose=all&q=%25', admin)).body.items).toEqual([]);
    const clear = (query: string, token: string) =>
      api.ask('DELETE', `/api/v1/chat/messages${query}`, { token });
    expect((await clear('?whose=all', mine)).status).toBe(403);
    expect((await clear('', mine)).body).toEqual({ cleared: 1 });
    expect((await clear('?whose=all', admin)).body).toEqual({ cleared: 1 });
    expect((await api.write((tx) => listAudit(tx, { limit: 1 }))).items[0]).toMatchObject({
      action: 'chat_history.cleared',
    });
  });
});

describe('the settings', () => {
  it('name channels of chat, and refuse others by their field', async () => {
    const put = (body: object, token = api.tokens.admin) =>
      api.ask('PUT', '/api/v1/chat/settings', { token, body });
    expect((await put({ summaries: { alerts: ['day', 'week'] } })).status).toBe(200);
    const read = await api.ask('GET', '/api/v1/chat/settings', { token: api.tokens.viewer });
    expect(read.body).toEqual({ summaries: { alerts: ['day', 'week'] } });
    expect(await put({ summaries: { nowhere: ['day'] } })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'summaries.nowhere' }] },
    });
    expect((await put({}, api.tokens.operator)).status).toBe(403);
    expect((await put({})).status).toBe(200);
  });
});
