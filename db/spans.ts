import { sql } from 'kysely';
import type { ServiceKind } from '../domain/topology/service.ts';
import type { Span, Trace } from '../domain/topology/span.ts';
import type { Tx } from './database.ts';
import { learnCalls, learnServices, type ObservedCalls } from './observed-topology.ts';

/**
 * Stores the spans of one request and learns from them who calls whom: from a parent of another service, also when
 * it came before or comes later, and from what a client span says that it calls. A span that is there already is
 * left as it is and counts once. Answers how many are new.
 */
export async function recordSpans(
  tx: Tx,
  { orgId, spans }: { orgId: string; spans: readonly Span[] },
): Promise<number> {
  if (spans.length === 0) return 0;
  const added = await insertSpans(tx, orgId, spans);
  const fresh = spans.filter((span) => added.delete(keyOf(span)));
  await learnServices(tx, { orgId, services: servicesOf(fresh) });
  await learnCalls(tx, {
    orgId,
    calls: [...(await callsToParents(tx, fresh)), ...namedCalls(fresh)],
    observedIn: 'traces',
  });
  return fresh.length;
}

function keyOf({ traceId, spanId }: { traceId: string; spanId: string }): string {
  return `${traceId}/${spanId}`;
}

/** The keys of those that were not there yet. */
async function insertSpans(tx: Tx, orgId: string, spans: readonly Span[]): Promise<Set<string>> {
  const { rows: added } = await sql<{ traceId: string; spanId: string }>`
    insert into spans (org_id, trace_id, span_id, parent_span_id, service, peer, peer_kind, name, started_at,
      ended_at, failed, message)
    select ${orgId}::uuid, s."traceId", s."spanId", s."parentSpanId", s.service, s.peer, s."peerKind", s.name,
      -- not as text of a date: that would lose the part of a millisecond by which spans are in order
      to_timestamp(s."startedAt" / 1000), to_timestamp(s."endedAt" / 1000), s.failed, s.message
    from jsonb_to_recordset(${JSON.stringify(spans)}::jsonb)
      as s("traceId" text, "spanId" text, "parentSpanId" text, service text, peer text, "peerKind" text, name text,
        "startedAt" float8, "endedAt" float8, failed boolean, message text)
    order by s."traceId", s."spanId"
    on conflict do nothing
    returning trace_id as "traceId", span_id as "spanId"
  `.execute(tx);
  return new Set(added.map(keyOf));
}

/** A client's host is left out: it may be a service that says its own name. */
function servicesOf(spans: readonly Span[]): { name: string; kind: ServiceKind }[] {
  return spans.flatMap(({ service, peer, peerKind }) => [
    { name: service, kind: 'service' as const },
    ...(peer === null || peerKind === null || peerKind === 'external'
      ? []
      : [{ name: peer, kind: peerKind }]),
  ]);
}

function namedCalls(spans: readonly Span[]): ObservedCalls[] {
  return spans.flatMap(({ service, peer, peerKind, failed }) =>
    peer === null || peerKind === 'external'
      ? []
      : [{ caller: service, callee: peer, calls: 1, errors: Number(failed) }],
  );
}

/** Calls between services that a parent and a child show of which at least one is among `fresh`. */
async function callsToParents(tx: Tx, fresh: readonly Span[]): Promise<ObservedCalls[]> {
  const keys = fresh.map(({ traceId, spanId, parentSpanId }) => ({ traceId, spanId, parentSpanId }));
  const { rows } = await sql<ObservedCalls>`
    with fresh as materialized (
      select k."traceId" as trace_id, k."spanId" as span_id, k."parentSpanId" as parent_span_id
      from jsonb_to_recordset(${JSON.stringify(keys)}::jsonb)
        as k("traceId" text, "spanId" text, "parentSpanId" text)
    ), pairs as (
      select parent.service as caller, child.service as callee, child.failed, child.peer_kind
      from fresh
      join spans child on child.trace_id = fresh.trace_id and child.span_id = fresh.span_id
      join spans parent on parent.trace_id = fresh.trace_id and parent.span_id = fresh.parent_span_id
      union all
      -- children that came before their parent
      select parent.service, child.service, child.failed, child.peer_kind
      from fresh
      join spans parent on parent.trace_id = fresh.trace_id and parent.span_id = fresh.span_id
      join spans child on child.trace_id = fresh.trace_id and child.parent_span_id = fresh.span_id
      where not exists (select from fresh f where f.trace_id = child.trace_id and f.span_id = child.span_id)
    )
    select caller, callee, count(*) as calls, count(*) filter (where failed) as errors
    from pairs
    -- who takes a message from a queue is not called by whom sent it: both depend on the queue alone
    where caller <> callee and peer_kind is distinct from 'queue'
    group by caller, callee
  `.execute(tx);
  return rows;
}

/**
 * Learns the calls to hosts by the client spans received from `from` until `to` (epoch ms) under which no other
 * service reported a span.
 */
export async function learnExternalCalls(
  tx: Tx,
  { orgId, from, to }: { orgId: string; from: number; to: number },
): Promise<void> {
  const { rows } = await sql<ObservedCalls>`
    select s.service as caller, s.peer as callee, count(*) as calls, count(*) filter (where s.failed) as errors
    from spans s
    where s.received_at >= ${new Date(from)} and s.received_at < ${new Date(to)} and s.peer_kind = 'external'
      and not exists (select from spans c where c.trace_id = s.trace_id and c.parent_span_id = s.span_id
        and c.service <> s.service)
    group by s.service, s.peer order by calls desc limit 1000
  `.execute(tx);
  await learnServices(tx, {
    orgId,
    // a name without a dot is one inside the own network
    services: rows.map(({ callee }) => ({
      name: callee,
      kind: callee.includes('.') ? 'external' : 'service',
    })),
  });
  await learnCalls(tx, { orgId, calls: rows, observedIn: 'traces' });
}

/** A trace of more spans than that says no more about where it broke. */
const spansOfTrace = 300;
/** Failed spans that are looked through for traces: the latest. */
const failedSpansRead = 5_000;

/**
 * The latest traces in which one of `services` failed between two points in time (epoch ms), whole as far as they
 * arrived: at most `limit`, of each the first 300 spans.
 */
export async function failingTraces(
  tx: Tx,
  asked: { services: readonly string[]; from: number; to: number; limit: number },
): Promise<Trace[]> {
  if (asked.services.length === 0) return [];
  const { rows } = await sql<Span>`
    with failed as (
      select trace_id, started_at from spans
      where failed and service = any(${[...asked.services]})
        and started_at >= ${new Date(asked.from)} and started_at < ${new Date(asked.to)}
      order by started_at desc limit ${failedSpansRead}
    ), chosen as (
      select trace_id, max(started_at) as failed_at from failed
      group by trace_id order by failed_at desc, trace_id limit ${asked.limit}
    )
    select s.* from chosen c cross join lateral (
      select trace_id as "traceId", span_id as "spanId", parent_span_id as "parentSpanId", service, peer,
        peer_kind as "peerKind", name, failed, message,
        (extract(epoch from started_at) * 1000)::float8 as "startedAt",
        (extract(epoch from ended_at) * 1000)::float8 as "endedAt"
      from spans where trace_id = c.trace_id order by started_at, span_id limit ${spansOfTrace}
    ) s
    order by c.failed_at desc, c.trace_id, s."startedAt", s."spanId"
  `.execute(tx);
  const traces = Map.groupBy(rows, ({ traceId }) => traceId);
  return [...traces].map(([traceId, spans]) => ({ traceId, spans }));
}
