import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import nodemailer from 'nodemailer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putChatSettings } from '../db/chat-settings.ts';
import { readChatSummary } from '../db/chat-summary.ts';
import type { NotifyInput } from '../domain/notification.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { startSlackDouble } from '../test/harness/slack-double.ts';
import { startTeamsDouble } from '../test/harness/teams-double.ts';
import { webhookDispatcher } from './channels/dispatcher.ts';
import { mailTransportOptions } from './channels/email.ts';
import { createChatActivities } from './chat.ts';
import { chatSummaryMessage } from './messages/chat-summary.ts';
import { renderMail } from './messages/mail-layout.ts';
import { createNotifyActivities } from './notify.ts';

let database: TestDatabase;
const now = Date.now();
const ago = (hours: number) => new Date(now - hours * 3_600_000);

beforeAll(async () => {
  database = await createTestDatabase();
  const { owner, orgId } = database;
  await owner.query(`insert into users (org_id, email, name) values ($1, 'ana@example.com', 'Ana')`, [orgId]);
  for (const [number, severity, rank, openedAt, acknowledgedBy, resolvedAt, status, mergedInto] of [
    [1, 'warning', 2, ago(100), null, null, 'investigating', null],
    [2, 'critical', 0, ago(3), 'ana@example.com', null, 'investigating', null],
    [3, 'critical', 0, ago(5), null, null, 'created', null],
    [4, 'high', 1, ago(30), null, ago(2), 'resolved', null],
    [5, 'low', 3, ago(20), null, ago(19), 'false_positive', null],
    [6, 'low', 3, ago(20), null, ago(18), 'resolved', 3],
    [7, 'low', 3, ago(90), null, ago(80), 'resolved', null],
  ] as const) {
    await owner.query(
      `insert into incidents (org_id, number, title, severity, severity_rank, status, opened_at, acknowledged_by,
         acknowledged_at, resolved_at, merged_into, service)
       values ($1, $2, 'Down <b>', $3, $4, $5, $6, $7::text, case when $7::text is null then null else now() end, $8, $9, 'checkout')`,
      [orgId, number, severity, rank, status, openedAt, acknowledgedBy, resolvedAt, mergedInto],
    );
  }
  await owner.query(
    `insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state)
     select org_id, id, 'acknowledge', 'critical', now(), now(), $2, 'breached' from incidents
     where org_id = $1 and number in (2, 3, 5)`,
    [orgId, ago(2)],
  );
  const executionId = randomUUID();
  await owner.query(
    `insert into executions (org_id, id, runbook, runbook_version, requested_by, mode, target, inputs, status, workflow_id)
     values ($1, $2, 'restart', 1, 'Holdfast', 'semi_auto', 'db-primary', '{}', 'waiting', 'w')`,
    [orgId, executionId],
  );
  await owner.query(
    `insert into approvals (org_id, execution_id, runbook, requested_by, requested_at, expires_at, status, workflow_id)
     values ($1, $2, 'restart', 'Holdfast', now(), $3, 'pending', 'w')`,
    [orgId, executionId, ago(-1)],
  );
  await owner.query(
    `insert into on_call_schedules (org_id, name, definition) values ($1, 'payments', $2), ($1, 'nobody', $3)`,
    [
      orgId,
      JSON.stringify({
        timeZone: 'UTC',
        rotations: [
          {
            name: 'always',
            participants: [['ana@example.com']],
            turn: { every: 1, unit: 'week' },
            startsAt: '2026-01-05T09:00',
          },
        ],
      }),
      JSON.stringify({ timeZone: 'UTC', rotations: [] }),
    ],
  );
});
afterAll(() => database?.close());

const read = (hours: number) =>
  database.db.read({ orgId: database.orgId }, (tx) =>
    readChatSummary(tx, { from: ago(hours), to: new Date(now + 1000), now }),
  );

describe('a summary', () => {
  it('counts what is open, what happened since, who is on call and what waits', async () => {
    const summary = await read(24);
    expect(summary).toMatchObject({
      open: [
        { severity: 'critical', count: 2, unacknowledged: 1 },
        { severity: 'warning', count: 1, unacknowledged: 1 },
      ],
      opened: 3,
      resolved: 2,
      falsePositives: 1,
      breaches: 2,
      waiting: [{ runbook: 'restart', target: 'db-primary' }],
      waitingTotal: 1,
    });
    expect(summary.worst.map(({ number, acknowledgedBy }) => [number, acknowledgedBy])).toEqual([
      [3, null],
      [2, 'Ana'],
      [1, null],
    ]);
    expect(summary.onCall).toMatchObject([
      { schedule: 'nobody', people: [] },
      { schedule: 'payments', people: [{ name: 'Ana' }] },
    ]);
    expect(await read(7 * 24)).toMatchObject({ opened: 6, resolved: 3 });
  });

  it('reads as a person would say it', async () => {
    const source = {
      publicUrl: 'https://holdfast.example.com',
      reader: 'war-room',
      now,
      timeZone: 'UTC',
      detail: { span: 'day' },
    };
    const { mail, subject } = chatSummaryMessage(source, await read(24));
    expect(mail.sentence).toBe(
      '3 incidents are open (2 critical, 1 warning), 2 not acknowledged. In the last day: 3 opened, 2 ended (1 false positive), 2 SLA clocks breached.',
    );
    expect(subject).toMatch(/^\[summary\] 3 incidents are open/);
    const { text } = renderMail(mail);
    expect(text).toContain('#3 critical, checkout: Down <b>');
    expect(text).toContain('nobody: nobody');
    expect(text).toContain('restart on db-primary');
    const quiet = chatSummaryMessage(source, {
      open: [],
      worst: [],
      opened: 0,
      resolved: 0,
      falsePositives: 0,
      breaches: 0,
      onCall: [],
      waiting: [],
      waitingTotal: 0,
    });
    expect(quiet.mail.sentence).toBe(
      'No incident is open. In the last day: 0 opened, 0 ended, no SLA was breached.',
    );
  });

  it('goes to the channels that want it and are still there', async () => {
    const { db, orgId, owner } = database;
    for (const [name, definition] of [
      ['alerts', { type: 'slack', channel: 'C0ALERTS' }],
      ['war-room', { type: 'teams', webhookUrl: 'https://teams.example.com/hook' }],
      ['gone', { type: 'slack', channel: 'C0GONE' }],
    ] as const) {
      await owner.query(`insert into notification_channels (org_id, name, definition) values ($1, $2, $3)`, [
        orgId,
        name,
        JSON.stringify(definition),
      ]);
    }
    const summaries = {
      alerts: ['day' as const],
      'war-room': ['day' as const, 'week' as const],
      gone: ['week' as const],
    };
    await db.write({ orgId }, (tx) => putChatSettings(tx, { orgId, settings: { summaries }, actor: 'test' }));
    await owner.query(`delete from notification_channels where name = 'gone'`);
    const { planSummaries } = createChatActivities({ db });
    expect(await planSummaries({ orgId, span: 'day' })).toEqual(['alerts', 'war-room']);
    expect(await planSummaries({ orgId, span: 'week' })).toEqual(['war-room']);
  });
});

describe('a summary on its way', () => {
  it('reaches a conversation of Slack and a channel of Teams', async () => {
    const { db, orgId, owner } = database;
    const slack = await startSlackDouble({ token: 'xoxb-token', conversations: ['C0SUMMARY'] });
    const teams = await startTeamsDouble();
    const dispatcher = webhookDispatcher({ egressAllow: [] });
    const mail = nodemailer.createTransport(mailTransportOptions('smtp://127.0.0.1:9'));
    const { notify } = createNotifyActivities({
      db,
      mail,
      mailFrom: 'holdfast@example.com',
      dispatcher,
      hidden: { read: async (_orgId, hidden) => hidden },
      slackApiUrl: slack.apiUrl,
      publicUrl: 'https://holdfast.example.com',
      timeZone: 'UTC',
      startConsolidation: async () => {},
      clock: Date.now,
    });
    try {
      for (const [name, definition] of [
        ['in-slack', { type: 'slack', token: 'xoxb-token', channel: 'C0SUMMARY' }],
        ['in-teams', { type: 'teams', webhookUrl: teams.webhookUrl }],
      ] as const) {
        await owner.query(
          `insert into notification_channels (org_id, name, definition) values ($1, $2, $3)`,
          [orgId, name, JSON.stringify(definition)],
        );
        const until = new Date(now + 1000).toISOString();
        const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
        const input: NotifyInput = {
          orgId,
          key: `summary:${name}`,
          type: 'chat.summary',
          target: { type: 'channel', name },
          detail: { span: 'day', until },
        };
        const outcome = await environment.run(notify, input);
        expect(outcome).toMatchObject({ status: 'sent' });
      }
      const said = '3 incidents are open (2 critical, 1 warning)';
      expect(JSON.stringify(slack.messages())).toContain(said);
      expect(JSON.stringify(teams.cards)).toContain(said);
    } finally {
      mail.close();
      await dispatcher.close();
      await slack.close();
      await teams.close();
    }
  });
});
