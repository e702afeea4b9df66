import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import nodemailer from 'nodemailer';
import { type AnnounceInput, createAnnounceActivities } from '../../activities/announce.ts';
import { webhookDispatcher } from '../../activities/channels/dispatcher.ts';
import { mailTransportOptions } from '../../activities/channels/email.ts';
import { createNotifyActivities } from '../../activities/notify.ts';
import { createReportActivities } from '../../activities/reports.ts';
import type { ReportKind } from '../../db/reports.ts';
import type { NotifyInput } from '../../domain/notification.ts';
import { notificationTriggers } from '../../domain/notification-rules/rule.ts';
import type { Consolidation } from '../../workflows/messages.ts';
import { type ReceivedMail, type SmtpReceiver, startSmtp } from '../parts/smtp.ts';
import { createTestDatabase } from './database.ts';
import { type MailNight, seedMailNight } from './mail-night.ts';

export const publicUrl = 'https://holdfast.example';
export const reader = 'ana@example.com';

/** Keys of what messages show besides what stands in rows. */
const fromOutside = new Set(['alert', 'message', 'nextWhat', 'reason', 'requestedBy']);

/** An organization, and the activities that write its mails, to a mail server that keeps them. */
export interface MailOffice {
  night: MailNight;
  now: number;
  /** Hands one message over as its workflow does. */
  notify(input: Partial<NotifyInput> & Pick<NotifyInput, 'type'>): Promise<ReceivedMail>;
  /** Has it told by the rule that waits for everything. */
  announce(
    input: Omit<AnnounceInput, 'orgId' | 'at'> & { at?: number },
    more?: Pick<NotifyInput, 'approvalId'> | Pick<NotifyInput, 'detail'>,
  ): Promise<ReceivedMail>;
  report(kind: ReportKind): Promise<{ reportId: string; mail: ReceivedMail }>;
  /** Has more messages than a reader wants of one pattern, and answers what the one says that tells the rest. */
  overflow(pattern: string): Promise<ReceivedMail>;
  close(): Promise<void>;
}

/** `say` as `seedMailNight` takes it. */
export async function openMailOffice(now: number, say: (text: string) => string): Promise<MailOffice> {
  const database = await createTestDatabase();
  const { orgId, owner, db } = database;
  const night = await seedMailNight(database, now, say);
  await owner.query(
    `insert into notification_rules (org_id, name, position, definition) values ($1, 'everything', 1, $2)`,
    [
      orgId,
      JSON.stringify({
        enabled: true,
        triggers: notificationTriggers,
        when: {},
        targets: [{ type: 'email', address: reader }],
        template: 'Call the shop about {{incident.title}}, {{incident.service}}.',
        order: 1,
      }),
    ],
  );
  await owner.query(`insert into settings (org_id, key, value) values ($1, 'reports', $2)`, [
    orgId,
    JSON.stringify({ recipients: [reader], timeZone: 'Europe/Berlin' }),
  ]);
  const smtp = await startSmtp();
  const prometheus = await servePrometheus(now, say);
  const mail = nodemailer.createTransport(mailTransportOptions(smtp.url));
  const dispatcher = webhookDispatcher({ egressAllow: [] });
  const held: Consolidation[] = [];
  const sender = { db, mail, mailFrom: 'Holdfast <holdfast@ops.example>', publicUrl, clock: () => now };
  const notifying = createNotifyActivities({
    ...sender,
    dispatcher,
    hidden: { read: async (_orgId, hidden) => hidden },
    timeZone: 'UTC',
    startConsolidation: async (consolidation) => void held.push(consolidation),
  });
  const reporting = createReportActivities({
    ...sender,
    defaults: () => ({ recipients: [], timeZone: 'UTC' }),
    prometheusUrl: prometheus.url,
  });
  const announcing = createAnnounceActivities({ db });

  async function tell(input: NotifyInput): Promise<void> {
    await owner.query('delete from destinations'); // as time alone would have it
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    await environment.run(notifying.notify, input);
  }

  const office: MailOffice = {
    night,
    now,
    async notify(input) {
      const target = { type: 'user', email: reader } as const;
      const detail = Object.fromEntries(
        Object.entries(input.detail ?? {}).map(([name, value]) => [
          name,
          typeof value === 'string' && fromOutside.has(name) ? say(value) : value,
        ]),
      );
      return await onlyMail(smtp, () => tell({ orgId, key: randomUUID(), target, ...input, detail }));
    },
    async announce(input, more = {}) {
      const { notices } = await announcing.announce({ orgId, at: now, ...input });
      const notice = notices.find((each) => 'rule' in each.detail && each.detail.rule === 'everything');
      if (!notice) throw new Error(`no rule calls for ${input.trigger}`);
      const { occurrence: _, trigger: type, at: __, ...about } = input;
      const detail = { ...notice.detail, ...('detail' in more ? more.detail : {}) };
      return await office.notify({ ...about, ...notice, ...more, key: randomUUID(), type, detail });
    },
    async report(kind) {
      const key = randomUUID();
      const period = { periodEnd: new Date(now).toISOString(), requestedBy: 'schedule' };
      const { reportId } = await reporting.buildReport({ orgId, kind, key, ...period });
      const mail = await onlyMail(smtp, () => reporting.sendReport({ orgId, reportId, key }));
      return { reportId, mail };
    },
    async overflow(written) {
      const pattern = say(written);
      const { open, acknowledged, resolved } = night;
      const told = {
        type: 'incident.opened',
        target: { type: 'user', email: reader },
        pattern,
        detail: {},
      } as const;
      const about = [...Array.from({ length: 12 }, () => open), acknowledged, resolved];
      for (const { id } of about) await tell({ orgId, key: randomUUID(), incidentId: id, ...told });
      const [consolidation] = held;
      if (!consolidation) throw new Error('nothing was held back');
      const { limit, ends, key, target } = consolidation;
      return await office.notify({
        key,
        type: 'notifications.consolidated',
        target,
        pattern,
        detail: { limit, ends },
      });
    },
    async close() {
      mail.close();
      await dispatcher.close();
      await prometheus.close();
      await smtp.close();
      await database.close();
    },
  };
  return office;
}

async function onlyMail(smtp: SmtpReceiver, send: () => Promise<unknown>): Promise<ReceivedMail> {
  const before = smtp.mails.length;
  await send();
  const [mail, ...more] = smtp.mails.slice(before);
  if (!mail || more.length > 0) throw new Error(`${more.length + (mail ? 1 : 0)} mails in place of one`);
  return mail;
}

/** Answers what the capacity report asks: disks and machines of which some fill up. */
async function servePrometheus(now: number, say: (text: string) => string) {
  const growing = (from: number, perHour: number) =>
    Array.from({ length: 14 * 24 }, (_, index) => [
      now / 1000 - (14 * 24 - 1 - index) * 3600,
      String(Math.min(1, from + perHour * index + (index % 3) * 0.001)),
    ]);
  const series = (instance: string, values: unknown[], disk?: string) => ({
    metric: { instance: say(instance), job: 'node', ...(disk && { mountpoint: say(disk), device: disk }) },
    values,
  });
  const disks = [
    series('db-1:9100', growing(0.55, 0.0011), '/var/lib/postgresql'),
    series('db-2:9100', growing(0.4, 0.0004), '/var/lib/postgresql'),
    series('web-1:9100', growing(0.2, 0), '/'),
  ];
  const machines = [series('db-1:9100', growing(0.7, 0.0002)), series('web-1:9100', growing(0.3, 0))];
  const server = createServer((request, response) => {
    let body = `${request.url}`;
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const result = decodeURIComponent(body).includes('node_filesystem') ? disks : machines;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
