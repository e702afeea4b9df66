import { cut, type LogLine, logLevel } from '../../domain/logs/log-line.ts';
import type { LogField } from '../../domain/logs/query.ts';
import { messageRead } from './log-source.ts';

/** Which fields of a record hold what; the first that has a value counts. Dotted names go into what is nested. */
export type RecordFields = Record<LogField | 'timestamp' | 'level' | 'message', string[]>;

/** ECS first, then what shippers and logging libraries commonly write. */
export const defaultRecordFields: RecordFields = {
  timestamp: ['@timestamp', 'timestamp', 'time', 'ts'],
  message: ['message', 'msg', 'log', 'body', 'event.original', 'error.stack_trace'],
  level: ['log.level', 'level', 'severity', 'loglevel', 'severity_text', 'levelname'],
  service: [
    'service.name',
    'service',
    'kubernetes.labels.app',
    'kubernetes.labels.app_kubernetes_io/name',
    'kubernetes.deployment.name',
    'kubernetes.container.name',
    'container.name',
    'app',
    'application',
    'resource.attributes.service.name',
  ],
  host: ['host.name', 'host.hostname', 'hostname', 'host', 'kubernetes.node.name', 'agent.hostname', 'node'],
  namespace: [
    'kubernetes.namespace',
    'kubernetes.namespace_name',
    'orchestrator.namespace',
    'namespace',
    'labels.namespace',
  ],
  pod: ['kubernetes.pod.name', 'kubernetes.pod_name', 'orchestrator.resource.name', 'pod', 'labels.pod'],
  instance: [
    'service.address',
    'instance',
    'labels.instance',
    'host.name',
    'host.hostname',
    'hostname',
    'host',
    'host.ip',
  ],
};

/**
 * The line that a record is, its parts read by their names. `at`: epoch milliseconds. What the record does not say
 * comes from `otherwise`.
 */
export function readRecord(
  record: Record<string, unknown>,
  fields: RecordFields,
  at: number,
  otherwise: { message?: string; service?: string | null; host?: string | null } = {},
): LogLine {
  const first = (field: keyof RecordFields): string | undefined =>
    fields[field].map((name) => textAt(record, name)).find((text) => text !== undefined && text !== '');
  const trace = textAt(record, 'error.stack_trace');
  const main = first('message') ?? otherwise.message ?? '';
  const message = cut(trace && !main.includes(trace) ? `${main}\n${trace}` : main, messageRead);
  const labels: Record<string, string> = {};
  for (const field of ['namespace', 'pod'] as const) {
    const value = first(field);
    if (value !== undefined) labels[field] = value;
  }
  return {
    at,
    service: first('service') ?? otherwise.service ?? null,
    host: first('host') ?? otherwise.host ?? null,
    level: logLevel(first('level'), message),
    message,
    labels,
  };
}

/** The value at a dotted name, whether the record nests it or writes the dots. */
export function textAt(record: Record<string, unknown>, name: string): string | undefined {
  if (Object.hasOwn(record, name)) return asText(record[name]);
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const inner = record[name.slice(0, dot)];
    if (isObject(inner)) {
      const found = textAt(inner, name.slice(dot + 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** What is written in a line that is a JSON object; undefined for any other line. */
export function jsonRecord(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function asText(value: unknown): string | undefined {
  if (Array.isArray(value)) return asText(value[0]);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
