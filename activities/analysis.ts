import {
  type AnalysedAlert,
  hasLateSources,
  listAnalysedAlerts,
  listFailurePatterns,
  readJudgedCause,
  readVerdicts,
  saveAnalysis,
} from '../db/analysis.ts';
import { candidateChanges, confirmationHistory } from '../db/changes.ts';
import type { Database, Tx } from '../db/database.ts';
import { readLogsByService } from '../db/logs.ts';
import { learnFromAlerts } from '../db/observed-topology.ts';
import { findPastIncidents } from '../db/similar.ts';
import { failingTraces } from '../db/spans.ts';
import { readGraph } from '../db/topology.ts';
import {
  clockSkewMs,
  lookBackMs,
  relatedServices,
  type ScoredChange,
  scoreChanges,
  toldChangeWords,
} from '../domain/changes/score.ts';
import { probableCause } from '../domain/incident/cause.ts';
import { alertTime } from '../domain/logs/query.ts';
import type { Evidence } from '../domain/root-cause/evidence.ts';
import { firstFailures } from '../domain/root-cause/first-failures.ts';
import { similarIncidents } from '../domain/similar/similar-incidents.ts';
import { traitsOf } from '../domain/similar/traits.ts';
import { serviceGraph } from '../domain/topology/graph.ts';
import type { Trace } from '../domain/topology/span.ts';
import { type IncidentMetrics, readIncidentMetrics } from './prometheus/incident-metrics.ts';
import { createRanking } from './ranking.ts';

export interface AnalysisDeps {
  db: Pick<Database, 'read' | 'write'>;
  /** Where alerts' expressions are asked for their values; without it no metrics are looked at. */
  prometheusUrl?: string | undefined;
  /** Whose that Prometheus is: the alerts of others are not asked for there. */
  ownsEnvironment: (orgId: string) => Promise<boolean>;
  clock: () => number;
}

/** What is told of an analysis; all of it stands on the incident. */
export interface Analysis {
  /** Null: nothing is sure enough. */
  cause: { service: string; confidence: number; reasons: string[] } | null;
  changes: { id: number; sentence: string }[];
  /** Nothing tells of traces, changes or metrics, so that a later look would find the same. */
  complete?: true;
}

/** Around the alerts, for their metrics. */
const aroundMs = 30 * 60_000;
/** From this score on a change is told; from the first look at it, it stands on the incident's page. */
const toldFrom = 0.5;
const told = { changes: 3, reasons: 3, length: 300 };
const changesKept = 50;
/** Failed traces that are looked through, the latest, from a little before the first alert. */
const tracesRead = 50;
const beforeAlertMs = 2 * 60_000;
const causesKept = 20;

export type AnalysisActivities = ReturnType<typeof createAnalysisActivities>;

export function createAnalysisActivities({ db, prometheusUrl, ownsEnvironment, clock }: AnalysisDeps) {
  const ranking = createRanking();

  return {
    /**
     * Looks at all that is known of the incident together, and puts on it what follows: the ranking of causes, related
     * changes, metrics, similar incidents. What it saves replaces what an earlier one saved, so it may run again. A
     * source that is away costs its part, and a note says so.
     */
    async analyseIncident(args: {
      orgId: string;
      incidentId: string;
      /** The service that was told as the cause before. */
      told: string | null;
    }): Promise<Analysis> {
      const { orgId, incidentId } = args;
      const alerts = await db.read({ orgId }, (tx) => listAnalysedAlerts(tx, incidentId));
      // merged into another one meanwhile
      if (alerts.length === 0) return { cause: null, changes: [] };
      await db.write({ orgId }, (tx) => learnFromAlerts(tx, { orgId, alerts }));
      const known = await db.read({ orgId }, (tx) => readKnown(tx, incidentId, alerts, clock()));
      const { metrics, evidence, notes } = await metricsOf({ orgId, incidentId }, alerts);
      const ranked = await ranking.rank(orgId, { ...known.evidence, metrics: evidence });
      if (ranked.note !== null) notes.push(ranked.note);
      const causes = ranked.causes.slice(0, causesKept);
      const cause = probableCause(causes, args.told);
      const traits = traitsOf({
        alertNames: alerts.map(({ name }) => name),
        services: servicesOf(alerts),
        patterns: known.patterns,
        cause: known.judgedCause ?? cause?.service ?? null,
      });
      const past = await db.read({ orgId }, (tx) => findPastIncidents(tx, { incidentId, traits }));
      await db.write({ orgId }, (tx) =>
        saveAnalysis(tx, {
          orgId,
          incidentId,
          causes,
          cause,
          similar: similarIncidents({ traits, ...past }),
          metrics,
          changes: known.changes.slice(0, changesKept),
          traits,
          notes,
        }),
      );
      const reasons = causes.find(({ service }) => service === cause?.service)?.reasons ?? [];
      return {
        cause: cause && { ...cause, reasons: reasons.slice(0, told.reasons).map(short) },
        changes: known.changes
          .filter(({ id, score }) => score >= toldFrom && known.verdicts.get(id) !== 'dismissed')
          .slice(0, told.changes)
          .map(({ id, sentence }) => ({ id, sentence: short(sentence) })),
        ...(ranked.note !== null || known.hasLateSources || (await asksPrometheus(orgId))
          ? {}
          : { complete: true as const }),
      };
    },
  };

  async function metricsOf(
    { orgId, incidentId }: { orgId: string; incidentId: string },
    alerts: readonly AnalysedAlert[],
  ): Promise<IncidentMetrics> {
    const without = (why: string): IncidentMetrics => {
      const isMissed = alerts.some(({ generatorUrl }) => generatorUrl);
      return { metrics: [], evidence: [], notes: isMissed ? [`Metrics were not looked at: ${why}.`] : [] };
    };
    if (prometheusUrl === undefined) return without('PROMETHEUS_URL names no Prometheus to ask');
    if (!(await asksPrometheus(orgId))) {
      return without('the Prometheus at PROMETHEUS_URL is that of the first organization');
    }
    const times = alerts.map(alertTime);
    return await readIncidentMetrics(prometheusUrl, {
      incident: incidentId,
      alerts,
      from: Math.min(...times) - aroundMs,
      to: Math.min(clock(), Math.max(...times) + aroundMs),
    });
  }

  async function asksPrometheus(orgId: string): Promise<boolean> {
    return prometheusUrl !== undefined && (await ownsEnvironment(orgId));
  }
}

/** What the database holds of the incident's evidence. */
async function readKnown(tx: Tx, incidentId: string, alerts: readonly AnalysedAlert[], now: number) {
  const dependencies = await readGraph(tx);
  const verdicts = await readVerdicts(tx, incidentId);
  const changes = await relatedChanges(tx, incidentId, alerts, dependencies);
  const logs = await readLogsByService(tx, { incidentId });
  const traces = await failingTraces(tx, {
    services: servicesOf(alerts),
    from: Math.min(...alerts.map(alertTime)) - beforeAlertMs,
    to: now,
    limit: tracesRead,
  });
  const evidence: Evidence = {
    alerts: alerts.map(({ service, name, severity, labels, ...times }) => ({
      service,
      name,
      severity,
      labels,
      startsAt: alertTime(times),
    })),
    dependencies,
    changes: changes.flatMap((change) => {
      const verdict = verdicts.get(change.id);
      if (change.service === null || verdict === 'dismissed') return [];
      const score = verdict === 'confirmed' ? 1 : change.score;
      return [{ service: change.service, at: change.at, score, title: toldChangeWords(change) }];
    }),
    logs: logs.map(({ sample, ...about }) => ({ ...about, ...(sample ? { sample } : {}) })),
    traces: firstFailures(traces.flatMap(failuresIn)),
  };
  return {
    evidence,
    changes,
    verdicts,
    patterns: await listFailurePatterns(tx, incidentId),
    judgedCause: await readJudgedCause(tx, incidentId),
    hasLateSources: await hasLateSources(tx),
  };
}

/** A failed call of what reports no spans itself, such as a database, is that one's failure. */
function failuresIn({ spans }: Trace) {
  const called = new Set(spans.map(({ parentSpanId }) => parentSpanId));
  return spans.map((span) =>
    span.failed && span.peer !== null && !called.has(span.spanId) ? { ...span, service: span.peer } : span,
  );
}

async function relatedChanges(
  tx: Tx,
  incidentId: string,
  alerts: readonly AnalysedAlert[],
  dependencies: Evidence['dependencies'],
): Promise<ScoredChange[]> {
  const graph = serviceGraph(dependencies);
  const startedAt = Math.min(...alerts.map(alertTime));
  const services = servicesOf(alerts);
  const changes = await candidateChanges(tx, {
    incidentId,
    from: new Date(startedAt - lookBackMs),
    to: new Date(startedAt + clockSkewMs),
    services: relatedServices(services, graph),
  });
  const changed = new Set(changes.flatMap(({ service }) => (service === null ? [] : [service])));
  const history = await confirmationHistory(tx, { incidentId, services: [...changed] });
  return scoreChanges({ changes, startedAt, services, environments: environmentsOf(alerts), graph, history });
}

function servicesOf(alerts: readonly AnalysedAlert[]): string[] {
  return [...new Set(alerts.flatMap(({ service }) => (service === null ? [] : [service])))];
}

/** The labels that name an environment, in the order in which they are asked. */
const environmentLabels = ['environment', 'env', 'deployment_environment', 'stage'];

function environmentsOf(alerts: readonly AnalysedAlert[]): string[] {
  const named = alerts.flatMap(({ labels }) => {
    const label = environmentLabels.find((name) => labels[name]);
    return label === undefined ? [] : [labels[label] ?? ''];
  });
  return [...new Set(named)];
}

const short = (text: string): string =>
  text.length > told.length ? `${text.slice(0, told.length - 1)}…` : text;
