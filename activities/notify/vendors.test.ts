import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import nodemailer from 'nodemailer';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { verifyLink } from '../../db/signed-links.ts';
import { slackActionValue } from '../../domain/chat/slack-actions.ts';
import type { NotifyInput, NotifyOutcome } from '../../domain/notification.ts';
import { hourMs } from '../../domain/notification-limits.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { type PagerDutyDouble, startPagerDutyDouble } from '../../test/harness/pagerduty-double.ts';
import { type SlackDouble, startSlackDouble } from '../../test/harness/slack-double.ts';
import { saidBy, startTeamsDouble, type TeamsDouble } from '../../test/harness/teams-double.ts';
import { type SmtpReceiver, startSmtp } from '../../test/parts/smtp.ts';
import type { Consolidation } from '../../workflows/messages.ts';
import { followUps } from '../announce-followers.ts';
import { webhookDispatcher } from '../channels/dispatcher.ts';
import { mailTransportOptions } from '../channels/email.ts';
import { createNotifyActivities, type NotifyActivities } from '../notify.ts';
import { createSecretSource } from '../secrets/create-secret-source.ts';
import { createHiddenValues } from '../secrets/hidden-values.ts';
import { paceMs } from './destination.ts';

const botToken = 'xoxb-token-of-the-bot';
const routingKey = 'r'.repeat(32);
let database: TestDatabase;
let slack: SlackDouble;
let pagerduty: PagerDutyDouble;
let teams: TeamsDouble;
let smtp: SmtpReceiver;
let activities: NotifyActivities;
let held: Consolidation[];
let incident: { id: string; number: number };
const dispatcher = webhookDispatcher({ egressAllow: [] });
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  slack = await startSlackDouble({ token: botToken, conversations: ['C0OPS', 'C0SRE', 'C0OLD'] });
  pagerduty = await startPagerDutyDouble({ routingKey });
  teams = await startTeamsDouble();
  smtp = await startSmtp();
  const mail = nodemailer.createTransport(mailTransportOptions(smtp.url));
  activities = createNotifyActivities({
    db: database.db,
    mail,
    mailFrom: 'Holdfast <holdfast@ops.example>',
    dispatcher,
    hidden: createHiddenValues({
      secrets: createSecretSource({ environment: { HOLDFAST_SECRET_SLACK: botToken }, ssm: {} }),
      ownsEnvironment: async () => true,
    }),
    slackApiUrl: slack.apiUrl,
    pagerDutyApiUrl: pagerduty.url,
    publicUrl: 'https://holdfast.example',
    timeZone: 'UTC',
    startConsolidation: async (consolidation) => void held.push(consolidation),
    clock: Date.now,
  });
  closing.push(
    async () => mail.close(),
    () => dispatcher.close(),
    () => slack.close(),
    () => pagerduty.close(),
    () => teams.close(),
    () => smtp.close(),
    () => database.close(),
  );
  const bot = { type: 'slack', token: 'env:SLACK', signingSecret: 'signing-secret' };
  await seedChannel('ops', { ...bot, channel: 'C0OPS' });
  await seedChannel('sre', { ...bot, channel: 'C0SRE' });
  await seedChannel('hooked', { type: 'slack', webhookUrl: slack.webhookUrl });
  await seedChannel('pd', { type: 'pagerduty', routingKey });
  await seedChannel('team', { type: 'teams', webhookUrl: teams.webhookUrl });
});
afterAll(async () => {
  for (const close of closing) await close();
});
beforeEach(async () => {
  held = [];
  slack.askForPatience = undefined;
  await patienceIsOver();
  incident = await seedIncident();
});

async function seedChannel(name: string, definition: object): Promise<void> {
  await database.owner.query(
    'insert into notification_channels (org_id, name, definition) values ($1, $2, $3)',
    [database.orgId, name, definition],
  );
}

let numbers = 100;
async function seedIncident(title = 'db-primary refuses connections') {
  const number = ++numbers;
  const { rows } = await database.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, service, alert_count, firing_count)
     values ($1, $2, $3, 'critical', 0, 'checkout', 1, 1) returning id`,
    [database.orgId, number, title],
  );
  return { id: rows[0].id as string, number };
}

/** As many alerts as a message tells of, with labels and texts that are made to do harm. */
async function seedAlerts(text: string): Promise<void> {
  await database.owner.query(
    `with i as (
       insert into integrations (org_id, kind, name, key_hash) values ($1, 'alertmanager', $2, convert_to($2, 'utf8')) returning id)
     insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels, annotations, starts_at, incident_id)
     select $1, i.id, 'f' || n, 'firing', $4, 'critical', 0, 'checkout', '{}', jsonb_build_object('summary', repeat($4, 500)), now(), $3
     from i, generate_series(1, 30) n`,
    [database.orgId, randomUUID(), incident.id, text],
  );
}

const change = (set: string) =>
  database.owner.query(`update incidents set ${set} where id = $1`, [incident.id]);

/** As time alone would have it. */
async function patienceIsOver(): Promise<void> {
  await database.owner.query('delete from destinations');
}

/** Of the one destination that was told something. */
async function nextTurnIn(time: string): Promise<Date> {
  const { rows } = await database.owner.query(
    'update destinations set free_at = clock_timestamp() + $1::interval returning free_at',
    [time],
  );
  return rows[0].free_at;
}

const message = (channel: string, given: Partial<NotifyInput> = {}): NotifyInput => ({
  orgId: database.orgId,
  key: randomUUID(),
  type: 'escalation.page',
  incidentId: incident.id,
  target: { type: 'channel', name: channel },
  detail: {},
  ...given,
});

/** One attempt, as Temporal makes it; its turn has come. */
async function tell(input: NotifyInput): Promise<NotifyOutcome> {
  await patienceIsOver();
  return await attempt(input);
}

async function attempt(input: NotifyInput): Promise<NotifyOutcome> {
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return await environment.run(activities.notify, input);
}

async function failureOf(attempting: Promise<unknown>): Promise<ApplicationFailure> {
  const failure = await attempting.then(() => undefined).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  return failure as ApplicationFailure;
}

async function logged(key: string) {
  const { rows } = await database.owner.query('select * from notifications where key = $1', [key]);
  return rows[0];
}

async function channelRow(name: string) {
  const { rows } = await database.owner.query('select * from notification_channels where name = $1', [name]);
  return rows[0];
}

test('Slack gets one message about an incident, which changes; what must be seen is a reply in its thread', async () => {
  await tell(message('ops', { type: 'incident.opened' }));
  const [first] = slack.messages('C0OPS');
  expect(first?.said).toContain('db-primary refuses connections');
  await tell(message('ops', { detail: { level: 2 } }));
  await change(`acknowledged_at = now(), acknowledged_by = 'ben@example.com'`);
  await tell(message('ops', { type: 'incident.acknowledged' }));
  await change(`resolved_at = now(), resolved_by = 'ben@example.com', status = 'resolved'`);
  await tell(message('ops', { type: 'incident.resolved' }));
  const [top, page, ...more] = slack.messages('C0OPS');
  expect(more).toEqual([]);
  expect(top).toMatchObject({ ts: first?.ts, under: null, changes: 3 });
  expect(top?.said).toMatch(/Resolved after .* by ben@example.com/);
  expect(page).toMatchObject({ under: first?.ts, broadcast: true, changes: 0 });
  expect(page?.said).toContain('nobody has acknowledged it yet');
});

test('its buttons say what they act on as of what the reader saw, and are gone when there is nothing to do', async () => {
  await change('recorded_seq = 12, opening = 2');
  await tell(message('sre'));
  const buttons = () =>
    slack
      .messages('C0SRE')
      .at(-1)
      ?.blocks.filter(({ type }) => type === 'actions')
      .flatMap(({ elements }) => elements as { action_id: string; value?: string; url?: string }[]);
  const [acknowledge] = buttons() ?? [];
  expect(acknowledge?.action_id).toBe('holdfast.acknowledge');
  expect(slackActionValue.parse(JSON.parse(acknowledge?.value ?? ''))).toEqual({
    number: incident.number,
    asOf: 12,
    opening: 2,
  });
  await change(`resolved_at = now(), status = 'resolved'`);
  await tell(message('sre', { type: 'incident.resolved' }));
  expect(buttons()).toMatchObject([
    { action_id: 'holdfast.view', url: `https://holdfast.example/incidents/${incident.number}` },
  ]);
});

test('a message that somebody deleted is posted anew', async () => {
  await tell(message('sre', { type: 'incident.opened' }));
  const before = slack.messages('C0SRE').at(-1);
  slack.remove(before!);
  await change(`acknowledged_at = now(), acknowledged_by = 'ben@example.com'`);
  await tell(message('sre', { type: 'incident.acknowledged' }));
  expect(slack.messages('C0SRE').at(-1)).toMatchObject({ under: null, changes: 0 });
});

test('a page goes to where the channel leads now when the conversation of before is archived', async () => {
  const bot = { type: 'slack', token: 'env:SLACK' };
  await seedChannel('moved', { ...bot, channel: 'C0OLD' });
  await tell(message('moved', { type: 'incident.opened' }));
  expect(slack.messages('C0OLD')).toHaveLength(1);
  slack.archive('C0OLD');
  await database.owner.query(`update notification_channels set definition = $1 where name = 'moved'`, [
    { ...bot, channel: 'C0SRE' },
  ]);
  expect(await tell(message('moved'))).toMatchObject({ status: 'sent' });
  expect(slack.messages('C0SRE').at(-1)).toMatchObject({ under: null, changes: 0 });
});

test('nothing from outside is a mention or a link in Slack, however long it is', async () => {
  incident = await seedIncident(`<!channel> <@U123> <https://bad.example|click> ${'&'.repeat(6000)}`);
  await seedAlerts('<!here>');
  await tell(message('hooked'));
  const posted = slack.messages('webhook').at(-1);
  expect(posted?.said).toContain('&lt;!channel&gt;');
  expect(posted?.said).not.toMatch(/<(?!https:\/\/holdfast\.example\/)/);
  // without a signing secret nothing that is pressed could come back
  expect(JSON.stringify(posted?.blocks)).not.toContain('holdfast.acknowledge');
});

test('a person is told by a direct message of the bot once it is known who they are there', async () => {
  await database.owner.query(
    `insert into users (org_id, email, name) values ($1, 'ana@example.com', 'Ana')`,
    [database.orgId],
  );
  const contact = {
    type: 'contact',
    email: 'ana@example.com',
    method: { type: 'slack', channel: 'ops' },
  } as const;
  expect(await failureOf(tell(message('', { target: contact })))).toMatchObject({
    type: 'UnknownSlackUser',
    nonRetryable: true,
  });
  await database.owner.query(
    `insert into user_identities (org_id, user_id, provider, external_id)
     select $1, id, 'slack', 'UANA' from users where email = 'ana@example.com'`,
    [database.orgId],
  );
  const direct = message('', { target: contact });
  expect(await tell(direct)).toEqual({ status: 'sent', destination: 'ana@example.com, by Slack' });
  expect(slack.messages('DUANA')).toHaveLength(1);
  expect(await logged(direct.key)).toMatchObject({ person: 'ana@example.com', channel: 'slack' });
});

test('a Slack that asks for patience gets nothing until then, and no other destination waits for it', async () => {
  slack.askForPatience = 60;
  const first = message('ops');
  expect(await failureOf(tell(first))).toMatchObject({ type: 'RateLimited', nextRetryDelay: 60_000 });
  const { length } = slack.calls;
  slack.askForPatience = undefined;
  const busy = await failureOf(attempt(message('ops')));
  expect(busy).toMatchObject({ type: 'DestinationBusy', nonRetryable: false });
  expect(Number(busy.nextRetryDelay)).toBeGreaterThan(55_000);
  expect(slack.calls).toHaveLength(length);
  expect(await attempt(message('sre'))).toMatchObject({ status: 'sent' });
  expect(await channelRow('ops')).toMatchObject({ error: expect.stringContaining('429') });
  await tell(first);
  expect(await channelRow('ops')).toMatchObject({ error: null, health: expect.stringContaining('ok') });
});

test('a conversation takes one message a second: the next has its turn then, the one after that comes again', async () => {
  await attempt(message('ops'));
  const began = performance.now();
  const turn = await nextTurnIn('900 ms');
  await attempt(message('ops'));
  expect(performance.now() - began).toBeGreaterThan(850);
  const next = await database.owner.query('select free_at from destinations');
  expect(next.rows[0].free_at.getTime()).toBeGreaterThanOrEqual(turn.getTime() + 1000);
  await nextTurnIn('30 s');
  expect(await failureOf(attempt(message('ops')))).toMatchObject({ type: 'DestinationBusy' });
});

test('no destination gets more than its vendor documents that it takes', () => {
  expect(60_000 / paceMs.pagerduty).toBeLessThanOrEqual(120);
  expect(30_000 / paceMs.teams).toBeLessThanOrEqual(60);
  expect(1000 / paceMs.slack).toBeLessThanOrEqual(1);
});

test('who answers while a page waits for its turn is not paged any more', async () => {
  await attempt(message('ops'));
  await nextTurnIn('1 s');
  const waiting = attempt(message('ops', { key: 'waits' }));
  await expect.poll(() => logged('waits'), { interval: 10 }).toBeDefined();
  await change(`acknowledged_at = now(), acknowledged_by = 'ben@example.com'`);
  expect(await waiting).toMatchObject({
    status: 'skipped',
    reason: expect.stringContaining('ben@example.com'),
  });
  expect(await logged('waits')).toMatchObject({ status: 'skipped' });
});

test('the line of a rule stands above what it tells of, as text', async () => {
  await tell(
    message('sre', { type: 'incident.opened', detail: { rule: 'shop', note: 'Call <!here> of the shop.' } }),
  );
  expect(slack.messages('C0SRE').at(-1)?.said).toContain('Call &lt;!here&gt; of the shop.');
});

test('a token that is wrong, or not where it is said to be, is told in words that help', async () => {
  await seedChannel('wrong', { type: 'slack', token: 'xoxb-another', channel: 'C0OPS' });
  expect(await failureOf(tell(message('wrong')))).toMatchObject({
    type: 'SlackRefused',
    nonRetryable: true,
    message: "Slack refuses the message: invalid_auth. Check the channel's token.",
  });
  await seedChannel('absent', { type: 'slack', token: 'env:ABSENT', channel: 'C0OPS' });
  const failure = await failureOf(tell(message('absent')));
  expect(failure).toMatchObject({ type: 'SecretUnavailable', nonRetryable: false });
  expect(failure.message).toContain('HOLDFAST_SECRET_ABSENT is not set');
  expect(await channelRow('absent')).toMatchObject({ error: failure.message });
});

test('PagerDuty has one incident for one of ours, acknowledged and resolved with it', async () => {
  const key = `holdfast:incident:${incident.id}`;
  await tell(message('pd'));
  await tell(message('pd', { detail: { level: 2 } }));
  expect(pagerduty.incidents.get(key)).toMatchObject({ status: 'triggered', alerts: 2 });
  expect(pagerduty.events[0]).toMatchObject({
    event_action: 'trigger',
    payload: { severity: 'critical', source: 'checkout', component: 'checkout' },
    client_url: `https://holdfast.example/incidents/${incident.number}`,
  });
  await change(`acknowledged_at = now(), acknowledged_by = 'ben@example.com'`);
  await tell(message('pd', { type: 'incident.acknowledged' }));
  expect(pagerduty.incidents.get(key)?.status).toBe('acknowledged');
  await change(`resolved_at = now(), status = 'resolved'`);
  await tell(message('pd', { type: 'incident.resolved' }));
  expect(pagerduty.incidents.get(key)?.status).toBe('resolved');
});

test('a test of a channel does not keep paging at PagerDuty', async () => {
  await tell(
    message('pd', {
      type: 'channel.test',
      incidentId: undefined!,
      detail: { requestedBy: 'ana@example.com' },
    }),
  );
  expect(pagerduty.events.slice(-2).map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve']);
});

/** What the buttons of the newest card do by their links, by their titles. */
async function linksOfCard() {
  const links = (teams.cards.at(-1)?.actions ?? []).filter(({ url }) => url.includes('/l/'));
  const grants = links.map(
    async ({ title, url }) => [title, await verifyLink(database.db, url.split('/l/')[1] ?? '')] as const,
  );
  return Object.fromEntries(await Promise.all(grants));
}

test('Teams gets a card whose buttons are links, and approves nothing in the name of many', async () => {
  await change('recorded_seq = 12, opening = 2');
  await tell(message('team'));
  expect(saidBy(teams.cards.at(-1)!)).toContain('db-primary refuses connections');
  const subject = { incidentNumber: incident.number, asOf: 12, opening: 2 };
  const person = 'somebody in team (Microsoft Teams)';
  expect(await linksOfCard()).toMatchObject({
    Acknowledge: { action: 'acknowledge', person, subject },
    'Run a runbook': { action: 'run', person, subject },
    'False positive': { action: 'false_positive', person, subject },
  });
  const nonces = Object.values(await linksOfCard()).map((grant) => 'nonce' in grant && grant.nonce);
  expect(new Set(nonces).size).toBe(3);

  await change(`acknowledged_at = now(), acknowledged_by = 'ben@example.com'`);
  await tell(message('team', { type: 'incident.acknowledged' }));
  expect(Object.keys(await linksOfCard())).toEqual(['Run a runbook', 'False positive']);
  await change(`resolved_at = now(), status = 'resolved'`);
  await tell(message('team', { type: 'incident.resolved' }));
  expect(await linksOfCard()).toEqual({});
});

test('a mail has the link to acknowledge alone', async () => {
  const before = smtp.mails.length;
  await tell(message('', { target: { type: 'email', address: 'ben@example.com' } }));
  const links = smtp.mails[before]?.email.text?.match(/holdfast\.example\/l\//g);
  expect(links).toHaveLength(1);
});

test('the eleventh message about one pattern within an hour is told with the others in one', async () => {
  const pattern = 'HighLatency checkout';
  const page = () => message('', { target: { type: 'email', address: 'ben@example.com' }, pattern });
  for (let n = 0; n < 10; n++) expect(await tell(page())).toMatchObject({ status: 'sent' });
  const eleventh = page();
  const twelfth = page();
  expect(await tell(eleventh)).toMatchObject({ status: 'skipped', reason: expect.stringContaining(pattern) });
  // a further attempt does not count again, and each asks for what another may have died before beginning
  await tell(eleventh);
  await tell(twelfth);
  expect(held).toHaveLength(3);
  const other = message('', { target: { type: 'email', address: 'ben@example.com' }, pattern: 'DiskFull' });
  expect(await tell(other)).toMatchObject({ status: 'sent' });
  const before = smtp.mails.length;
  const { limit, key, ends, target, updates } = held[0]!;
  expect(new Set(held.map((each) => each.limit))).toEqual(new Set([limit]));
  expect(updates).toBe(false);
  expect(await logged(twelfth.key)).toMatchObject({ status: 'skipped', consolidated_into: limit });
  expect(await activities.countHeld({ orgId: database.orgId, limit })).toEqual({
    held: 2,
    due: 2,
    incidents: 1,
    open: 1,
    told: false,
  });
  // a page that is held at the last moment of the hour is committed after it
  const { rows } = await database.owner.query(
    'select hour_began from notification_limits where consolidated = $1',
    [limit],
  );
  expect(Date.parse(ends) - rows[0].hour_began.getTime()).toBe(hourMs + 30_000);
  const together = message('', {
    key,
    type: 'notifications.consolidated',
    target,
    pattern,
    incidentId: undefined!,
    detail: { limit, ends },
  });
  for (const inHand of ['acknowledged_at = now()', `snoozed_until = now() + interval '1 h'`]) {
    await change(inHand);
    expect(await activities.countHeld({ orgId: database.orgId, limit })).toMatchObject({ held: 2, due: 0 });
    expect(await tell(together)).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('somebody has'),
    });
    await change('acknowledged_at = null, snoozed_until = null');
  }
  expect(smtp.mails).toHaveLength(before);
  expect(await tell(together)).toMatchObject({ status: 'sent' });
  const mail = smtp.mails[before]?.email;
  expect(mail?.subject).toBe('[critical] 2 more about HighLatency checkout, in 1 incident');
  expect(mail?.text).toContain(`#${incident.number}`);
  const token = /https:\/\/holdfast\.example\/l\/(\S+)/.exec(mail?.text ?? '')?.[1] ?? '';
  // as of what its reader saw: after a reopening it takes nothing
  expect(await verifyLink(database.db, token)).toMatchObject({
    subject: { incidentNumber: incident.number, opening: 1, asOf: 0 },
  });
  expect(await logged(key)).toMatchObject({
    id: limit,
    status: 'sent',
    part_of: null,
    // to begin it again
    consolidation: { target, pattern, ends, updates },
  });
  expect(await activities.countHeld({ orgId: database.orgId, limit })).toMatchObject({ told: true });
  const later = { ...together, key: `${key}:1:2` };
  await tell(later);
  expect(await logged(later.key)).toMatchObject({ status: 'sent', part_of: limit });
});

test('what PagerDuty was told together is resolved there when the last of its incidents is over', async () => {
  const pattern = 'ServiceDown checkout';
  for (let n = 0; n < 10; n++) await tell(message('pd', { pattern }));
  const first = incident;
  await tell(message('pd', { pattern }));
  incident = await seedIncident();
  await tell(message('pd', { pattern }));
  const { limit, key, ends, target, updates, resolves } = held[0]!;
  expect({ updates, resolves }).toEqual({ updates: true, resolves: true });
  let part = 0;
  const together = async (over = false) => {
    const type = 'notifications.consolidated';
    const detail = { limit, ends, over };
    const told = { type, target, pattern, incidentId: undefined!, detail } as const;
    await tell(message('', { ...told, key: `${key}:${part++}` }));
    return pagerduty.incidents.get(`holdfast:consolidated:${limit}`)?.status;
  };
  const open = async () => (await activities.countHeld({ orgId: database.orgId, limit })).open;
  expect([await together(), await open()]).toEqual(['triggered', 2]);
  await change(`resolved_at = now(), status = 'resolved'`);
  expect([await together(), await open()]).toEqual(['triggered', 1]);
  incident = first;
  await change(`resolved_at = now(), status = 'false_positive'`);
  expect([await together(true), await open()]).toEqual(['resolved', 0]);
  await change(`resolved_at = null, status = 'investigating'`);
  expect([await together(), await open()]).toEqual(['triggered', 1]);
  // its workflow goes on from what it has said: what opens between its look and the message is told next
  expect([await together(true), await open()]).toEqual(['resolved', 1]);
});

test('the log says how long after its time a message went, why, and to whom', async () => {
  const cause = { event: 'incident.opened', at: new Date().toISOString(), level: 1 };
  const input = message('ops', { cause, dueAt: Date.now() - 5000 });
  await tell(input);
  const entry = await logged(input.key);
  expect(entry).toMatchObject({ cause, person: null });
  expect(entry.latency_ms).toBeGreaterThanOrEqual(5000);
});

test('what only changes a message that is there is not counted as one more', async () => {
  const pattern = 'Flapping checkout';
  for (let n = 0; n < 9; n++) {
    incident = await seedIncident();
    await tell(message('sre', { type: 'incident.opened', pattern }));
  }
  await change(`acknowledged_at = now(), acknowledged_by = 'ben@example.com'`);
  for (let n = 0; n < 3; n++) {
    expect(await tell(message('sre', { type: 'incident.acknowledged', pattern }))).toMatchObject({
      status: 'sent',
    });
  }
  expect(await tell(message('sre', { type: 'sla.breached', pattern }))).toMatchObject({ status: 'sent' });
  expect(await tell(message('sre', { type: 'sla.breached', pattern }))).toMatchObject({ status: 'skipped' });
});

test('a channel that was told of an incident follows it, and is not told twice', async () => {
  await tell(message('ops', { type: 'incident.opened' }));
  await tell(message('pd'));
  await tell(message('team'));
  const contact = {
    type: 'contact',
    email: 'ana@example.com',
    method: { type: 'slack', channel: 'ops' },
  } as const;
  await tell(message('', { target: contact }));
  await change(`acknowledged_at = now(), acknowledged_by = 'ben@example.com'`);
  const announced = {
    incidentId: incident.id,
    trigger: 'incident.acknowledged',
    occurrence: '3',
    at: Date.now(),
  } as const;
  const follow = (told: NotifyInput['target'][]) =>
    database.db.read({ orgId: database.orgId }, (tx) => followUps(tx, announced, told));
  const ups = await follow([]);
  expect(ups.map(({ target }) => target)).toEqual([
    { type: 'channel', name: 'ops' },
    contact,
    { type: 'channel', name: 'pd' },
  ]);
  expect((await follow([{ type: 'channel', name: 'ops' }])).map(({ target }) => target.type)).toEqual([
    'contact',
    'channel',
  ]);
  for (const up of ups) {
    expect(await tell(message('', { ...up, type: 'incident.acknowledged' }))).toMatchObject({
      status: 'sent',
    });
  }
  expect(slack.messages('DUANA').at(-1)?.said).toContain('ben@example.com has it now');
  expect(pagerduty.incidents.get(`holdfast:incident:${incident.id}`)?.status).toBe('acknowledged');
  const again = message('', { ...ups[0]!, key: 'again', type: 'incident.acknowledged' });
  expect(await tell(again)).toMatchObject({ status: 'skipped', reason: 'it was told there already' });
});

test('a channel can be asked how it is without a message', async () => {
  const probe = async (channel: string): Promise<{ response: string }> => {
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    return await environment.run(activities.probeChannel, { orgId: database.orgId, channel });
  };
  const before = slack.messages().length + pagerduty.events.length + teams.cards.length;
  expect(await probe('ops')).toEqual({ response: 'signed in to Acme as holdfast' });
  for (const channel of ['pd', 'team', 'hooked']) {
    expect((await probe(channel)).response).toContain('only a test message can tell');
  }
  expect(await failureOf(probe('wrong'))).toMatchObject({ type: 'SlackRefused' });
  expect(await channelRow('wrong')).toMatchObject({ error: expect.stringContaining('invalid_auth') });
  expect(slack.messages().length + pagerduty.events.length + teams.cards.length).toBe(before);
});
