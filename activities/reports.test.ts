import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import nodemailer from 'nodemailer';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { getReport } from '../db/reports.ts';
import type { StoredCapacityReport, StoredSlaReport } from '../domain/reports/stored.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { type MailTransport, mailTransportOptions } from './channels/email.ts';
import { type BuildReportInput, createReportActivities, type ReportActivities } from './reports.ts';

let at = Date.parse('2026-11-16T07:00:00Z');
/** Milliseconds that pass with each look at the clock. */
let pace = 0;
const clock = () => {
  at += pace;
  return at;
};

let test: TestDatabase;
let smtp: SMTPServer;
let mail: MailTransport;
const inbox: { to: string; mail: Email }[] = [];
/** What the server answers to RCPT TO, by address. */
const answers = new Map<string, number>();

beforeAll(async () => {
  test = await createTestDatabase();
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo(address, _session, callback) {
      const code = answers.get(address.address);
      callback(code ? Object.assign(new Error('no'), { responseCode: code }) : null);
    },
    onData(stream, session, callback) {
      buffer(stream).then(async (raw) => {
        const parsed = await PostalMime.parse(raw);
        inbox.push({ to: session.envelope.rcptTo[0]!.address, mail: parsed });
        callback();
      }, callback);
    },
  });
  smtp.listen(0, '127.0.0.1');
  await once(smtp.server, 'listening');
  const address = smtp.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  mail = nodemailer.createTransport(mailTransportOptions(`smtp://127.0.0.1:${port}`));

  const { rows } = await test.owner.query<{ id: string }>(
    `insert into users (org_id, email, name) values ($1, 'owner@example.com', 'Olga') returning id`,
    [test.orgId],
  );
  await test.owner.query(`insert into memberships (org_id, user_id, role) values ($1, $2, 'owner')`, [
    test.orgId,
    rows[0]!.id,
  ]);
});
afterAll(async () => {
  mail.close();
  await new Promise<void>((resolve) => smtp.close(resolve));
  await test.close();
});
beforeEach(async () => {
  inbox.length = 0;
  answers.clear();
  pace = 0;
  await test.owner.query('delete from settings');
});

const activities = (prometheusUrl?: string) =>
  createReportActivities({
    db: test.db,
    mail,
    mailFrom: 'Holdfast <holdfast@example.com>',
    publicUrl: 'http://localhost:8080/',
    defaults: () => ({ recipients: [], timeZone: 'UTC' }),
    prometheusUrl,
    clock,
  });
const input = (key: string, more: Partial<BuildReportInput> = {}): BuildReportInput => ({
  orgId: test.orgId,
  kind: 'sla',
  requestedBy: 'schedule',
  periodEnd: '2026-11-16T07:00:00.000Z',
  key,
  ...more,
});
const stored = async (reportId: string) =>
  (await test.db.read({ orgId: test.orgId }, (tx) => getReport(tx, reportId)))!;
const recipients = (...addresses: string[]) =>
  test.owner.query(`insert into settings (org_id, key, value) values ($1, 'reports', $2)`, [
    test.orgId,
    JSON.stringify({ recipients: addresses, timeZone: 'Europe/Berlin' }),
  ]);
const send = (reportId: string, key: string): ReturnType<ReportActivities['sendReport']> =>
  new MockActivityEnvironment().run(activities().sendReport, { orgId: test.orgId, reportId, key });

describe('buildReport', () => {
  it('stores an SLA report of the week before, for the owners where nobody else is named', async () => {
    const { reportId } = await activities().buildReport(input('sla-1'));
    const report = await stored(reportId);
    expect(report).toMatchObject({
      kind: 'sla',
      periodStart: '2026-11-09T07:00:00.000Z',
      periodEnd: '2026-11-16T07:00:00.000Z',
      recipients: ['owner@example.com'],
      requestedBy: 'schedule',
      sentAt: null,
      subject: '[report] SLA of Acme: no SLA clock decided, 0 incidents',
    });
    const data = report.data as unknown as StoredSlaReport;
    expect(data).toMatchObject({ kind: 'sla', timeZone: 'UTC', charts: [] });
    expect(report.html).toContain(`http://localhost:8080/reports/${reportId}`);
    expect(report.text).toContain(`http://localhost:8080/reports/${reportId}`);
  });

  it('builds once per key', async () => {
    const first = await activities().buildReport(input('once'));
    const second = await activities().buildReport(input('once', { periodEnd: '2026-12-16T07:00:00.000Z' }));
    expect(second).toEqual(first);
  });

  it('says that Prometheus is not configured, and what to do', async () => {
    const { reportId } = await activities().buildReport(input('no-prometheus', { kind: 'capacity' }));
    const report = await stored(reportId);
    const data = report.data as unknown as StoredCapacityReport;
    expect(data.gap).toEqual({ kind: 'not_configured' });
    expect(report.text).toMatch(/Set PROMETHEUS_URL/);
  });

  it('fails so that it is asked again while Prometheus is away, and says so in the end', async () => {
    const away = activities('http://ana:secret@127.0.0.1:9');
    await expect(away.buildReport(input('away', { kind: 'capacity' }))).rejects.toMatchObject({
      type: 'PrometheusUnavailable',
      nonRetryable: false,
    });
    const { reportId } = await away.buildReport(input('away', { kind: 'capacity', acceptGaps: true }));
    const report = await stored(reportId);
    expect(report.text).toMatch(/Prometheus did not answer/);
    expect(JSON.stringify(report)).not.toContain('secret');
  });

  it('refuses a period end that is no time', async () => {
    await expect(activities().buildReport(input('bad', { periodEnd: 'monday' }))).rejects.toMatchObject({
      type: 'InvalidPeriod',
      nonRetryable: true,
    });
  });
});

describe('sendReport', () => {
  it('mails HTML and text to each recipient, once', async () => {
    await recipients('ana@example.com', 'Ben@example.com', 'ben@example.com');
    const { reportId } = await activities().buildReport(input('send-1'));
    expect(await send(reportId, 'send-1')).toEqual({ sent: 2, refused: [] });
    expect(inbox.map(({ to }) => to)).toEqual(['ana@example.com', 'ben@example.com']);
    const [first] = inbox;
    expect(first!.mail.subject).toBe('[report] SLA of Acme: no SLA clock decided, 0 incidents');
    expect(first!.mail.text).toContain('0 incidents opened');
    expect(first!.mail.html).toContain('0 incidents opened');
    expect((await stored(reportId)).sentAt).not.toBeNull();

    expect(await send(reportId, 'send-1')).toEqual({ sent: 2, refused: [] });
    expect(inbox).toHaveLength(2);
  });

  it('counts hours and days where each reader is', async () => {
    await recipients('ana@example.com', 'ben@example.com');
    await test.owner.query(
      `insert into users (org_id, email, name, time_zone) values ($1, 'ben@example.com', 'Ben', 'Asia/Tokyo')
       on conflict do nothing`,
      [test.orgId],
    );
    const { reportId } = await activities().buildReport(input('zones'));
    await send(reportId, 'zones');
    const [ana, ben] = inbox.map(({ mail }) => mail.text ?? '');
    expect(ana).toContain('16 Nov 2026 08:00 (Europe/Berlin)');
    expect(ben).toContain('16 Nov 2026 16:00 (Asia/Tokyo)');
  });

  it('makes the report of a team for those who are named for it', async () => {
    const { rows } = await test.owner.query<{ id: string }>(
      `insert into teams (org_id, slug, name) values ($1, 'payments', 'Payments') returning id`,
      [test.orgId],
    );
    const teamId = rows[0]?.id ?? '';
    await test.owner.query(`insert into settings (org_id, key, value) values ($1, 'reports', $2)`, [
      test.orgId,
      JSON.stringify({ teams: { payments: ['lead@example.com'], gone: ['x@example.com'] } }),
    ]);
    expect(await activities().reportTeams({ orgId: test.orgId })).toEqual([teamId]);
    const { reportId } = await activities().buildReport(input('team', { teamId, span: 'month' }));
    expect(await stored(reportId)).toMatchObject({
      teamId,
      span: 'month',
      periodStart: '2026-10-16T07:00:00.000Z',
      recipients: ['lead@example.com'],
      subject: '[report] SLA of Acme, Payments in a month: no SLA clock decided, 0 incidents',
    });
  });

  it('reaches the others when one fails, and on the retry only the one', async () => {
    await recipients('ana@example.com', 'busy@example.com', 'zoe@example.com');
    answers.set('busy@example.com', 451);
    const { reportId } = await activities().buildReport(input('send-2'));
    await expect(send(reportId, 'send-2')).rejects.toMatchObject({
      type: 'ReportNotDelivered',
      nonRetryable: false,
    });
    expect(inbox.map(({ to }) => to)).toEqual(['ana@example.com', 'zoe@example.com']);
    expect((await stored(reportId)).sentAt).toBeNull();

    answers.clear();
    expect(await send(reportId, 'send-2')).toEqual({ sent: 3, refused: [] });
    expect(inbox.map(({ to }) => to)).toEqual(['ana@example.com', 'zoe@example.com', 'busy@example.com']);
    const { rows } = await test.owner.query(
      `select destination, status, attempts from notifications where key like 'send-2:%' order by destination`,
    );
    expect(rows).toEqual([
      { destination: 'ana@example.com', status: 'sent', attempts: 1 },
      { destination: 'busy@example.com', status: 'sent', attempts: 2 },
      { destination: 'zoe@example.com', status: 'sent', attempts: 1 },
    ]);
  });

  it('ends an attempt before its time-out when the mail server is slow; the next goes on from there', async () => {
    await recipients('ana@example.com', 'ben@example.com', 'cleo@example.com');
    const { reportId } = await activities().buildReport(input('slow'));
    pace = 3 * 60_000;
    await expect(send(reportId, 'slow')).rejects.toMatchObject({ type: 'ReportNotDelivered' });
    const reached = inbox.length;
    expect(reached).toBeLessThan(3);
    pace = 0;
    expect(await send(reportId, 'slow')).toEqual({ sent: 3, refused: [] });
    expect(inbox.map(({ to }) => to)).toEqual(['ana@example.com', 'ben@example.com', 'cleo@example.com']);
  });

  it('gives up on an address that the server refuses for good, and says which', async () => {
    await recipients('gone@example.com', 'ana@example.com');
    answers.set('gone@example.com', 550);
    const { reportId } = await activities().buildReport(input('send-3'));
    const outcome = await send(reportId, 'send-3');
    expect(outcome.sent).toBe(1);
    expect(outcome.refused).toEqual([expect.stringMatching(/^gone@example.com: .*refuses/)]);
  });

  it('cannot send the report of another organization', async () => {
    const { rows } = await test.owner.query<{ org_id: string }>(
      `insert into organizations (slug, name) values ('other', 'Other') returning org_id`,
    );
    const { reportId } = await activities().buildReport(input('send-4'));
    await expect(
      new MockActivityEnvironment().run(activities().sendReport, {
        orgId: rows[0]!.org_id,
        reportId,
        key: 'send-4',
      }),
    ).rejects.toMatchObject({ type: 'ReportMissing' });
    expect(inbox).toEqual([]);
  });
});
