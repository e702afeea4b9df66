import type { Dependency, ServiceKind } from './service.ts';
import { serviceName, serviceOfHost } from './service-name.ts';

/** What there is, and what calls what, as far as some observation shows. */
export interface Observed {
  services: { name: string; kind: ServiceKind }[];
  dependencies: Dependency[];
}

/** Who calls, in the order in which they are asked: Istio's, Linkerd's and Tempo's service graph labels. */
const callerLabels = [
  'source_canonical_service',
  'source_workload',
  'source_app',
  'source_service',
  'client',
  'client_service',
];

/** What is called. */
const calleeLabels = [
  'destination_canonical_service',
  'destination_service_name',
  'destination_workload',
  'destination_service',
  'destination_app',
  'dst_service',
  'dst_deployment',
  'server',
  'server_service',
  'peer_service',
  'peer.service',
  'upstream_service',
  'upstream_cluster',
  'envoy_cluster_name',
];

/**
 * What an alert's labels show: its own service, and a call where they name a source and a destination, or a
 * destination besides the alert's own service. `service` is the one that the alert was taken to be of.
 */
export function observedInAlert(alert: {
  service: string | null;
  labels: Readonly<Record<string, string>>;
}): Observed {
  const own = alert.service === null ? null : serviceName(alert.service);
  const callee = named(alert.labels, calleeLabels);
  const caller = named(alert.labels, callerLabels) ?? (own === callee ? null : own);
  const names = new Set([own, caller, callee].filter((name) => name !== null));
  return {
    services: [...names].map((name) => ({ name, kind: 'service' })),
    dependencies:
      caller !== null && callee !== null && caller !== callee ? [{ from: caller, to: callee }] : [],
  };
}

function named(labels: Readonly<Record<string, string>>, asked: readonly string[]): string | null {
  for (const label of asked) {
    const value = labels[label];
    if (value === undefined) continue;
    // Envoy: 'outbound|9080||reviews.shop.svc.cluster.local'; 'PassthroughCluster' is where nothing is known
    const host = value.split('|').at(-1) ?? '';
    if (/^(?:Passthrough|BlackHole|InboundPassthrough)Cluster/.test(host)) continue;
    const found = serviceOfHost(host);
    if (found) return found.name;
  }
  return null;
}
