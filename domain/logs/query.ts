/** What a log source is asked for, in no source's language. */
export interface LogQuery {
  /** Epoch milliseconds; `to` is not included. */
  from: number;
  to: number;
  /** Lines of which at least one of these holds; empty: lines of everything, errors only. */
  anyOf: LogSelector[];
  /** Lines that say something else here are left out; lines that say nothing stay. */
  within: LogSelector[];
  /** Instead of `anyOf` and `within`: in the source's own language, with every value quoted; from a template. */
  statement?: string;
  /** Lines at most; the worst levels come first, then the latest. */
  limit: number;
}

/** Fields of a line that alerts can name. Which field of a source holds each is the source's mapping. */
export const logFields = ['service', 'host', 'namespace', 'pod', 'instance'] as const;
export type LogField = (typeof logFields)[number];

export interface LogSelector {
  field: LogField;
  /** Any of these; never empty. Data from outside: a source quotes it by its own rules. */
  values: string[];
}

/** Which alert labels name a field; the first that the alert has counts. */
export type LabelMapping = Record<LogField, string[]>;

export const defaultLabelMapping: LabelMapping = {
  service: ['service', 'service_name', 'app', 'app_kubernetes_io_name', 'application', 'component', 'job'],
  host: ['host', 'hostname', 'node', 'nodename', 'kubernetes_node', 'server'],
  namespace: ['namespace', 'kubernetes_namespace', 'exported_namespace'],
  pod: ['pod', 'pod_name', 'kubernetes_pod_name', 'exported_pod'],
  instance: ['instance', 'exported_instance'],
};

/** What of an alert the query is made from. Times in epoch milliseconds. */
export interface AlertTrace {
  labels: Record<string, string>;
  startsAt: number;
  /** The database's clock. */
  receivedAt: number;
}

const minute = 60_000;
/** Looked at before and after an alert. */
const around = 5 * minute;
/** An incident's alerts may lie far apart: no more than this is searched, the latest. */
const longestWindow = 60 * minute;
/** A start further back than this belongs to an earlier firing. */
const oldestStart = 60 * minute;
const valuesPerField = 20;
const longestValue = 500;

/** Around `startsAt` where it is credible, otherwise around the receipt: senders' clocks and re-firings lie. */
export function alertTime(alert: Pick<AlertTrace, 'startsAt' | 'receivedAt'>): number {
  const credible =
    alert.startsAt <= alert.receivedAt + minute && alert.startsAt >= alert.receivedAt - oldestStart;
  return credible ? Math.min(alert.startsAt, alert.receivedAt) : alert.receivedAt;
}

/** The lines around `alerts`, of what their labels name. Throws RangeError when there is no alert. */
export function logQuery(
  alerts: readonly AlertTrace[],
  options: { limit: number; mapping?: LabelMapping },
): LogQuery {
  if (alerts.length === 0) throw new RangeError('a log query needs at least one alert');
  const mapping = options.mapping ?? defaultLabelMapping;
  const times = alerts.map(alertTime);
  const to = Math.max(...times) + around;
  const from = Math.max(Math.min(...times) - around, to - longestWindow);

  const selectors = logFields.flatMap((field): LogSelector[] => {
    const values = [...new Set(alerts.flatMap((alert) => namedBy(alert.labels, mapping[field])))];
    return values.length > 0 ? [{ field, values: values.slice(0, valuesPerField) }] : [];
  });
  const namespaces = selectors.filter((selector) => selector.field === 'namespace');
  const things = selectors.filter((selector) => selector.field !== 'namespace');
  return things.length > 0
    ? { from, to, anyOf: things, within: namespaces, limit: options.limit }
    : { from, to, anyOf: namespaces, within: [], limit: options.limit };
}

function namedBy(labels: Record<string, string>, names: string[]): string[] {
  const name = names.find((candidate) => labels[candidate]?.trim());
  const value = name === undefined ? undefined : labels[name]?.trim().toWellFormed().replaceAll('\u0000', '');
  return value && value.length <= longestValue ? [value] : [];
}

/** The hour before: what was said then is nothing new. */
export function queryBefore(query: LogQuery): LogQuery {
  return { ...query, from: query.from - 60 * minute, to: query.from };
}

/** An instance names a host, often with a port: both spellings, '10.0.0.7:9100' and '10.0.0.7'. */
export function instanceHosts(value: string): string[] {
  const host = /^\[?(.+?)\]?:\d{1,5}$/.exec(value)?.[1];
  return host && host !== value ? [value, host] : [value];
}

/** For people: "service checkout, pod checkout-7c or checkout-8d". */
export function describeSelectors(selectors: readonly LogSelector[]): string {
  return selectors.map(({ field, values }) => `${field} ${values.join(' or ')}`).join(', ');
}
