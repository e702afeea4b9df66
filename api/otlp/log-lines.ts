import { cut, type LogLine, logLevel, storedMessageLength } from '../../domain/logs/log-line.ts';
import { serviceName } from '../../domain/topology/service-name.ts';
import { type Attributes, attributesOf, millisecondsOf, otlpLogRecord, plainOf } from './schema.ts';

/** What logs are asked for by, under the names that alerts use. */
const originLabels: Record<string, string> = {
  'k8s.namespace.name': 'namespace',
  'k8s.pod.name': 'pod',
  'k8s.container.name': 'container',
  'k8s.deployment.name': 'deployment',
  'k8s.node.name': 'node',
  'service.instance.id': 'instance',
  'deployment.environment.name': 'environment',
  'deployment.environment': 'environment',
};

/** As many as a line of the built-in store may have. */
const labelsKept = 64;
const longestLabel = 1000;

/**
 * A log record as a line of the built-in store, or why it can't be one. A record without a time of its own has that
 * of its observation, or else `now`; an exception's trace follows the message.
 */
export function logLineOf(record: unknown, resource: Attributes, now: number): LogLine | { problem: string } {
  const parsed = otlpLogRecord.safeParse(record);
  if (!parsed.success) return { problem: `a log record: ${parsed.error.issues[0]?.message}` };
  const { timeUnixNano, observedTimeUnixNano, severityNumber, severityText, body, traceId, spanId } =
    parsed.data;
  const attributes = attributesOf(parsed.data.attributes);
  const message = storable(messageOf(body, attributes));
  if (message.trim() === '') return { problem: 'a log record without a body' };
  const host = resource.get('host.name') ?? attributes.get('host.name');
  return {
    at: millisecondsOf(timeUnixNano) ?? millisecondsOf(observedTimeUnixNano) ?? now,
    // without a name a line could not be stored, and OpenTelemetry's own for that is this
    service: serviceName(String(resource.get('service.name') ?? '')) ?? 'unknown_service',
    host: host === undefined ? null : storable(String(host)).slice(0, 255),
    level: levelOf(severityNumber) ?? logLevel(severityText, message),
    message: cut(message, storedMessageLength),
    labels: labelsOf(resource, attributes, { trace_id: traceId, span_id: spanId }),
  };
}

function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

function messageOf(body: unknown, attributes: Attributes): string {
  const plain = plainOf(body);
  const text =
    plain === undefined || plain === null ? '' : typeof plain === 'object' ? JSON.stringify(plain) : plain;
  const trace = attributes.get('exception.stacktrace');
  const thrown = [attributes.get('exception.type'), attributes.get('exception.message')]
    .filter(Boolean)
    .join(': ');
  return [text, trace ?? thrown].filter((part) => part !== '').join('\n');
}

/** 1 to 24 in steps of four. https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
const severities = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

function levelOf(severity: number | string | null | undefined): LogLine['level'] | undefined {
  const number = Number(severity ?? 0);
  return number >= 1 && number <= 24 ? severities[Math.floor((number - 1) / 4)] : undefined;
}

function labelsOf(
  resource: Attributes,
  attributes: Attributes,
  ids: Record<string, string | null | undefined>,
): Record<string, string> {
  const labels: Record<string, string> = {};
  const put = (name: string, value: string) => {
    if (Object.keys(labels).length < labelsKept)
      labels[storable(name)] = storable(value).slice(0, longestLabel);
  };
  for (const [name, label] of Object.entries(originLabels)) {
    const value = resource.get(name) ?? attributes.get(name);
    if (value !== undefined) put(label, String(value));
  }
  for (const [name, id] of Object.entries(ids)) if (id) put(name, id);
  for (const [name, value] of attributes) {
    // the trace is in the message
    if (!(name in originLabels) && name !== 'exception.stacktrace') put(name, String(value));
  }
  return labels;
}
