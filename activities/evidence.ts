import { ApplicationFailure } from '@temporalio/common';
import type { Database } from '../db/database.ts';
import { listAlertTraces, saveIncidentLogs, saveIncidentLogsError } from '../db/logs.ts';
import { logEvidence, summarizeEvidence } from '../domain/logs/log-evidence.ts';
import { cut } from '../domain/logs/log-line.ts';
import {
  alertTime,
  describeSelectors,
  type LabelMapping,
  type LogQuery,
  logQuery,
  queryBefore,
} from '../domain/logs/query.ts';
import type { LogSample } from '../domain/logs/usual.ts';
import { type LogSource, LogSourceRefusedError, LogSourceUnavailableError } from './logs/log-source.ts';

export interface EvidenceDeps {
  db: Pick<Database, 'read' | 'write'>;
  source: LogSource;
  /** Which alert labels name services, hosts… where they differ from the common names. */
  labelMapping?: LabelMapping;
}

export interface GatheredLogs {
  source: string;
  /** Lines that the source holds around the alerts. */
  total: number;
  patterns: number;
  stackTraces: number;
  /** One sentence for the timeline. */
  summary: string;
}

/** Lines that are looked at, around the alerts and before them. */
const linesRead = { during: 3000, before: 2000 };

/** ApplicationFailure types, of which `LogSourceRefused` and `IncidentWithoutAlerts` are not retried. */
export const evidenceFailures = {
  unavailable: 'LogSourceUnavailable',
  refused: 'LogSourceRefused',
  withoutAlerts: 'IncidentWithoutAlerts',
} as const;

export type EvidenceActivities = ReturnType<typeof createEvidenceActivities>;

export function createEvidenceActivities(deps: EvidenceDeps) {
  const { db, source } = deps;

  return {
    /**
     * Reads the logs around the incident's alerts and puts what they say on the incident: one row, replaced each
     * time, so it may run again. When the source fails the row says why, and the failure is thrown: a retry mends
     * a source that is away, and nothing else.
     */
    async gatherLogs({ orgId, incidentId }: { orgId: string; incidentId: string }): Promise<GatheredLogs> {
      const alerts = await db.read({ orgId }, (tx) => listAlertTraces(tx, { incidentId }));
      if (alerts.length === 0) {
        throw ApplicationFailure.nonRetryable(
          `incident ${incidentId} has no alerts to look for logs around`,
          evidenceFailures.withoutAlerts,
        );
      }
      const query = logQuery(alerts, {
        limit: linesRead.during,
        ...(deps.labelMapping ? { mapping: deps.labelMapping } : {}),
      });
      const record = { orgId, incidentId, source: source.name, link: source.link(query) };

      try {
        const found = await source.query(orgId, query);
        const before = await linesBefore(orgId, query);
        const services = alerts.flatMap((alert) => (alert.service ? [alert.service] : []));
        const around = { ...found, from: query.from, to: Math.min(query.to, Date.now()) };
        const evidence = logEvidence(around, before, { alertTimes: alerts.map(alertTime), services });
        await db.write({ orgId }, (tx) =>
          saveIncidentLogs(tx, {
            ...record,
            query: {
              ...describe(query),
              asked: cut(found.asked, 4000),
              read: found.lines.length,
              ...(found.note ? { note: found.note } : {}),
              ...(before === null
                ? { compared: 'the hour before could not be read, so nothing is marked new' }
                : {}),
            },
            total: found.total,
            evidence,
          }),
        );
        return {
          source: source.name,
          total: found.total,
          patterns: evidence.patterns.length,
          stackTraces: evidence.stackTraces.length,
          summary: summarizeEvidence(evidence, found.total),
        };
      } catch (error) {
        const failure = asFailure(error);
        if (!failure) throw error;
        await db.write({ orgId }, (tx) =>
          saveIncidentLogsError(tx, { ...record, query: describe(query), error: failure.message }),
        );
        throw failure;
      }
    },
  };

  /** Null when they cannot be had: what is known of the incident itself is worth more than the comparison. */
  async function linesBefore(orgId: string, query: LogQuery): Promise<LogSample | null> {
    const earlier = queryBefore(query);
    try {
      const found = await source.query(orgId, { ...earlier, limit: linesRead.before });
      return { ...found, from: earlier.from, to: earlier.to };
    } catch (error) {
      if (error instanceof LogSourceUnavailableError || error instanceof LogSourceRefusedError) return null;
      throw error;
    }
  }
}

function describe(query: LogQuery): Record<string, unknown> {
  return {
    from: new Date(query.from).toISOString(),
    to: new Date(query.to).toISOString(),
    lines: cut(describeSelectors(query.anyOf) || 'errors of everything: the alert names nothing', 2000),
    ...(query.within.length > 0 ? { within: cut(describeSelectors(query.within), 2000) } : {}),
  };
}

function asFailure(error: unknown): ApplicationFailure | undefined {
  if (error instanceof LogSourceUnavailableError) {
    return ApplicationFailure.create({
      message: error.message,
      type: evidenceFailures.unavailable,
      nonRetryable: false,
      cause: error,
    });
  }
  if (error instanceof LogSourceRefusedError) {
    return ApplicationFailure.create({
      message: error.message,
      type: evidenceFailures.refused,
      nonRetryable: true,
      cause: error,
    });
  }
  return undefined;
}
