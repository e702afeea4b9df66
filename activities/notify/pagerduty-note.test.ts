import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import nodemailer from 'nodemailer';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { NotifyInput, NotifyOutcome } from '../../domain/notification.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { type PagerDutyDouble, startPagerDutyDouble } from '../../test/harness/pagerduty-double.ts';
import { createAnnounceActivities } from '../announce.ts';
import { webhookDispatcher } from '../channels/dispatcher.ts';
import { mailTransportOptions } from '../channels/email.ts';
import { createNotifyActivities, type NotifyActivities } from '../notify.ts';
import { createSecretSource } from '../secrets/create-secret-source.ts';
import { createHiddenValues } from '../secrets/hidden-values.ts';

const routingKey = 'r'.repeat(32);
const apiToken = 'u+key-of-the-rest-api';
const user = 'holdfast@example.com';
const dispatcher = webhookDispatcher({ egressAllow: [] });
let database: TestDatabase;
let pagerduty: PagerDutyDouble;
let activities: NotifyActivities;
let incident: { id: string; number: number };

beforeAll(async () => {
  database = await createTestDatabase();
  pagerduty = await startPagerDutyDouble({ routingKey, apiToken, users: [user] });
  activities = createNotifyActivities({
    db: database.db,
    // nothing here is mailed
    mail: nodemailer.createTransport(mailTransportOptions('smtp://127.0.0.1:9')),
    mailFrom: 'Holdfast <holdfast@ops.example>',
    dispatcher,
    hidden: createHiddenValues({
      secrets: createSecretSource({ environment: { HOLDFAST_SECRET_PD_API: apiToken }, ssm: {} }),
      ownsEnvironment: async () => true,
    }),
    pagerDutyApiUrl: pagerduty.url,
    pagerDutyRestApiUrl: pagerduty.url,
    publicUrl: 'https://holdfast.example',
    timeZone: 'UTC',
    startConsolidation: async () => {},
    clock: Date.now,
  });
  await seedChannel('pd', { routingKey, apiToken: 'env:PD_API', notesFrom: user });
  await seedChannel('twin', { routingKey, apiToken, notesFrom: user });
  await seedChannel('silent', { routingKey });
});
afterAll(async () => {
  await dispatcher.close();
  await pagerduty.close();
  await database.close();
});

let numbers = 0;
beforeEach(async () => {
  Object.assign(pagerduty.rest, {
    notes: [],
    calls: [],
    askForPatience: undefined,
    breakOff: false,
    readOnly: false,
  });
  const number = ++numbers;
  const { rows } = await database.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, alert_count, firing_count)
     values ($1, $2, 'db-primary refuses connections', 'critical', 0, 1, 1) returning id`,
    [database.orgId, number],
  );
  incident = { id: rows[0].id, number };
});

async function seedChannel(name: string, definition: object): Promise<void> {
  await database.owner.query(
    'insert into notification_channels (org_id, name, definition) values ($1, $2, $3)',
    [database.orgId, name, { type: 'pagerduty', ...definition }],
  );
}

async function note(seq: number, text: string): Promise<void> {
  await database.owner.query(
    `insert into timeline (org_id, incident_id, at, kind, actor, summary, data, dedup_key)
     values ($1, $2, now(), 'note', 'ana@example.com', $3, '{"via": "page"}', 'incident:' || $4::int)`,
    [database.orgId, incident.id, text, seq],
  );
}

/** One attempt, as Temporal makes it; its turn has come. */
async function tell(given: Partial<NotifyInput>, number = 1): Promise<NotifyOutcome> {
  await database.owner.query('delete from destinations');
  const environment = new MockActivityEnvironment(
    { attempt: number },
    { logger: new DefaultLogger('ERROR') },
  );
  const input: NotifyInput = {
    orgId: database.orgId,
    key: `${incident.id}:page:${JSON.stringify(given.target)}`,
    type: 'escalation.page',
    incidentId: incident.id,
    target: { type: 'channel', name: 'pd' },
    detail: {},
    ...given,
  };
  return await environment.run(activities.notify, input);
}

/** What the incident's workflow is answered when it asks who is to have the note. */
async function noticesOf(seq: number): Promise<NotifyInput[]> {
  const { notices } = await createAnnounceActivities(database).announce({
    orgId: database.orgId,
    incidentId: incident.id,
    trigger: 'incident.noted',
    occurrence: String(seq),
    at: Date.now(),
  });
  const about = { orgId: database.orgId, incidentId: incident.id, type: 'incident.noted' as const };
  return notices.map(({ key, ...more }) => ({ ...about, key: `incident:${incident.id}:${key}`, ...more }));
}

const pageTo = (name: string) => tell({ target: { type: 'channel', name } });
const texts = () => pagerduty.rest.notes.map(({ content }) => content);

async function failureOf(attempting: Promise<unknown>): Promise<ApplicationFailure> {
  const failure = await attempting.then(() => undefined).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  return failure as ApplicationFailure;
}

async function logged(key: string | undefined) {
  const { rows } = await database.owner.query('select * from notifications where key = $1', [key]);
  return rows[0];
}

test('a note goes to the channels that were told of the incident and have a key, once, and pages nobody', async () => {
  await pageTo('pd');
  await pageTo('silent');
  await note(7, 'The disk is full.');
  const notices = await noticesOf(7);
  expect(notices.map(({ target }) => target)).toEqual([{ type: 'channel', name: 'pd' }]);
  const before = pagerduty.events.length;
  const sent = { status: 'sent', destination: 'pd (PagerDuty)' };
  for (const notice of [...notices, ...notices]) expect(await tell(notice)).toEqual(sent);
  expect(texts()).toEqual([`ana@example.com (Holdfast #${incident.number}, event 7): The disk is full.`]);
  expect(pagerduty.events).toHaveLength(before);
  expect(await logged(notices[0]?.key)).toMatchObject({
    type: 'incident.noted',
    status: 'sent',
    channel: 'pagerduty',
    subject: `[critical] #${incident.number}: note by ana@example.com`,
  });
});

test('two notes of the same words are two, and two channels of one service write one', async () => {
  await pageTo('pd');
  await pageTo('twin');
  await note(7, 'looking');
  await note(8, 'looking');
  for (const notice of [...(await noticesOf(7)), ...(await noticesOf(8))]) await tell(notice);
  expect(texts().map((text) => text.slice(-18))).toEqual(
    ['event 7): looking', 'event 8): looking'].map((each) => expect.stringContaining(each)),
  );
});

test('an incident that PagerDuty was not told of has none there, nor one whose note is not recorded yet', async () => {
  await note(7, 'looking');
  expect(await noticesOf(7)).toEqual([]);
  await pageTo('pd');
  const [notice] = await noticesOf(9);
  expect(await failureOf(tell(notice ?? {}))).toMatchObject({ type: 'NotRecordedYet', nonRetryable: false });
  expect(texts()).toEqual([]);
});

test('what is unknown after an attempt is looked for before it is written again', async () => {
  await pageTo('pd');
  await note(7, 'looking');
  const [notice = {}] = await noticesOf(7);
  pagerduty.rest.breakOff = true;
  expect(await failureOf(tell(notice))).toMatchObject({ type: 'PagerDutyUnavailable', nonRetryable: false });
  pagerduty.rest.breakOff = false;
  expect(await tell(notice, 2)).toMatchObject({ status: 'sent' });
  expect(texts()).toHaveLength(1);
});

test('the patience that notes are asked for keeps no page', async () => {
  await pageTo('pd');
  await note(7, 'looking');
  const [notice = {}] = await noticesOf(7);
  pagerduty.rest.askForPatience = 60;
  expect(await failureOf(tell(notice))).toMatchObject({ type: 'RateLimited', nextRetryDelay: 60_000 });
  const { rows } = await database.owner.query(
    'select destination from destinations where blocked_until is not null',
  );
  expect(rows).toEqual([{ destination: 'channel:pd:notes' }]);
});

test('a key that may not write fails at once, with what to do, and says nothing of how the channel pages', async () => {
  await pageTo('pd');
  await note(7, 'looking');
  const [notice] = await noticesOf(7);
  pagerduty.rest.readOnly = true;
  const failure = await failureOf(tell(notice ?? {}));
  expect(failure).toMatchObject({ type: 'PagerDutyRefused', nonRetryable: true });
  expect(await logged(notice?.key)).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('Make an API access key that is not read-only'),
  });
  const { rows } = await database.owner.query(`select error from notification_channels where name = 'pd'`);
  expect(rows).toEqual([{ error: null }]);
});

test('it does not count toward the limit of an hour', async () => {
  await pageTo('pd');
  const pattern = `HighErrorRate ${incident.number}`;
  for (let seq = 1; seq <= 12; seq += 1) {
    await note(seq, `line ${seq}`);
    for (const notice of await noticesOf(seq)) {
      expect(await tell({ ...notice, pattern })).toMatchObject({ status: 'sent' });
    }
  }
  const { rows } = await database.owner.query('select * from notification_limits where pattern = $1', [
    pattern,
  ]);
  expect(rows).toEqual([]);
});

test('no other channel gets a note', async () => {
  await note(7, 'looking');
  const mail = { type: 'email', address: 'ana@example.com' } as const;
  const input: Partial<NotifyInput> = {
    key: `${incident.id}:mail`,
    type: 'incident.noted',
    target: mail,
    detail: { seq: 7 },
  };
  expect(await failureOf(tell(input))).toMatchObject({
    type: 'ChannelIncomplete',
    nonRetryable: true,
    message: expect.stringContaining('takes no notes'),
  });
});

test('a channel with a key says how that is when it is asked', async () => {
  const probe = async (channel: string): Promise<{ response: string }> => {
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    return await environment.run(activities.probeChannel, { orgId: database.orgId, channel });
  };
  expect((await probe('pd')).response).toContain('the API token is good');
  expect((await probe('silent')).response).not.toContain('API token');
  await seedChannel('revoked', { routingKey, apiToken: 'another-key', notesFrom: user });
  const failure = await failureOf(probe('revoked'));
  expect(failure).toMatchObject({ type: 'PagerDutyRefused', nonRetryable: true });
  expect(failure.message).not.toContain('another-key');
});
