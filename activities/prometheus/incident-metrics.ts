import { serviceOf } from '../../domain/alert.ts';
import { fairTurns, NoTurnError } from '../../domain/fair-turns.ts';
import type { IncidentMetric } from '../../domain/incident/analysis.ts';
import { unboundedIn } from '../../domain/promql/bounded-expression.ts';
import type { MetricEvidence } from '../../domain/root-cause/evidence.ts';
import { alertExpression, expressionOf, metricNames, unitOfExpression } from './alert-expression.ts';
import { PrometheusError } from './client.ts';
import { queryRange, type RangeSeries } from './query-range.ts';

/** An alert, as far as it says what it measured. */
export interface MeasuringAlert {
  name: string;
  service: string | null;
  labels: Record<string, string>;
  generatorUrl: string | null;
}

export interface IncidentMetrics {
  /** To be drawn: the alerts' own series. */
  metrics: IncidentMetric[];
  /** Of every service that the same expressions find: those without an alert tell as much. */
  evidence: MetricEvidence[];
  /** What could not be read, sentences. */
  notes: string[];
}

/** Different expressions that are asked for; the first alerts' ones. */
const mostExpressions = 12;
const atOnce = 4;
/** Series of one expression that are asked for, that are kept as evidence, and that are drawn. */
const mostAsked = 1000;
const mostSeries = 60;
const mostDrawn = 8;
const pointsPerSeries = 120;
const finestStepMs = 15_000;
const timeoutMs = 8_000;
/** After that no further expression is asked for: what is there is better than a better answer too late. */
const defaultPatienceMs = 20_000;
const mostBytes = 8 * 1024 * 1024;
/** Expressions that are not asked for and that a note tells of. */
const mostRefusals = 3;

/** However many incidents are analysed at once, this process asks no more than this at once. */
const inTurn = fairTurns({ atOnce, waiting: { ofOne: mostExpressions, ofAll: 100 } });

/**
 * Asks for what the alerts' own expressions measured between two times (epoch ms). The expressions come from outside
 * and are asked of the Prometheus that the operator named, never of the one that they name: bounded in what they may
 * read, in number, time and size. What is not asked for, refused or cannot be answered is in the notes.
 * @param incident whose metrics they are: incidents take turns
 */
export async function readIncidentMetrics(
  baseUrl: string,
  {
    incident,
    alerts,
    from,
    to,
    patienceMs = defaultPatienceMs,
  }: {
    incident: string;
    alerts: readonly MeasuringAlert[];
    from: number;
    to: number;
    patienceMs?: number;
  },
): Promise<IncidentMetrics> {
  const found: IncidentMetrics = { metrics: [], evidence: [], notes: [] };
  const rules = rulesOf(alerts).filter(({ measured, alerts: [first] }) => {
    const problem = unboundedIn(measured);
    if (problem === undefined) return true;
    if (found.notes.length < mostRefusals) {
      found.notes.push(`Metrics of ${first?.name ?? 'an alert'} were not asked for: ${problem}.`);
    }
    return false;
  });
  if (rules.length > mostExpressions) {
    found.notes.push(`Metrics: only the first ${mostExpressions} of ${rules.length} expressions were read.`);
  }
  const asked = rules.slice(0, mostExpressions);
  const began = performance.now();
  const patience = AbortSignal.timeout(patienceMs);
  for (let next = 0; next < asked.length; next += atOnce) {
    if (performance.now() - began > patienceMs) {
      found.notes.push(
        `Metrics: ${next} of ${asked.length} expressions took Prometheus too long to ask for more.`,
      );
      break;
    }
    const answers = await Promise.allSettled(
      asked.slice(next, next + atOnce).map(async (rule) => {
        const stepMs = Math.max(finestStepMs, Math.ceil((to - from) / pointsPerSeries / 1000) * 1000);
        const range = { query: rule.measured, from, to, stepMs, timeoutMs, mostBytes, mostSeries: mostAsked };
        return { rule, series: await inTurn(incident, () => queryRange(baseUrl, range), patience) };
      }),
    );
    for (const answer of answers) {
      if (answer.status === 'fulfilled') add(found, baseUrl, to, answer.value);
      else found.notes.push(`Metrics could not be read: ${reasonOf(answer.reason)}`);
    }
    // one that is away is away for the others, too
    if (answers.some((answer) => answer.status === 'rejected' && isMendable(answer.reason))) break;
  }
  found.notes = [...new Set(found.notes)];
  return found;
}

/** The alerts by the expression that fired them. */
function rulesOf(alerts: readonly MeasuringAlert[]): Rule[] {
  const rules = new Map<string, MeasuringAlert[]>();
  for (const alert of alerts) {
    const expression = alert.generatorUrl === null ? undefined : expressionOf(alert.generatorUrl);
    if (expression === undefined) continue;
    rules.set(expression, [...(rules.get(expression) ?? []), alert]);
  }
  return [...rules].map(([expression, own]) => ({ ...alertExpression(expression), alerts: own }));
}

interface Rule {
  measured: string;
  threshold: number | null;
  alerts: MeasuringAlert[];
}

function add(
  found: IncidentMetrics,
  baseUrl: string,
  to: number,
  { rule, series }: { rule: Rule; series: RangeSeries[] },
): void {
  const matched = series.map((one) => ({ ...one, alert: rule.alerts.find((alert) => isOf(one, alert)) }));
  // the alerts' own first, so that what is cut off is what nobody asked about
  const kept = [...matched.filter(({ alert }) => alert), ...matched.filter(({ alert }) => !alert)].slice(
    0,
    mostSeries,
  );
  const metric = metricNames(rule.measured).join(' / ') || (rule.alerts[0]?.name ?? rule.measured);
  const unit = unitOfExpression(rule.measured);
  for (const { labels, points, alert } of kept) {
    const service = alert?.service ?? serviceOf(labels);
    if (service === null || points.length === 0) continue;
    found.evidence.push({ service, metric, ...(unit ? { unit } : {}), points: points.map(plotted) });
  }
  const own = kept.filter(({ alert }) => alert);
  const drawn = (own.length > 0 ? own : kept).filter(({ points }) => points.length > 0).slice(0, mostDrawn);
  if (drawn.length === 0) return;
  const services = new Set(rule.alerts.map(({ service }) => service));
  const service = services.size === 1 ? ([...services][0] ?? null) : null;
  const name = rule.alerts[0]?.name ?? metric;
  found.metrics.push({
    title: service === null ? name : `${name} on ${service}`,
    expression: rule.measured,
    service,
    unit,
    series: drawn.map(({ labels, points }) => ({
      name: nameAmong(
        labels,
        drawn.map((other) => other.labels),
      ),
      points: points.map(plotted),
    })),
    threshold: rule.threshold,
    link: graphLink(baseUrl, rule.measured, to),
  });
}

/** An alert has all labels of its series, and those of its rule. */
function isOf({ labels }: RangeSeries, alert: MeasuringAlert): boolean {
  return Object.entries(labels).every(([name, value]) => name === '__name__' || alert.labels[name] === value);
}

/** Six digits are more than a chart shows. */
const plotted = ({ at, value }: { at: number; value: number }): [number, number] => [
  Math.round(at / 1000),
  Number(value.toPrecision(6)),
];

/** By the labels in which it differs from the others; by all where it is alone. */
function nameAmong(labels: Record<string, string>, others: Record<string, string>[]): string {
  const names = Object.keys(labels).filter((name) => name !== '__name__');
  const telling = names.filter((name) => others.some((other) => other[name] !== labels[name]));
  const shown = telling.length > 0 ? telling : names;
  return shown.map((name) => `${name}=${labels[name]}`).join(', ') || 'value';
}

/** To the query in Prometheus's own pages; without the user and password that Holdfast itself may sign in with. */
function graphLink(baseUrl: string, expression: string, to: number): string {
  const url = new URL(baseUrl);
  url.username = '';
  url.password = '';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/graph`;
  url.searchParams.set('g0.expr', expression);
  url.searchParams.set('g0.tab', '0');
  url.searchParams.set('g0.range_input', '1h');
  url.searchParams.set('g0.end_input', new Date(to).toISOString().slice(0, 19).replace('T', ' '));
  return url.href;
}

function reasonOf(error: unknown): string {
  if (error instanceof PrometheusError) return error.message;
  if (error instanceof NoTurnError) return 'those of other incidents are being read';
  throw error;
}

function isMendable(error: unknown): boolean {
  return error instanceof NoTurnError || (error instanceof PrometheusError && error.mendable);
}
