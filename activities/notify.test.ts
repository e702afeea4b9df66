import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import nodemailer from 'nodemailer';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { listMessages } from '../db/notification-log.ts';
import { verifyLink } from '../db/signed-links.ts';
import type { NotifyInput, NotifyOutcome } from '../domain/notification.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { type SmtpReceiver, startSmtp } from '../test/parts/smtp.ts';
import { startWebhook, type WebhookReceiver } from '../test/parts/webhook.ts';
import { webhookDispatcher } from './channels/dispatcher.ts';
import { type MailTransport, mailsAtOnce, mailTransportOptions } from './channels/email.ts';
import { createNotifyActivities } from './notify.ts';

let test_: TestDatabase;
let mail: SmtpReceiver;
let transport: MailTransport;
let hook: WebhookReceiver;
let incident: { id: string; number: number };
const dispatcher = webhookDispatcher({ egressAllow: [] });

beforeAll(async () => {
  test_ = await createTestDatabase();
  hook = await startWebhook({ secret: 'a-shared-secret' });
  await seedChannel('ops-hook', { type: 'webhook', url: hook.url, secret: 'a-shared-secret' });
});
afterAll(async () => {
  await dispatcher.close();
  await hook.close();
  await test_.close();
});
beforeEach(async () => {
  mail = await startSmtp();
  transport = nodemailer.createTransport(mailTransportOptions(mail.url));
  incident = await seedIncident();
  return async () => {
    transport.close();
    await mail.close();
  };
});

async function seedChannel(name: string, definition: object): Promise<void> {
  await test_.owner.query(
    `insert into notification_channels (org_id, name, definition) values ($1, $2, $3)`,
    [test_.orgId, name, definition],
  );
}

let numbers = 41;
async function seedIncident(): Promise<{ id: string; number: number }> {
  const number = ++numbers;
  const { rows } = await test_.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, service, alert_count, firing_count)
     values ($1, $2, 'db-primary refuses <b>connections</b>', 'critical', 0, 'checkout', 1, 1) returning id`,
    [test_.orgId, number],
  );
  return { id: rows[0].id, number };
}

const page = (change: Partial<NotifyInput> = {}): NotifyInput => ({
  orgId: test_.orgId,
  key: `incident:${incident.id}:page:1:0.0.0`,
  type: 'escalation.page',
  incidentId: incident.id,
  target: { type: 'email', address: 'ana@example.com' },
  detail: { pass: 1, level: 1, levels: 4, nextAt: null, nextWhat: null },
  ...change,
});

const activities = (through: MailTransport = transport, clock: () => number = Date.now) =>
  createNotifyActivities({
    db: test_.db,
    mail: through,
    mailFrom: 'Holdfast <holdfast@ops.example>',
    dispatcher,
    hidden: { read: async (_orgId, hidden) => hidden },
    publicUrl: 'https://holdfast.example/',
    timeZone: 'America/St_Johns',
    startConsolidation: async () => {},
    clock,
  });

/** Failures are what these tests make: they need no warning in the output. */
const quiet = (attempt = 1) =>
  new MockActivityEnvironment(
    { attempt, startToCloseTimeoutMs: 60_000 },
    { logger: new DefaultLogger('ERROR') },
  );

/** One attempt, as Temporal makes it. */
async function attempt(input: NotifyInput, environment = quiet()): Promise<NotifyOutcome> {
  return await environment.run(activities().notify, input);
}

async function failureOf(attempting: Promise<unknown>): Promise<ApplicationFailure> {
  const failure = await attempting.then(() => undefined).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  return failure as ApplicationFailure;
}

async function logged(key: string) {
  const { rows } = await test_.owner.query(
    `select n.type, n.channel, n.destination, n.subject, n.status, n.attempts, n.error, n.cause,
       s.status as effect, s.attempts as effect_attempts, s.detail
     from notifications n left join side_effects s on s.org_id = n.org_id and s.key = n.key where n.key = $1`,
    [key],
  );
  return rows[0];
}

/** As time alone would have it. */
async function patienceIsOver(): Promise<void> {
  await test_.owner.query('delete from destinations');
}

const links = (text: string | undefined) =>
  [...(text ?? '').matchAll(/https:\/\/holdfast\.example\/l\/(\S+)/g)].map((match) => match[1]!);

test('a page arrives with a subject that says it all, and a link that acknowledges in the name of its reader', async () => {
  expect(await attempt(page())).toEqual({ status: 'sent', destination: 'ana@example.com' });
  const received = mail.mails[0]?.email;
  expect(mail.mails[0]?.envelopeTo).toEqual(['ana@example.com']);
  expect(received).toMatchObject({
    subject: `[critical] #${incident.number} checkout: db-primary refuses <b>connections</b>`,
    inReplyTo: `<incident.${incident.id}@ops.example>`,
  });
  expect(received?.html).toContain('db-primary refuses &lt;b&gt;connections&lt;/b&gt;');
  expect(received?.text).toContain(`https://holdfast.example/incidents/${incident.number}`);
  const [token] = links(received?.text);
  expect(received?.html).toContain(token);
  expect(await verifyLink(test_.db, token!)).toMatchObject({
    orgId: test_.orgId,
    action: 'acknowledge',
    subject: { incidentNumber: incident.number },
    person: 'ana@example.com',
  });
  expect(await logged(page().key)).toMatchObject({
    type: 'escalation.page',
    channel: 'email',
    status: 'sent',
    attempts: 1,
    error: null,
    effect: 'succeeded',
    detail: { latencyMs: expect.any(Number), response: expect.stringContaining('250') },
  });
});

test('what was sent is not sent again, whoever asks', async () => {
  await attempt(page());
  expect(await attempt(page())).toEqual({ status: 'sent', destination: 'ana@example.com' });
  expect(mail.mails).toHaveLength(1);
  expect(await logged(page().key)).toMatchObject({ status: 'sent', attempts: 1 });
});

test('an attempt that died between started and sent is made again, as the same message with the same link', async () => {
  await attempt(page());
  // as a SIGKILL after the handing over and before the record leaves it
  await test_.owner.query(`update side_effects set status = 'started' where key = $1`, [page().key]);
  await test_.owner.query(`update notifications set status = 'started' where key = $1`, [page().key]);
  await attempt(page());
  const [first, second] = mail.mails.map(({ email }) => email);
  expect(second?.messageId).toBe(first?.messageId);
  const grants = await Promise.all(
    [first, second].map((each) => verifyLink(test_.db, links(each?.text)[0]!) as Promise<{ nonce: string }>),
  );
  expect(grants[0]?.nonce).toBeTruthy();
  expect(grants[1]?.nonce).toBe(grants[0]?.nonce);
  expect(await logged(page().key)).toMatchObject({ status: 'sent', attempts: 2, effect_attempts: 2 });
});

test('a mail server that is down is told to the log and tried again', async () => {
  await mail.stop();
  const failure = await failureOf(attempt(page()));
  expect(failure).toMatchObject({ type: 'MailUnavailable', nonRetryable: false });
  expect(await logged(page().key)).toMatchObject({
    status: 'failed',
    attempts: 1,
    error: failure.message,
    effect: 'failed',
  });
  await mail.start();
  await attempt(page());
  expect(await logged(page().key)).toMatchObject({ status: 'sent', attempts: 2, error: null });
});

test('a bad address is not tried again', async () => {
  mail.refuse.set('ana@example.com', 550);
  expect(await failureOf(attempt(page()))).toMatchObject({ type: 'MailRefused', nonRetryable: true });
});

test.each([
  ['acknowledged_at = now(), acknowledged_by = $$Ben$$', /acknowledged by Ben already/],
  ['resolved_at = now(), status = $$resolved$$', /resolved already/],
])('no page goes out once the incident says: %s', async (change, reason) => {
  await test_.owner.query(`update incidents set ${change} where id = $1`, [incident.id]);
  expect(await attempt(page())).toEqual({
    status: 'skipped',
    destination: 'ana@example.com',
    reason: expect.stringMatching(reason),
  });
  expect(mail.mails).toEqual([]);
  expect(await logged(page().key)).toMatchObject({
    status: 'skipped',
    attempts: 0,
    error: expect.stringMatching(reason),
    effect: null,
  });
});

test('a page that is called off before it leaves does not leave', async () => {
  const environment = quiet();
  environment.cancel();
  await expect(attempt(page(), environment)).rejects.toMatchObject({ name: 'CancelledFailure' });
  expect(mail.mails).toEqual([]);
  expect(await logged(page().key)).toMatchObject({ status: 'skipped', effect: 'failed' });
});

test('a webhook gets the message in words that others build on, signed, and the same on every attempt', async () => {
  const input = page({ target: { type: 'channel', name: 'ops-hook' } });
  Object.assign(hook, { status: 429, answerHeaders: { 'retry-after': '7' } });
  const slowDown = await failureOf(attempt(input));
  expect(slowDown).toMatchObject({ type: 'RateLimited', nonRetryable: false, nextRetryDelay: 7000 });
  Object.assign(hook, { status: 503, answerHeaders: {} });
  expect(await failureOf(attempt({ ...input, key: 'another' }))).toMatchObject({ type: 'DestinationBusy' });
  await patienceIsOver();
  expect(await failureOf(attempt(input))).toMatchObject({ type: 'WebhookUnavailable', nonRetryable: false });
  hook.status = 204;
  expect(await attempt(input)).toEqual({
    status: 'sent',
    destination: expect.stringMatching(/^ops-hook \(127\.0\.0\.1:\d+\)$/),
  });
  const { hooks } = hook;
  expect(hooks.map(({ headers }) => headers['idempotency-key'])).toEqual([input.key, input.key, input.key]);
  expect(hooks.map(({ signed }) => signed)).toEqual([true, true, true]);
  expect(new Set(hooks.map(({ raw }) => raw)).size).toBe(1);
  expect(hooks[0]!.body).toMatchObject({
    type: 'escalation.page',
    id: input.key,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    incident: {
      number: incident.number,
      title: 'db-primary refuses <b>connections</b>',
      severity: 'critical',
      status: 'created',
      service: 'checkout',
      url: `https://holdfast.example/incidents/${incident.number}`,
    },
    alerts: [],
  });
  expect(hooks[0]!.raw).not.toContain('/l/');
  expect(await logged(input.key)).toMatchObject({ channel: 'webhook', status: 'sent', attempts: 3 });
});

test('a channel with several addresses writes to each by itself; a further attempt only to those without mail', async () => {
  await seedChannel('everyone', { type: 'email', addresses: ['ana@example.com', 'ben@example.com'] });
  const input = page({ target: { type: 'channel', name: 'everyone' } });
  mail.refuse.set('ana@example.com', 451);
  await failureOf(attempt(input));
  mail.refuse.clear();
  await attempt(input);
  expect(mail.mails.map(({ envelopeTo }) => envelopeTo)).toEqual([['ben@example.com'], ['ana@example.com']]);
  const people = await Promise.all(
    mail.mails.map(async ({ email }) => await verifyLink(test_.db, links(email.text)[0]!)),
  );
  expect(people).toMatchObject([{ person: 'ben@example.com' }, { person: 'ana@example.com' }]);
});

test('each reader has times in their own zone, else in that of the organization', async () => {
  await test_.owner.query(
    `insert into users (org_id, email, name, time_zone) values ($1, 'ana@example.com', 'Ana', 'Asia/Kolkata'),
      ($1, 'ben@example.com', 'Ben', null)`,
    [test_.orgId],
  );
  await seedChannel('readers', { type: 'email', addresses: ['Ana@example.com', 'ben@example.com'] });
  const zonesSaid = async (key: string) => {
    mail.mails.length = 0;
    await attempt(page({ key, target: { type: 'channel', name: 'readers' } }));
    return mail.mails.map(({ email }) => /since .*?\d\d:\d\d (\S+):/.exec(email.text ?? '')?.[1]);
  };
  // of the service, which no setting changes
  expect(await zonesSaid('a')).toEqual(['UTC+5:30', expect.stringMatching(/^UTC-[23]:30$/)]);
  await test_.owner.query(`insert into settings (org_id, key, value) values ($1, 'reports', $2)`, [
    test_.orgId,
    JSON.stringify({ timeZone: 'Asia/Tokyo' }),
  ]);
  expect(await zonesSaid('b')).toEqual(['UTC+5:30', 'UTC+9']);
});

test('an address that is refused for good does not keep the mail from the others, and the log names it', async () => {
  await seedChannel('some', { type: 'email', addresses: ['gone@example.com', 'ben@example.com'] });
  mail.refuse.set('gone@example.com', 550);
  const input = page({ target: { type: 'channel', name: 'some' } });
  expect(await attempt(input)).toMatchObject({ status: 'sent' });
  expect(mail.mails).toHaveLength(1);
  expect(await logged(input.key)).toMatchObject({
    status: 'sent',
    error: expect.stringContaining('gone@example.com'),
  });
});

/** A mail server that does something with each mail, by its address. */
function serverThat(takes: (address: string) => unknown): { server: MailTransport; asked: string[] } {
  const asked: string[] = [];
  const sendMail = async ({ to }: { to: { address: string } }) => {
    asked.push(to.address);
    await takes(to.address);
    return { response: '250 taken' };
  };
  return { server: { sendMail } as unknown as MailTransport, asked };
}

test('a channel with several addresses stops at the one before which somebody has it', async () => {
  await seedChannel('crew', { type: 'email', addresses: ['ana@example.com', 'ben@example.com'] });
  const { server, asked } = serverThat(() =>
    test_.owner.query(
      `update incidents set acknowledged_at = now(), acknowledged_by = 'ana@example.com' where id = $1`,
      [incident.id],
    ),
  );
  const input = page({ target: { type: 'channel', name: 'crew' } });
  expect(await quiet().run(activities(server).notify, input)).toMatchObject({ status: 'sent' });
  expect(asked).toEqual(['ana@example.com']);
  expect(await logged(input.key)).toMatchObject({
    status: 'sent',
    error: expect.stringMatching(/^not sent to ben@example.com: .* was acknowledged by ana@example.com/),
  });
});

test('those of a channel whom a snooze kept from a page have it after that, and the others not again', async () => {
  await seedChannel('watch', { type: 'email', addresses: ['ana@example.com', 'ben@example.com'] });
  const snooze = (until: string) =>
    test_.owner.query(`update incidents set snoozed_until = ${until} where id = $1`, [incident.id]);
  const { server, asked } = serverThat((address) =>
    address === 'ana@example.com' ? snooze(`now() + interval '1 hour'`) : undefined,
  );
  const { notify } = activities(server);
  const input = page({ target: { type: 'channel', name: 'watch' } });
  expect(await quiet().run(notify, input)).toMatchObject({ status: 'skipped', held: true });
  expect(await logged(input.key)).toMatchObject({
    status: 'skipped',
    error: expect.stringMatching(/it is told after that, but for the 1 who have it already$/),
  });
  await snooze('null');
  expect(await quiet().run(notify, input)).toMatchObject({ status: 'sent' });
  expect(asked).toEqual(['ana@example.com', 'ben@example.com']);
});

test('a channel whose server is slow goes on with the next attempt, and begins with another address', async () => {
  const addresses = ['ana@example.com', 'ben@example.com', 'cleo@example.com'];
  await seedChannel('slow', { type: 'email', addresses });
  let now = Date.now();
  let down = true;
  const { server, asked } = serverThat((address) => {
    if (address !== 'ana@example.com' || !down) return;
    now += 31_000;
    throw new Error('the server said nothing');
  });
  const { notify } = activities(server, () => now);
  const input = page({ target: { type: 'channel', name: 'slow' } });
  expect(await failureOf(quiet().run(notify, input))).toMatchObject({ nonRetryable: false });
  expect(asked).toEqual(['ana@example.com']);
  expect(await logged(input.key)).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('goes on with the next attempt: ben@example.com, cleo@example.com'),
  });
  down = false;
  expect(await quiet(2).run(notify, input)).toMatchObject({ status: 'sent' });
  expect(asked).toEqual(['ana@example.com', 'ben@example.com', 'cleo@example.com', 'ana@example.com']);
});

test('a channel that takes long leaves off before the next attempt could begin', async () => {
  await seedChannel('long', { type: 'email', addresses: ['ana@example.com', 'ben@example.com'] });
  let now = Date.now();
  const { server, asked } = serverThat(() => {
    now += 31_000;
  });
  const { notify } = activities(server, () => now);
  const input = page({ target: { type: 'channel', name: 'long' } });
  expect(await failureOf(quiet().run(notify, input))).toMatchObject({
    type: 'DestinationSlow',
    nonRetryable: false,
  });
  expect(await quiet(2).run(notify, input)).toMatchObject({ status: 'sent' });
  expect(asked).toEqual(['ana@example.com', 'ben@example.com']);
});

test('a channel or user that does not exist fails for good, and stands in the log', async () => {
  const channel = page({ target: { type: 'channel', name: 'nowhere' } });
  expect(await failureOf(attempt(channel))).toMatchObject({ type: 'UnknownChannel', nonRetryable: true });
  expect(await logged(channel.key)).toMatchObject({ status: 'failed', destination: 'nowhere' });
  const user = page({ key: 'user', target: { type: 'user', email: 'nobody@example.com' } });
  expect(await failureOf(attempt(user))).toMatchObject({ type: 'UnknownUser', nonRetryable: true });
});

test('a user is written to until the account is disabled', async () => {
  await test_.owner.query(`insert into users (org_id, email, name) values ($1, 'cleo@example.com', 'Cleo')`, [
    test_.orgId,
  ]);
  const input = page({ target: { type: 'user', email: 'Cleo@example.com' } });
  expect(await attempt(input)).toEqual({ status: 'sent', destination: 'cleo@example.com' });
  await test_.owner.query(`update users set disabled_at = now() where email = 'cleo@example.com'`);
  expect(await failureOf(attempt({ ...input, key: 'later' }))).toMatchObject({ type: 'UnknownUser' });
});

test('a message waits for the record that it tells of, and does not wait forever', async () => {
  const missing = page({ key: 'missing', incidentId: randomUUID() });
  expect(await failureOf(attempt(missing))).toMatchObject({
    type: 'NotRecordedYet',
    nonRetryable: false,
    nextRetryDelay: 500,
  });
  expect(await logged('missing')).toBeUndefined();
  expect(await failureOf(attempt(missing, quiet(21)))).toMatchObject({
    type: 'SubjectMissing',
    nonRetryable: true,
  });
  expect(await logged('missing')).toMatchObject({ status: 'failed' });
});

test('that an incident is resolved is told once that is recorded, and not at all if it opened again', async () => {
  const input = page({
    type: 'incident.resolved',
    key: `resolved:${incident.id}`,
    detail: { by: 'Holdfast' },
  });
  expect(await failureOf(attempt(input))).toMatchObject({ type: 'NotRecordedYet' });
  // the worker that was to record it may have died: an end that nobody is told of stays open elsewhere
  expect(await failureOf(attempt(input, quiet(50)))).toMatchObject({
    type: 'NotRecordedYet',
    nextRetryDelay: 10_000,
  });
  expect(await attempt(input, quiet(51))).toMatchObject({
    status: 'skipped',
    reason: expect.stringMatching(/open again/),
  });
  await test_.owner.query(
    `update incidents set resolved_at = now(), resolved_by = 'Holdfast', status = 'resolved' where id = $1`,
    [incident.id],
  );
  expect(await attempt({ ...input, key: `${input.key}:2` })).toMatchObject({ status: 'sent' });
  expect(mail.mails[0]?.email.subject).toMatch(/^\[critical\] #\d+ checkout: resolved after \d+ s$/);
});

test('a page of an incident that has begun anew goes out although that cannot be recorded', async () => {
  await test_.owner.query(
    `update incidents set recorded_seq = 5, resolved_at = now(), status = 'resolved',
       acknowledged_at = now(), acknowledged_by = 'ben@example.com' where id = $1`,
    [incident.id],
  );
  const input = page({ key: `anew:${incident.id}`, detail: { ...page().detail, since: 6 } });
  expect(await failureOf(attempt(input))).toMatchObject({ type: 'NotRecordedYet' });
  expect(await attempt(input, quiet(21))).toMatchObject({ status: 'sent' });
});

test.each(['snoozed', 'silenced'])(
  'a page that finds its incident %s is held back, and goes out after it',
  async (what) => {
    const { id } = incident;
    await test_.owner.query(
      `update incidents set recorded_seq = 5, ${what}_until = now() + interval '1 hour' where id = $1`,
      [id],
    );
    expect(await attempt(page())).toEqual({
      status: 'skipped',
      held: true,
      destination: 'ana@example.com',
      reason: expect.stringContaining(`is ${what}`),
    });
    expect(mail.mails).toEqual([]);
    expect(await logged(page().key)).toMatchObject({ status: 'skipped', attempts: 0 });
    const after = page({
      detail: { ...page().detail, since: 6 },
      cause: { event: 'incident.opened', at: '', level: 1 },
    });
    expect(await failureOf(attempt(after))).toMatchObject({ type: 'NotRecordedYet' });
    await test_.owner.query(`update incidents set recorded_seq = 6, ${what}_until = null where id = $1`, [
      id,
    ]);
    expect(await attempt(after)).toMatchObject({ status: 'sent' });
    expect(mail.mails).toHaveLength(1);
    expect(await logged(page().key)).toMatchObject({
      status: 'sent',
      attempts: 1,
      error: null,
      cause: { level: 1 },
    });
  },
);

test('a page that goes out after a snooze does so although its end cannot be recorded', async () => {
  await test_.owner.query(
    `update incidents set recorded_seq = 5, snoozed_until = now() + interval '1 hour' where id = $1`,
    [incident.id],
  );
  const after = page({ detail: { ...page().detail, since: 6 } });
  expect(await attempt(after, quiet(21))).toMatchObject({ status: 'sent' });
});

test("another organization's incident is never told", async () => {
  const { rows } = await test_.owner.query(
    `insert into organizations (slug, name) values ('other', 'Other') returning org_id`,
  );
  const foreign = page({ orgId: rows[0].org_id, key: 'foreign' });
  expect(await failureOf(attempt(foreign, quiet(21)))).toMatchObject({ type: 'SubjectMissing' });
  expect(mail.mails).toEqual([]);
});

async function seedApproval(status = 'pending') {
  const executionId = randomUUID();
  const approvalId = randomUUID();
  const values = [test_.orgId, executionId, approvalId, incident.id];
  await test_.owner.query(
    `insert into executions (org_id, id, runbook, runbook_version, incident_id, requested_by, mode, target, inputs, status, workflow_id)
     values ($1, $2, 'restart-service', 3, $3, 'Holdfast', 'semi_auto', 'checkout', '{}', 'waiting', 'w')`,
    [values[0], values[1], values[3]],
  );
  await test_.owner.query(
    `insert into execution_steps (org_id, execution_id, index, name, type, description, status, rollback_description)
     values ($1, $2, 0, 'Check', 'command', 'systemctl status checkout', 'pending', null),
       ($1, $2, 1, 'Restart', 'command', 'sudo -n systemctl restart checkout', 'pending', 'systemctl start checkout')`,
    [values[0], values[1]],
  );
  await test_.owner.query(
    `insert into approvals (org_id, id, execution_id, incident_id, runbook, requested_by, requested_at, expires_at, status, workflow_id)
     values ($1, $3, $2, $4, 'restart-service', 'Holdfast', now(), now() + interval '30 minutes', '${status}', 'w')`,
    values,
  );
  return { executionId, approvalId };
}

test('an approval says what will run and how it is undone, with a link for yes and one for no', async () => {
  const ids = await seedApproval();
  const input = page({ type: 'approval.needed', key: 'approval', ...ids, detail: {} });
  await attempt(input);
  const received = mail.mails[0]?.email;
  expect(received?.subject).toBe(
    `[critical] #${incident.number} checkout: restart-service waits for approval`,
  );
  for (const part of [received?.text, received?.html]) {
    expect(part).toContain('sudo -n systemctl restart checkout');
    expect(part).toContain('undone by: systemctl start checkout');
  }
  const grants = await Promise.all(links(received?.text).map((token) => verifyLink(test_.db, token)));
  expect(grants).toMatchObject([
    { action: 'approve', subject: ids, person: 'ana@example.com' },
    { action: 'reject', subject: ids, person: 'ana@example.com' },
  ]);
});

test('an approval that was decided meanwhile is not asked for', async () => {
  const ids = await seedApproval('withdrawn');
  expect(await attempt(page({ type: 'approval.needed', key: 'late', ...ids }))).toMatchObject({
    status: 'skipped',
    reason: 'the approval is withdrawn already',
  });
});

test('a report goes out as it was rendered', async () => {
  const { rows } = await test_.owner.query(
    `insert into reports (org_id, key, kind, period_start, period_end, subject, html, text, data, recipients, requested_by)
     values ($1, 'r', 'sla', now() - interval '7 days', now(), 'SLA report', '<h1>All met</h1>', 'All met', '{}', '{}', 'Holdfast')
     returning id`,
    [test_.orgId],
  );
  const { incidentId: _, ...input } = page({
    type: 'report.sla',
    key: 'report',
    detail: { reportId: rows[0].id },
  });
  await attempt(input);
  expect(mail.mails[0]?.email).toMatchObject({
    subject: 'SLA report',
    html: expect.stringContaining('All met'),
  });
  expect(mail.mails[0]?.email.inReplyTo).toBeUndefined();
});

test('what everybody reads of a message to a person does not hold their own address; the log does', async () => {
  await test_.owner.query(`insert into users (org_id, email, name) values ($1, 'dora@example.com', 'Dora')`, [
    test_.orgId,
  ]);
  const method = { type: 'email', address: 'dora@private.example' } as const;
  const target = { type: 'contact', email: 'dora@example.com', method } as const;
  const told = { status: 'sent', destination: 'dora@example.com, by mail' };
  expect(await attempt(page({ key: 'dora', target }))).toEqual(told);
  expect(await attempt(page({ key: 'dora', target }))).toEqual(told);
  expect(await logged('dora')).toMatchObject({ destination: 'dora@private.example' });
  mail.refuse.set('dora@private.example', 550);
  const failure = await failureOf(attempt(page({ key: 'dora 2', target })));
  expect(failure).toMatchObject({ type: 'MailRefused', nonRetryable: true });
  expect(failure.message).toContain('refuses mail to (address)');
  expect(failure.cause).toBeUndefined();
  expect(await logged('dora 2')).toMatchObject({ error: expect.stringContaining('dora@private.example') });
});

const reader = { email: 'owner@example.com', seesAddresses: true };

test('the log lists everything in pages, newest first, and by its outcome', async () => {
  const scope = { orgId: test_.orgId };
  const { items: all } = await test_.db.read(scope, (tx) => listMessages(tx, reader, { limit: 1000 }));
  const skipped = all.filter(({ status }) => status === 'skipped');
  expect(all.filter(({ status }) => status === 'sent').length).toBeGreaterThan(5);
  expect(skipped.length).toBeGreaterThan(2);
  const seen: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await test_.db.read(scope, (tx) => listMessages(tx, reader, { limit: 7, cursor }));
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(seen).toEqual(all.map(({ id }) => id));
  expect(seen).toEqual(seen.toSorted((a, b) => b - a));
  const asked = await test_.db.read(scope, (tx) =>
    listMessages(tx, reader, { status: ['skipped'], limit: 1000 }),
  );
  expect(asked.items).toEqual(skipped);
});

test('a mail server that hangs keeps some of the sendings under way, and other channels go on', async () => {
  const asked: string[] = [];
  const released = Promise.withResolvers<never>();
  const hanging = {
    sendMail: ({ to }: { to: { address: string } }) => {
      asked.push(to.address);
      return released.promise;
    },
  } as unknown as MailTransport;
  const { notify } = activities(hanging);
  const tell = (key: string, target: NotifyInput['target']) =>
    quiet().run(notify, page({ key: `hanging:${incident.id}:${key}`, target }));
  const mails = Array.from({ length: 60 }, (_, index) =>
    tell(String(index), { type: 'email', address: `reader-${index}@example.com` }).catch(
      (error: ApplicationFailure) => error.type,
    ),
  );
  let turnedAway = 0;
  for (const each of mails) void each.then(() => turnedAway++);
  // each of them has asked for its turn: one that comes later would find that of a mail which has failed
  await vi.waitFor(() => expect(asked.length + turnedAway).toBe(mails.length), { timeout: 20_000 });
  expect(asked).toHaveLength(mailsAtOnce);
  expect(await tell('hook', { type: 'channel', name: 'ops-hook' })).toMatchObject({ status: 'sent' });
  released.reject(new Error('the server is gone'));
  const outcomes = await Promise.all(mails);
  expect(outcomes.filter((outcome) => outcome === 'MailUnavailable')).toHaveLength(mailsAtOnce);
  expect(outcomes.filter((outcome) => outcome === 'DestinationBusy')).toHaveLength(60 - mailsAtOnce);
});
