import { serviceName, serviceOfHost } from '../../domain/topology/service-name.ts';
import type { Span } from '../../domain/topology/span.ts';
import { type Attributes, attributesOf, millisecondsOf, type OtlpSpan, otlpSpan } from './schema.ts';

/** A span as Holdfast keeps it, or why it can't: words for whoever sends it. */
export function spanOf(record: unknown, resource: Attributes): Span | { problem: string } {
  const parsed = otlpSpan.safeParse(record);
  if (!parsed.success) return { problem: `a span: ${parsed.error.issues[0]?.message}` };
  const span = parsed.data;
  const service = serviceName(String(resource.get('service.name') ?? ''));
  if (service === null) return { problem: "a span whose resource has no 'service.name'" };
  const startedAt = millisecondsOf(span.startTimeUnixNano);
  if (startedAt === null) return { problem: 'a span without startTimeUnixNano' };
  const attributes = attributesOf(span.attributes);
  const { name: peer, kind: peerKind } = peerOf(kindOf(span.kind), attributes) ?? { name: null, kind: null };
  const failure = failureOf(span, attributes);
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId || null,
    service,
    peer: peer === service ? null : peer,
    peerKind: peer === service ? null : peerKind,
    name: stored(span.name, 300),
    startedAt,
    endedAt: Math.max(startedAt, millisecondsOf(span.endTimeUnixNano) ?? startedAt),
    failed: failure !== null,
    message: failure && stored(failure, 1000),
  };
}

function stored(text: string, most: number): string {
  return text.slice(0, most).replaceAll('\0', '').toWellFormed();
}

type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal';
const kinds: SpanKind[] = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'];

/** By number, as the specification wants it in JSON too, or by name, as some write it. */
function kindOf(kind: number | string | null | undefined): SpanKind {
  const byName = kinds.find((known) => `SPAN_KIND_${known.toUpperCase()}` === kind);
  return byName ?? kinds[Number(kind ?? 0)] ?? 'internal';
}

/**
 * What a span calls, by the semantic conventions, stable and older ones: a queue for both of its ends, for both fail
 * with it; otherwise of a client the peer's service name, its database, its host.
 * https://opentelemetry.io/docs/specs/semconv/
 */
function peerOf(
  kind: SpanKind,
  attributes: Attributes,
): { name: string; kind: NonNullable<Span['peerKind']> } | null {
  if (kind === 'server' || kind === 'internal') return null;
  const text = (...keys: string[]) =>
    serviceName(String(keys.map((key) => attributes.get(key)).find(Boolean) ?? ''));
  const messaging = text('messaging.system');
  if (messaging !== null) {
    const destination = text('messaging.destination.name', 'messaging.destination');
    return { name: destination ?? messaging, kind: 'queue' };
  }
  if (kind === 'consumer') return null;
  const service = text('service.peer.name', 'peer.service');
  const host = serviceOfHost(text('server.address', 'net.peer.name', 'net.sock.peer.name') ?? '');
  const database = text('db.system.name', 'db.system');
  if (database !== null) {
    const namespace = text('db.namespace', 'db.name');
    const name =
      service ?? host?.name ?? (namespace === null ? database : serviceName(`${database}/${namespace}`));
    return {
      name: name ?? database,
      kind: /^(redis|memcached|valkey)$/.test(database) ? 'cache' : 'database',
    };
  }
  if (service !== null) return { name: service, kind: 'service' };
  const called = host ?? serviceOfHost(hostOf(text('url.full', 'http.url') ?? ''));
  return called && { name: called.name, kind: 'external' };
}

function hostOf(url: string): string {
  return URL.parse(url)?.hostname ?? '';
}

/** gRPC codes that say that the server failed rather than the request: UNKNOWN, DEADLINE_EXCEEDED, INTERNAL… */
const failedRpc = new Set(['2', '4', '8', '13', '14', '15']);

/** Why the span failed, null when it did not. */
function failureOf(span: OtlpSpan, attributes: Attributes): string | null {
  const failed = span.status?.code === 2 || span.status?.code === 'STATUS_CODE_ERROR';
  const status = Number(
    attributes.get('http.response.status_code') ?? attributes.get('http.status_code') ?? 0,
  );
  const rpc = String(attributes.get('rpc.grpc.status_code') ?? '');
  if (!failed && status < 500 && !failedRpc.has(rpc)) return null;
  const exception = span.events.find(({ name }) => name === 'exception');
  const thrown = exception ? attributesOf(exception.attributes) : new Map<string, string>();
  const words = [thrown.get('exception.type'), thrown.get('exception.message')].filter(Boolean).join(': ');
  if (span.status?.message) return span.status.message;
  if (words !== '') return words;
  if (status >= 500) return `HTTP ${status}`;
  return failedRpc.has(rpc) ? `gRPC status ${rpc}` : 'failed';
}
