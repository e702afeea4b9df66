import type { ServiceKind } from './service.ts';

/** One operation of one service inside a trace, as much of it as topology and root cause look at. */
export interface Span {
  /** Hexadecimal, small letters: 32 and 16 characters. */
  traceId: string;
  spanId: string;
  /** Null for the root. */
  parentSpanId: string | null;
  service: string;
  /** What it calls, where it says so: a service, a database, a queue, a host. */
  peer: string | null;
  /** What the peer is; `external` is a host that may turn out to be a service that reports spans itself. */
  peerKind: ServiceKind | null;
  name: string;
  /** Epoch ms, by the service's own clock. */
  startedAt: number;
  endedAt: number;
  failed: boolean;
  /** Why it failed, in the service's words. */
  message: string | null;
}

export interface Trace {
  traceId: string;
  /** By start. */
  spans: Span[];
}
