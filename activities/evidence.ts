import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { listAlertTraces, readLogSubject, saveIncidentLogs, saveIncidentLogsError } from '../db/logs.ts';
import { readGraph } from '../db/topology.ts';
import { logEvidence, summarizeEvidence } from '../domain/logs/log-evidence.ts';
import { cut } from '../domain/logs/log-line.ts';
import { alertTime, describeSelectors, type LogQuery, logQuery } from '../domain/logs/query.ts';
import { type LookedAt, lookAt, type SourceFailure, together } from './logs/look-at.ts';
import { type ServingSourcesDeps, servingSources } from './logs/serving-sources.ts';

export interface EvidenceDeps extends ServingSourcesDeps {
  /** Which attempt this is, of how many; of the running activity where it is not given. */
  attempt?: () => { number: number; most: number };
}

export interface GatheredLogs {
  source: string;
  /** Lines that the sources hold around the alerts. */
  total: number;
  patterns: number;
  stackTraces: number;
  /** One sentence for the timeline. */
  summary: string;
  /** Not one line was found. */
  empty?: true;
}

/** Lines that are looked at, around the alerts and before them, of all sources together. */
const linesRead = { during: 3000, before: 2000 };
/** Milliseconds until a source that failed is asked again: doubled each time, up to a minute. */
const retryMs = { first: 5000, longest: 60_000 };

/** ApplicationFailure types, of which `LogSourceRefused` and `IncidentWithoutAlerts` are not retried. */
export const evidenceFailures = {
  unavailable: 'LogSourceUnavailable',
  refused: 'LogSourceRefused',
  withoutAlerts: 'IncidentWithoutAlerts',
} as const;

export type EvidenceActivities = ReturnType<typeof createEvidenceActivities>;

export function createEvidenceActivities(deps: EvidenceDeps) {
  const { db } = deps;
  const attempt = deps.attempt ?? attemptOfActivity;

  return {
    /**
     * Reads the logs around the incident's alerts, wherever they are, and puts what they say on the incident: one row,
     * replaced each time, so it may run again. When a source fails, the row says why and when it is asked again, beside
     * what the others said; the failure is thrown, for a retry mends a source that is away, and nothing else.
     */
    async gatherLogs({
      orgId,
      incidentId,
      againAfterMs = null,
    }: {
      orgId: string;
      incidentId: string;
      /** When the incident gathers anew after all attempts have failed; null: not any more. */
      againAfterMs?: number | null;
    }): Promise<GatheredLogs> {
      const { alerts, subject, graph } = await db.read({ orgId }, async (tx) => ({
        alerts: await listAlertTraces(tx, { incidentId }),
        subject: await readLogSubject(tx, { incidentId }),
        graph: await readGraph(tx),
      }));
      if (alerts.length === 0 || !subject) {
        throw ApplicationFailure.nonRetryable(
          `incident ${incidentId} has no alerts to look for logs around`,
          evidenceFailures.withoutAlerts,
        );
      }
      const query = logQuery(alerts, {
        limit: linesRead.during,
        ...(deps.labelMapping ? { mapping: deps.labelMapping } : {}),
      });
      const serving = await servingSources(deps, orgId, { ...subject, alerts });
      const looks = await Promise.all(
        serving.map((one) => lookAt(one, orgId, query, shared(serving.length))),
      );

      const retryAt = retryTime(looks, attempt(), againAfterMs);
      const failed = failureOf(looks, retryAt);
      const found = looks.filter((look) => look.found !== null);
      const record = {
        orgId,
        incidentId,
        source: serving.map(({ name }) => name).join(', '),
        link: looks.flatMap((look) => look.link ?? [])[0] ?? null,
        retryAt,
      };
      if (found.length === 0 && failed) {
        const { message } = failed;
        await db.write({ orgId }, (tx) =>
          saveIncidentLogsError(tx, { ...record, query: describe(query, looks), error: message }),
        );
        throw failed;
      }

      const { around, before } = together(found, query, Date.now());
      const evidence = logEvidence(around, before, {
        alertTimes: alerts.map(alertTime),
        services: alerts.flatMap((alert) => (alert.service ? [alert.service] : [])),
        knownServices: graph.flatMap(({ from, to }) => [from, to]),
      });
      await db.write({ orgId }, (tx) =>
        saveIncidentLogs(tx, {
          ...record,
          query: describe(query, looks),
          total: around.total,
          evidence,
          error: failed ? failed.message : null,
        }),
      );
      if (failed && retryAt) throw failed;
      return {
        source: record.source,
        total: around.total,
        patterns: evidence.patterns.length,
        stackTraces: evidence.stackTraces.length,
        summary: summarizeEvidence(evidence, around.total),
        ...(around.total === 0 ? { empty: true } : {}),
      };
    },
  };
}

function shared(sources: number): { during: number; before: number } {
  return { during: Math.ceil(linesRead.during / sources), before: Math.ceil(linesRead.before / sources) };
}

function attemptOfActivity(): { number: number; most: number } {
  const { attempt, retryPolicy } = Context.current().info;
  return { number: attempt, most: retryPolicy?.maximumAttempts ?? Number.POSITIVE_INFINITY };
}

/** Null where asking again mends nothing, or was done often enough. */
function retryTime(
  looks: LookedAt[],
  { number, most }: { number: number; most: number },
  againAfterMs: number | null,
): Date | null {
  if (!looks.some(({ failure }) => failure?.mendable)) return null;
  const wait = number < most ? Math.min(retryMs.first * 2 ** (number - 1), retryMs.longest) : againAfterMs;
  return wait === null ? null : new Date(Date.now() + wait);
}

function failureOf(looks: LookedAt[], retryAt: Date | null): ApplicationFailure | undefined {
  const failures = looks.flatMap(({ name, failure }) => (failure ? [{ name, ...failure }] : []));
  if (failures.length === 0) return undefined;
  const mendable = failures.some((failure) => failure.mendable);
  const words = ({ name, message }: SourceFailure & { name: string }): string =>
    looks.length > 1 ? `${name}: ${message}` : message;
  return ApplicationFailure.create({
    message: failures.map(words).join('; '),
    type: mendable ? evidenceFailures.unavailable : evidenceFailures.refused,
    nonRetryable: !mendable,
    ...(retryAt ? { nextRetryDelay: Math.max(0, retryAt.getTime() - Date.now()) } : {}),
  });
}

/** For people, under 'why these lines'. */
function describe(query: LogQuery, looks: LookedAt[]): Record<string, unknown> {
  const found = looks.flatMap((look) => (look.found ? [{ name: look.name, found: look.found }] : []));
  const named = (texts: { name: string; text: string }[]): string =>
    cut(texts.map(({ name, text }) => (looks.length > 1 ? `${name}: ${text}` : text)).join('; '), 4000);
  const notes = looks.flatMap(({ name, notes }) => notes.map((text) => ({ name, text })));
  const incomparable = found.some(({ found: { before } }) => before === null);
  return {
    from: new Date(query.from).toISOString(),
    to: new Date(query.to).toISOString(),
    lines: cut(describeSelectors(query.anyOf) || 'errors of everything: the alert names nothing', 2000),
    ...(query.within.length > 0 ? { within: cut(describeSelectors(query.within), 2000) } : {}),
    ...(found.length > 0
      ? {
          asked: named(found.map(({ name, found: { asked } }) => ({ name, text: asked }))),
          read: found.reduce((sum, one) => sum + one.found.during.lines.length, 0),
        }
      : {}),
    ...(notes.length > 0 ? { note: named(notes) } : {}),
    ...(incomparable ? { compared: 'the hour before could not be read, so nothing is marked new' } : {}),
  };
}
