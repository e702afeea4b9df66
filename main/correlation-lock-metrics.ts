import { Histogram, type Registry } from 'prom-client';
import type { AlertActivityDeps } from '../activities/alert.ts';

const buckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5];

/** Whether an organization's alerts wait for each other where they open incidents. */
export function createCorrelationLockMetrics(registry: Registry): AlertActivityDeps['lockMetrics'] {
  const waited = new Histogram({
    name: 'holdfast_correlation_lock_wait_seconds',
    help: "Time that an alert waited for its organization's lock to open an incident",
    buckets,
    registers: [registry],
  });
  const held = new Histogram({
    name: 'holdfast_correlation_lock_hold_seconds',
    help: 'Time from having the lock to the end of the transaction that gives it back',
    buckets,
    registers: [registry],
  });
  return {
    waited: (seconds) => waited.observe(seconds),
    held: (seconds) => held.observe(seconds),
  };
}
