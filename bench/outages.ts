import { reach, type ServiceGraph, serviceGraph } from '../domain/topology/graph.ts';
import type { Dependency } from '../domain/topology/service.ts';
import { Random } from './random.ts';
import { type GraphShape, makeCalls } from './service-graphs.ts';

/*
 * Outages made up to measure correlation and root cause by: a random graph of services, causes in it that spread to
 * those who call, and the alerts that come of it, late, lost, repeated and amid noise.
 */

/** What an outage is made by. Shares and chances are 0 to 1. */
export interface OutageSettings {
  services: number;
  shape: GraphShape;
  /** What a service calls, in the mean. */
  calls: number;
  /** Share of calls that lead back up and close a cycle. */
  cycles: number;
  /** Share of calls that the topology does not know. */
  unknownCalls: number;
  outages: number;
  /**
   * How two outages lie: 'apart' has hardly a caller in common, 'touching' any number of them, 'any' may even lie in
   * what the other one breaks, where only time tells them apart.
   */
  overlap: 'apart' | 'touching' | 'any';
  /** A caller that two outages reach alerts for each of them; else it fails once, for the one that reaches it first. */
  alertsForEach: boolean;
  /** Seconds between the first and the last outage's beginning, at most. */
  spread: number;
  /** Chance that a caller of what fails fails too. */
  spreads: number;
  /** How far an outage spreads, in calls. */
  depth: number;
  /** Seconds until an alert of what failed arrives, at most; each call on the way up adds a tenth of it. */
  delay: number;
  loss: number;
  /** Share of all alerts that belong to nothing. */
  noise: number;
  repeats: number;
  /** Share of alerts that do not name their service. */
  unnamed: number;
  /** Chance of an outage that those whom the failing ones call complain of missing traffic. */
  starved: number;
  /** Machines that the services share; 0: alerts name none. */
  hosts: number;
}

export interface MadeAlert {
  service: string | null;
  name: string;
  /** Milliseconds since 1970. */
  at: number;
  labels: Record<string, string>;
  /** Which outage it belongs to; below 0: noise, each of which is alone with its own repeats. */
  outage: number;
}

export interface MadeOutages {
  alerts: MadeAlert[];
  /** What the topology knows. */
  dependencies: Dependency[];
  /** The service in which each outage began. */
  causes: string[];
}

export function makeOutages(settings: OutageSettings, seed: number): MadeOutages {
  const random = new Random(seed);
  const calls = makeCalls(settings, random);
  const graph = serviceGraph(calls);
  const causes = placeCauses(settings, graph, random);
  const began = Date.UTC(2026, 0, 31, 3);
  const failing = causes.map((cause, outage) => ({
    outage,
    ...spreadFrom(
      settings,
      graph,
      cause,
      began + (outage === 0 ? 0 : random.between(0, settings.spread) * 1000),
      random,
    ),
  }));
  const hosts = new Map(
    graph.services.map((service) => [service, random.whole(1, Math.max(1, settings.hosts))]),
  );
  const alerts: MadeAlert[] = [];
  const failed = new Map<string, number>();
  const raise = (service: string, names: readonly string[], at: number, outage: number) =>
    alerts.push(...raisedBy(settings, { service, host: hosts.get(service) ?? 1, names, at, outage }, random));
  const all = failing
    .flatMap(({ outage, at }) => [...at].map(([service, time]) => ({ outage, service, time })))
    .sort((a, b) => a.time - b.time);
  for (const { outage, service, time } of all) {
    if (failed.has(service) && !settings.alertsForEach) continue;
    failed.set(service, time);
    raise(service, symptoms, time + random.between(0, settings.delay) * 1000, outage);
  }
  for (const { outage, at, starves } of failing) {
    if (!starves) continue;
    for (const [service, time] of at) {
      for (const callee of graph.callees(service)) {
        if (failed.has(callee) || !random.chance(0.5)) continue;
        failed.set(callee, time);
        raise(callee, starvation, time + random.between(0, settings.delay) * 1000, outage);
      }
    }
  }
  const span = (settings.spread + 2 * settings.delay + 60) * 1000;
  const noisy = Math.round((alerts.length * settings.noise) / (1 - settings.noise));
  for (let i = 0; i < noisy; i++) {
    raise(random.pick(graph.services), noises, began - 60_000 + random.between(0, span), -1 - i);
  }
  const dependencies = calls.filter(() => !random.chance(settings.unknownCalls));
  return { alerts: random.shuffled(alerts), dependencies, causes };
}

const symptoms = [
  'HighLatency',
  'HighErrorRate',
  'ServiceDown',
  'RequestTimeouts',
  'QueueBacklog',
  'SLOBurnRate',
  'ProbeFailed',
  'ConnectionErrors',
  'Http5xx',
  'ThreadPoolExhausted',
  'LatencyP99High',
  'CircuitBreakerOpen',
];
const starvation = ['LowTraffic', 'RequestRateDrop', 'ThroughputLow'];
const noises = [
  'CertificateExpiresSoon',
  'HighCpu',
  'HighMemory',
  'DiskSpaceLow',
  'PodRestarted',
  'HighLatency',
  'HighErrorRate',
];

/** What one failing service raises: one to three alerts, each lost or repeated by chance. */
function raisedBy(
  settings: OutageSettings,
  from: { service: string; host: number; names: readonly string[]; at: number; outage: number },
  random: Random,
): MadeAlert[] {
  const { service, at, outage } = from;
  const count = outage < 0 ? 1 : random.pick([1, 1, 1, 2, 2, 3]);
  const names = random.shuffled(from.names).slice(0, count);
  return names.flatMap((name, index) => {
    if (outage >= 0 && random.chance(settings.loss)) return [];
    const labels: Record<string, string> = { severity: random.pick(['critical', 'warning', 'info']) };
    labels.cluster = 'production';
    labels.namespace = `team-${service.length % 3}`;
    if (settings.hosts > 0) {
      labels.host = `node-${from.host}`;
      labels.pod = `${service}-${(from.host * 7919).toString(16)}-0`;
    }
    const named = !random.chance(settings.unnamed);
    if (named) labels.service = service;
    const first = at + index * random.between(0, 20_000);
    const made = { service: named ? service : null, name, labels, outage };
    const repeated = random.chance(settings.repeats) ? random.whole(1, 3) : 0;
    return Array.from({ length: repeated + 1 }, (_, repeat) => ({
      ...made,
      at: Math.round(first + repeat * 60_000),
    }));
  });
}

/** When each service fails that the cause reaches: those who call what fails, by chance, one call after the other. */
function spreadFrom(
  settings: OutageSettings,
  graph: ServiceGraph,
  cause: string,
  began: number,
  random: Random,
): { at: Map<string, number>; starves: boolean } {
  const at = new Map([[cause, began]]);
  let edge = [cause];
  for (let depth = 0; depth < settings.depth && edge.length > 0; depth++) {
    const next: string[] = [];
    for (const failing of edge) {
      for (const caller of graph.callers(failing)) {
        if (at.has(caller) || !random.chance(settings.spreads)) continue;
        at.set(caller, (at.get(failing) ?? began) + random.between(0, settings.delay / 10) * 1000);
        next.push(caller);
      }
    }
    edge = next;
  }
  return { at, starves: random.chance(settings.starved) };
}

/** Services that enough others call, so that there is an outage to speak of, as far apart as is asked for. */
function placeCauses(settings: OutageSettings, graph: ServiceGraph, random: Random): string[] {
  const cone = (service: string) => reach(graph, service, 'callers', settings.depth);
  const placed: string[] = [];
  for (const fewest of [3, 2, 1]) {
    for (const service of random.shuffled(graph.services)) {
      if (placed.length === settings.outages) return placed;
      const mine = cone(service);
      if (placed.includes(service) || mine.size < fewest) continue;
      const fits = placed.every((other) => {
        const theirs = cone(other);
        if (settings.overlap === 'any') return true;
        if (theirs.has(service) || mine.has(other)) return false;
        const shared = [...mine.keys()].filter((one) => theirs.has(one)).length;
        return settings.overlap === 'touching' || shared <= Math.min(mine.size, theirs.size) / 10;
      });
      if (fits) placed.push(service);
    }
  }
  return placed;
}
