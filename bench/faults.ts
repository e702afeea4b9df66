import type { AlertEvidence, MetricEvidence, Symptom } from '../domain/root-cause/evidence.ts';
import type { Dependency } from '../domain/topology/service.ts';
import { Random } from './random.ts';

/** A fault put into a made-up system of services, with what its monitoring shows. */
export interface FaultCase {
  fault: Fault;
  style: string;
  dependencies: Dependency[];
  metrics: MetricEvidence[];
  alerts: AlertEvidence[];
  symptom?: Symptom;
  /** The true one. */
  cause: string;
}

export const faults = ['slow', 'errors', 'cpu', 'memory', 'crash', 'overload'] as const;
export type Fault = (typeof faults)[number];

/**
 * A layered graph, requests that flow down it, latency and failures that come up it. Rates, latencies and errors of a
 * service follow from those of what it calls and who calls it; on top lie noise, drifts, gaps, blips of bystanders,
 * calls that no graph tells of, and an alarm that comes some samples late.
 */
export function makeFault(seed: number): FaultCase {
  for (let attempt = 0; ; attempt++) {
    const made = attemptFault(new Random(seed * 97 + attempt));
    if (made) return made;
  }
}

/** Undefined for a fault that nobody would notice: its symptom does not leave its own noise. */
function attemptFault(random: Random): FaultCase | undefined {
  const system = makeSystem(random);
  const { names, calls } = system;
  const fault = random.pick(faults);
  const reachable = reachableFrom(calls, 0).filter((service) => service !== 0 || random.next() < 0.2);
  const cause = random.pick(reachable);
  const style = random.pick(styles);

  const step = random.pick([1, 5, 15, 60, 300]);
  const past = Math.round(random.between(20, 300));
  const present = Math.round(random.between(3, 60));
  const late = Math.floor(random.between(0, 3));
  const start = 1_750_000_000;
  const onset = start + past * step;
  const size = random.between(0.5, 2);
  const drifting = new Map(
    names.map((_, i) => [i, random.next() < 0.08 ? Math.floor(random.between(past * 0.3, past)) : null]),
  );

  const samples = Array.from({ length: past + present }, (_, at) =>
    sampleOf(
      system,
      { fault, cause, size, growth: (at - past + 1) / present, active: at >= past, at, past, drifting },
      random,
    ),
  );
  const noticed = fault === 'errors' || fault === 'crash' ? 'errors' : 'latency';
  if (
    !stands(
      samples.map((sample) => sample[noticed][0] ?? 0),
      past,
    )
  )
    return undefined;
  const metrics = names.flatMap((service, i) =>
    style.metrics.flatMap((metric): MetricEvidence[] => {
      if (random.next() < 0.05) return [];
      const blip = random.next() < 0.02 ? Math.floor(random.between(0, past + present)) : -1;
      const points = samples.flatMap((sample, at): [number, number][] => {
        if (random.next() < 0.02) return [];
        const value = metric.of(sample, i) * (at === blip ? random.between(2, 5) : 1);
        return Number.isFinite(value) ? [[start + at * step, value]] : [];
      });
      return [{ service, metric: metric.name, ...(metric.unit ? { unit: metric.unit } : {}), points }];
    }),
  );
  const dependencies = calls.flatMap((callees, from) =>
    callees.flatMap(({ to }) =>
      random.next() < 0.08 ? [] : [{ from: names[from] ?? '', to: names[to] ?? '' }],
    ),
  );
  const symptomMetric = style.metrics.find(({ sort }) => sort === noticed);
  return {
    fault,
    style: style.name,
    dependencies,
    metrics,
    alerts: [],
    symptom: {
      service: names[0] ?? '',
      at: onset + late * step,
      ...(symptomMetric && random.next() < 0.8 ? { metric: symptomMetric.name } : {}),
    },
    cause: names[cause] ?? '',
  };
}

/** Two standard deviations on the average. */
function stands(values: number[], past: number): boolean {
  const before = values.slice(0, past);
  const mean = before.reduce((sum, value) => sum + value, 0) / before.length;
  const spread = Math.sqrt(before.reduce((sum, value) => sum + (value - mean) ** 2, 0) / before.length);
  const during = values.slice(past);
  return during.reduce((sum, value) => sum + value, 0) / during.length > mean + 2 * spread + mean * 0.05;
}

interface System {
  names: string[];
  /** Of each service, what it calls and how often per request of its own. Towards higher numbers only. */
  calls: { to: number; times: number }[][];
  latency: number[];
  noise: number;
  rate: number;
}

function makeSystem(random: Random): System {
  const size = 6 + Math.floor(random.next() * 35);
  const names = Array.from({ length: size }, (_, i) => `${words[i % words.length]}-${i}`);
  const calls = names.map((): { to: number; times: number }[] => []);
  for (let to = 1; to < size; to++) {
    const callers = 1 + Math.floor(random.next() * random.next() * 3);
    for (let i = 0; i < callers; i++) {
      const from = Math.floor(random.next() * Math.min(to, 4 + to * 0.6));
      if (calls[from]?.some((call) => call.to === to)) continue;
      calls[from]?.push({ to, times: 0.2 + random.next() * 1.2 });
    }
  }
  return {
    names,
    calls,
    latency: names.map(() => 0.002 * Math.exp(random.next() * 3.5)),
    noise: 0.02 + random.next() * 0.13,
    rate: Math.exp(2 + random.next() * 5),
  };
}

const words = [
  'edge',
  'cart',
  'search',
  'ledger',
  'users',
  'db',
  'queue',
  'mailer',
  'stock',
  'price',
  'cache',
  'auth',
];

interface Moment {
  fault: Fault;
  cause: number;
  size: number;
  /** From 0 at the onset to 1 at the end. */
  growth: number;
  active: boolean;
  at: number;
  past: number;
  drifting: Map<number, number | null>;
}

interface Sample {
  rate: number[];
  latency: number[];
  errors: number[];
  cpu: number[];
  memory: number[];
}

function sampleOf(system: System, moment: Moment, random: Random): Sample {
  const { names, calls, noise } = system;
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const jitter = (): number => Math.exp(noise * normal());
  const { active, cause, fault, size } = moment;
  const at = (kind: Fault, service: number): boolean => active && fault === kind && service === cause;

  const rate = names.map(() => 0);
  rate[0] = system.rate * (1 + 0.2 * Math.sin(moment.at / 40)) * jitter();
  const ownErrors = names.map((_, i) => {
    if (at('errors', i)) return 0.05 + 0.2 * size;
    if (at('crash', i)) return 0.9;
    return 0.0005 * random.next();
  });
  for (const [from, callees] of calls.entries()) {
    if (at('overload', from)) rate[from] = (rate[from] ?? 0) * (1.5 + 2 * size) + system.rate;
    const served = (rate[from] ?? 0) * (at('crash', from) ? 0.1 : 1 - (ownErrors[from] ?? 0) * 0.5);
    for (const { to, times } of callees) rate[to] = (rate[to] ?? 0) + served * times * jitter();
  }
  const latency = names.map(() => 0);
  const errors = names.map(() => 0);
  for (let i = names.length - 1; i >= 0; i--) {
    let own = (system.latency[i] ?? 0) * jitter();
    if (at('slow', i)) own = own * (2 + 6 * size) + 0.02 * size;
    if (at('cpu', i)) own *= 1.5 + 1.5 * size;
    if (at('memory', i)) own *= 1 + 2 * size * moment.growth;
    if (at('overload', i)) own *= 1.5 + size;
    if (at('crash', i)) own *= 0.2;
    const drift = moment.drifting.get(i);
    if (drift !== null && drift !== undefined && moment.at >= drift) own *= 1.6;
    let good = 1 - (ownErrors[i] ?? 0);
    for (const { to, times } of calls[i] ?? []) {
      own += times * (latency[to] ?? 0);
      good *= 1 - Math.min(1, times) * (errors[to] ?? 0) * 0.7;
    }
    latency[i] = own * jitter();
    errors[i] = 1 - good;
  }
  return {
    rate,
    latency,
    errors: errors.map((share, i) => observed(share, rate[i] ?? 0, random)),
    cpu: names.map((_, i) =>
      Math.min(
        100,
        (8 + 20 * ((rate[i] ?? 0) / (system.rate + 1)) + (at('cpu', i) ? 20 + 30 * size : 0)) * jitter(),
      ),
    ),
    memory: names.map(
      (_, i) =>
        2e8 *
        (1 + i / 10) *
        (1 + (at('memory', i) ? size * moment.growth : 0)) *
        (1 + noise * 0.1 * normal()),
    ),
  };
}

/** Failures come in whole requests. */
function observed(share: number, rate: number, random: Random): number {
  const requests = Math.max(1, Math.round(rate * 10));
  const expected = share * requests;
  const failed =
    expected > 20 ? expected + Math.sqrt(expected) * (random.next() * 2 - 1) : poisson(expected, random);
  return Math.min(1, Math.max(0, failed / requests));
}

function poisson(mean: number, random: Random): number {
  let count = 0;
  for (let product = random.next(); product > Math.exp(-mean); product *= random.next()) count++;
  return count;
}

interface MetricStyle {
  name: string;
  unit?: string;
  sort: 'latency' | 'errors' | 'other';
  of(sample: Sample, service: number): number;
}

/** How different kinds of monitoring name and scale the same things, and what they lack. */
const styles: { name: string; metrics: MetricStyle[] }[] = [
  {
    name: 'cloud',
    metrics: [
      { name: 'latency Average', unit: 's', sort: 'latency', of: (sample, i) => sample.latency[i] ?? 0 },
      { name: 'latency p95', unit: 's', sort: 'latency', of: (sample, i) => (sample.latency[i] ?? 0) * 2.1 },
      { name: 'availability', sort: 'errors', of: (sample, i) => 100 - 100 * (sample.errors[i] ?? 0) },
      { name: 'requests Sum', sort: 'other', of: (sample, i) => Math.round((sample.rate[i] ?? 0) * 300) },
    ],
  },
  {
    name: 'prometheus',
    metrics: [
      {
        name: 'http_server_request_duration_seconds_p99',
        sort: 'latency',
        of: (sample, i) => (sample.latency[i] ?? 0) * 3,
      },
      {
        name: 'http_requests_errors_per_second',
        sort: 'errors',
        of: (sample, i) => (sample.errors[i] ?? 0) * (sample.rate[i] ?? 0),
      },
      { name: 'http_requests_per_second', sort: 'other', of: (sample, i) => sample.rate[i] ?? 0 },
      { name: 'container_cpu_usage_cores', sort: 'other', of: (sample, i) => (sample.cpu[i] ?? 0) / 50 },
      {
        name: 'container_memory_working_set_bytes',
        unit: 'bytes',
        sort: 'other',
        of: (sample, i) => sample.memory[i] ?? 0,
      },
    ],
  },
  {
    name: 'short names',
    metrics: [
      { name: 'latency-90', sort: 'latency', of: (sample, i) => (sample.latency[i] ?? 0) * 1700 },
      { name: 'error', sort: 'errors', of: (sample, i) => (sample.errors[i] ?? 0) * (sample.rate[i] ?? 0) },
      { name: 'workload', sort: 'other', of: (sample, i) => sample.rate[i] ?? 0 },
      { name: 'cpu', sort: 'other', of: (sample, i) => sample.cpu[i] ?? 0 },
      { name: 'mem', sort: 'other', of: (sample, i) => sample.memory[i] ?? 0 },
    ],
  },
];

function reachableFrom(calls: System['calls'], first: number): number[] {
  const found = new Set([first]);
  for (const service of found) for (const { to } of calls[service] ?? []) found.add(to);
  return [...found];
}
