import { randomUUID } from 'node:crypto';
import { ApplicationFailure, log } from '@temporalio/activity';
import type { Database } from '../db/database.ts';
import { beginNotification, finishNotification } from '../db/notifications.ts';
import {
  type ReportAudience,
  type ReportDefaults,
  readerZones,
  readReportAudience,
  teamsWithReports,
} from '../db/report-audience.ts';
import { pagesByHour, readSlaFacts } from '../db/report-data.ts';
import {
  findReportByKey,
  getReport,
  insertReport,
  markReportSent,
  type Report,
  type ReportKind,
} from '../db/reports.ts';
import { type CapacityReport, capacityReport } from '../domain/reports/capacity.ts';
import { type ReportSpan, reportPeriods } from '../domain/reports/period.ts';
import { type PagesTo, pagesOf, type SlaReport, slaReport } from '../domain/reports/sla.ts';
import { type CapacityGap, type StoredReport, storedReport } from '../domain/reports/stored.ts';
import { createEmailChannel, type MailTransport } from './channels/email.ts';
import { type Mail, renderMail } from './messages/mail-layout.ts';
import { PrometheusError } from './prometheus/client.ts';
import { capacityCharts, capacityMail, gapRemedy } from './reports/capacity-mail.ts';
import { readCapacity } from './reports/prometheus.ts';
import { slaCharts } from './reports/sla-charts.ts';
import { type ReportFrame, slaMail } from './reports/sla-mail.ts';

export interface ReportActivityDeps {
  db: Pick<Database, 'read' | 'write'>;
  /** nodemailer's, made with `mailTransportOptions`. */
  mail: MailTransport;
  mailFrom: string;
  /** Holdfast's own address, which links in mails begin with. */
  publicUrl: string;
  /** For what the organization has not set; recipients of one organization are not another's. */
  defaults: (orgId: string) => ReportDefaults;
  /** Without it the capacity report says that it is missing. */
  prometheusUrl?: string | undefined;
  /** Epoch milliseconds. */
  clock: () => number;
}

export interface BuildReportInput {
  orgId: string;
  kind: ReportKind;
  /** Who asked: a person, or 'schedule'. */
  requestedBy: string;
  /** ISO 8601; the report covers what `span` says before it. */
  periodEnd: string;
  /** Absent: a week. */
  span?: ReportSpan;
  /** Absent: of the whole organization. */
  teamId?: string;
  /** Minted once per report: building it again finds what was built. */
  key: string;
  /** Say in the report that Prometheus does not answer, instead of failing so that it is asked again. */
  acceptGaps?: boolean;
}

export interface SendReportInput {
  orgId: string;
  reportId: string;
  /** Minted once per sending: those who have it do not get it again. */
  key: string;
}

/** Capacity trends look back further than the report's week, as far as there are measurements. */
const historyDays = 14;
const rowsStored = 500;
/** Periods of the course, the report's own among them. */
const courseLength = 8;
const limits = { breachLimit: 200, alertLimit: 10, destinationLimit: 50, serviceLimit: 50 };
/** Under the activity's time-out, so that a slow attempt ends before the next begins to mail the same people. */
const sendLimitMs = 8 * 60_000;

export type ReportActivities = ReturnType<typeof createReportActivities>;

export function createReportActivities(deps: ReportActivityDeps) {
  const { db, clock } = deps;
  const publicUrl = deps.publicUrl.replace(/\/+$/, '');
  const email = createEmailChannel({ transport: deps.mail, from: deps.mailFrom });

  return {
    /**
     * Makes the report and stores it; a second call with the same key answers the first's. Throws the retryable
     * failure PrometheusUnavailable where a later attempt may have measurements.
     */
    async buildReport(input: BuildReportInput): Promise<{ reportId: string }> {
      const scope = { orgId: input.orgId };
      const built = await db.read(scope, (tx) => findReportByKey(tx, input.key));
      if (built) return { reportId: built.id };

      const audience = await db.read(scope, (tx) =>
        readReportAudience(tx, input.orgId, deps.defaults(input.orgId), input.teamId ?? null),
      );
      const reportId = randomUUID();
      const span = input.span ?? 'week';
      const frame = frameOf(audience, { periodEnd: input.periodEnd, reportId, span });
      const { subject, mail, data } =
        input.kind === 'sla'
          ? await buildSla(input.orgId, frame, {
              teamId: input.teamId ?? null,
              recipients: audience.recipients,
            })
          : await buildCapacity(frame, input.acceptGaps ?? false);
      const stored = await db.write(scope, (tx) =>
        insertReport(tx, {
          id: reportId,
          orgId: input.orgId,
          key: input.key,
          kind: input.kind,
          periodStart: new Date(frame.from),
          periodEnd: new Date(frame.to),
          subject,
          ...renderMail(mail),
          data,
          recipients: audience.recipients,
          requestedBy: input.requestedBy,
          teamId: input.teamId ?? null,
          span,
        }),
      );
      return { reportId: stored.id };
    },

    /** The teams whose reports somebody gets, beside the organization's. */
    async reportTeams({ orgId }: { orgId: string }): Promise<string[]> {
      return await db.read({ orgId }, teamsWithReports);
    },

    /**
     * Mails the report to each recipient, in their own time zone, whatever befalls the others. Throws the retryable failure
     * ReportNotDelivered while an address may still be reached; those who have it are left out next time.
     */
    async sendReport(input: SendReportInput): Promise<{ sent: number; refused: string[] }> {
      const scope = { orgId: input.orgId };
      const report = await db.read(scope, (tx) => getReport(tx, input.reportId));
      if (!report) {
        throw ApplicationFailure.nonRetryable(`there is no report ${input.reportId}`, 'ReportMissing');
      }
      const refused: string[] = [];
      const failed: string[] = [];
      let sent = 0;
      const partsFor = await mailParts(input.orgId, report);
      const giveUpAt = clock() + sendLimitMs;
      for (const to of report.recipients) {
        if (clock() > giveUpAt) {
          failed.push(`${to}: its turn did not come, the mail server is slow`);
          continue;
        }
        const entry = {
          orgId: input.orgId,
          key: `${input.key}:${to}`,
          type: `report.${report.kind}` as const,
          incidentId: null,
          executionId: null,
          channel: 'email',
          destination: to,
          subject: report.subject,
        };
        const begun = await db.write(scope, (tx) => beginNotification(tx, entry));
        if (begun.status === 'sent') {
          sent++;
          continue;
        }
        const startedAt = clock();
        try {
          const { response } = await email.send({
            to,
            subject: report.subject,
            ...partsFor(to),
            key: input.key,
            type: entry.type,
            urgent: false,
          });
          await db.write(scope, (tx) =>
            finishNotification(tx, {
              key: entry.key,
              status: 'sent',
              latencyMs: clock() - startedAt,
              response,
            }),
          );
          sent++;
        } catch (error) {
          if (!(error instanceof ApplicationFailure)) throw error;
          await db.write(scope, (tx) =>
            finishNotification(tx, {
              key: entry.key,
              status: 'failed',
              error: error.message,
              latencyMs: clock() - startedAt,
            }),
          );
          log.warn('a report could not be mailed', { reportId: report.id, reason: error.message });
          (error.nonRetryable ? refused : failed).push(`${to}: ${error.message}`);
        }
      }
      if (failed.length > 0) {
        throw ApplicationFailure.retryable(
          `${failed.length} of ${report.recipients.length} recipients do not have the report yet: ${failed.join('; ').slice(0, 2000)}`,
          'ReportNotDelivered',
        );
      }
      if (sent > 0) await db.write(scope, (tx) => markReportSent(tx, report.id));
      return { sent, refused };
    },
  };

  function frameOf(
    audience: ReportAudience,
    { periodEnd, reportId, span }: { periodEnd: string; reportId: string; span: ReportSpan },
  ): ReportFrame {
    const to = Date.parse(periodEnd);
    if (Number.isNaN(to)) {
      throw ApplicationFailure.nonRetryable(`periodEnd is no ISO 8601 time: '${periodEnd}'`, 'InvalidPeriod');
    }
    const [period] = reportPeriods(to, { span, timeZone: audience.timeZone, count: 1 });
    return {
      organization: audience.organization,
      team: audience.team,
      span,
      from: period?.from ?? to,
      to,
      timeZone: audience.timeZone,
      publicUrl,
      reportUrl: `${publicUrl}/reports/${reportId}`,
    };
  }

  async function buildSla(
    orgId: string,
    frame: ReportFrame,
    { teamId, recipients }: { teamId: string | null; recipients: string[] },
  ): Promise<Built> {
    const { to, span, timeZone } = frame;
    const periods = reportPeriods(to, { span, timeZone, count: courseLength }).map((period) => ({
      from: new Date(period.from),
      to: new Date(period.to),
    }));
    const { facts, pagesIn } = await db.read({ orgId }, async (tx) => {
      const facts = await readSlaFacts(tx, { periods, teamId, timeZone, ...limits });
      const { zones } = await readerZones(tx, recipients);
      const pagesIn: Record<string, PagesTo[]> = {};
      const [period] = periods;
      for (const zone of zones) {
        if (zone === timeZone || !period) continue;
        const limit = limits.destinationLimit;
        pagesIn[zone] = await pagesByHour(tx, { period, teamId, timeZone: zone, limit });
      }
      return { facts, pagesIn };
    });
    const report = slaReport(facts);
    const { sentence } = report;
    const charts = slaCharts(report, frame);
    return {
      ...slaMail(report, frame),
      data: { kind: 'sla', sentence, timeZone, report, charts, pagesIn },
    };
  }

  /** The two parts of a recipient's mail: an SLA report counts hours and days where its reader is. */
  async function mailParts(
    orgId: string,
    report: Report,
  ): Promise<(address: string) => { html: string; text: string }> {
    const own = { html: report.html, text: report.text };
    const stored = storedReport(report.data);
    if (stored?.kind !== 'sla' || !stored.pagesIn) return () => own;
    const { pagesIn } = stored;
    // with pages in other zones, it has all that this Holdfast counts
    const made = stored.report as SlaReport;
    const { audience, byAddress } = await db.read({ orgId }, async (tx) => ({
      audience: await readReportAudience(tx, orgId, deps.defaults(orgId), report.teamId),
      ...(await readerZones(tx, report.recipients)),
    }));
    const frame = frameOf(audience, { periodEnd: report.periodEnd, reportId: report.id, span: report.span });
    const byZone = new Map<string, typeof own>();
    return (address) => {
      const timeZone = byAddress.get(address);
      const pages = timeZone === undefined ? undefined : pagesIn[timeZone];
      if (timeZone === undefined || !pages) return own;
      const there =
        byZone.get(timeZone) ??
        renderMail(slaMail({ ...made, ...pagesOf(pages) }, { ...frame, timeZone }).mail);
      byZone.set(timeZone, there);
      return there;
    };
  }

  async function buildCapacity(frame: ReportFrame, acceptGaps: boolean): Promise<Built> {
    const { report, gap } = await measure(frame.to, acceptGaps);
    const { subject, mail } = capacityMail(report, gap, frame);
    const rows = report.rows.slice(0, rowsStored);
    return {
      subject,
      mail,
      data: {
        kind: 'capacity',
        sentence: mail.sentence,
        timeZone: frame.timeZone,
        charts: capacityCharts(report, frame),
        rows: rows.map(({ series: _series, line: _line, ...row }) => row),
        omitted: report.rows.length - rows.length,
        instances: report.instances,
        urgent: report.urgent,
        gap,
        remedy: gap && gapRemedy(gap),
      },
    };
  }

  async function measure(
    at: number,
    acceptGaps: boolean,
  ): Promise<{ report: CapacityReport; gap: CapacityGap | null }> {
    const nothing = capacityReport([], at);
    if (deps.prometheusUrl === undefined) return { report: nothing, gap: { kind: 'not_configured' } };
    try {
      const report = capacityReport(await readCapacity(deps.prometheusUrl, at, historyDays), at);
      if (report.rows.length > 0) return { report, gap: null };
      // without user and password
      return { report, gap: { kind: 'empty', url: new URL(deps.prometheusUrl).origin } };
    } catch (error) {
      if (!(error instanceof PrometheusError)) throw error;
      if (error.mendable && !acceptGaps) {
        throw ApplicationFailure.create({
          type: 'PrometheusUnavailable',
          message: error.message,
          cause: error,
        });
      }
      return { report: nothing, gap: { kind: 'failed', reason: error.message } };
    }
  }
}

interface Built {
  subject: string;
  mail: Mail;
  data: StoredReport;
}
