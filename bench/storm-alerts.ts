/*
 * A storm made up: noise of many services, and three real outages hidden in it. The same numbers make the same storm.
 */

export interface StormAlert {
  /** Milliseconds after the storm's beginning. */
  at: number;
  fingerprint: string;
  severity: 'critical' | 'high' | 'warning' | 'info';
  name: string;
  service: string;
  labels: Record<string, string>;
  /** Index of the outage that it belongs to; null: noise. */
  outage: number | null;
}

export interface StormOutage {
  /** What broke. */
  cause: string;
  /** Milliseconds after the storm's beginning. */
  at: number;
}

/** What calls what; each outage breaks the last of one. */
const systems = [
  { cause: 'orders-db', callers: ['orders-api', 'cart', 'checkout', 'web-shop'] },
  { cause: 'login-cache', callers: ['login', 'profile', 'web-account'] },
  { cause: 'mail-queue', callers: ['mailer', 'newsletter', 'invoices', 'web-billing'] },
] as const;

export const stormDependencies = systems.flatMap(({ cause, callers }) =>
  callers.map((caller, index) => ({ from: caller, to: callers[index - 1] ?? cause })),
);

const noisyServices = 40;
/** Alerts of one outage, at most a tenth of the storm; every tenth of them is critical. */
const outageAlerts = 300;
/** How long an outage takes to reach everything that calls it, of the storm's length. */
const spreadShare = 0.2;
/** Alerts a second in seconds that follow each other: with the outages' own, twice the mean at the peaks. */
const rhythm = [2.05, 0.5, 1, 0.5, 1];

export function makeStorm({ alerts, seconds }: { alerts: number; seconds: number }): {
  alerts: StormAlert[];
  outages: StormOutage[];
} {
  const outages = systems.map(({ cause }, index) => ({
    cause,
    at: ((index + 1) * 0.22 - 0.02) * seconds * 1000,
  }));
  const each = Math.min(outageAlerts, Math.floor(alerts / 10));
  const real = outages.flatMap(({ at }, outage) =>
    Array.from({ length: each }, (_, index) => outageAlert(outage, index, each, at, seconds)),
  );
  const noise = Array.from({ length: alerts - real.length }, (_, index) =>
    noiseAlert(index, arrival(index / (alerts - real.length), seconds)),
  );
  return { alerts: [...real, ...noise].sort((a, b) => a.at - b.at), outages };
}

/** When the given share of all alerts has come: the seconds of the rhythm bring more or fewer of them. */
function arrival(share: number, seconds: number): number {
  const weights = Array.from({ length: seconds }, (_, second) => rhythm[second % rhythm.length] ?? 1);
  let left = share * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [second, weight] of weights.entries()) {
    if (left <= weight) return (second + left / weight) * 1000;
    left -= weight;
  }
  return seconds * 1000;
}

function outageAlert(outage: number, index: number, of: number, at: number, seconds: number): StormAlert {
  const { cause, callers } = systems[outage] ?? systems[0];
  const services = [cause, ...callers];
  // the first comes from what broke, the others from ever further up
  const service = services[Math.floor((index / of) * services.length)] ?? cause;
  return {
    at: at + (index / of) * spreadShare * seconds * 1000,
    fingerprint: `outage-${outage}-${index}`,
    severity: index % 10 === 0 ? 'critical' : 'high',
    name: service === cause ? 'ConnectionsRefused' : 'HighErrorRate',
    service,
    labels: { pod: `${service}-${index}` },
    outage,
  };
}

function noiseAlert(index: number, at: number): StormAlert {
  const service = `batch-${index % noisyServices}`;
  return {
    at,
    fingerprint: `noise-${index}`,
    severity: index % 3 === 0 ? 'info' : 'warning',
    name: ['DiskFillsUp', 'SlowJob', 'ManyRetries', 'CertificateExpires'][index % 4] ?? 'SlowJob',
    service,
    labels: { pod: `${service}-${index}` },
    outage: null,
  };
}
