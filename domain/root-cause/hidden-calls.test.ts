import { describe, expect, test } from 'vitest';
import { serviceGraph } from '../topology/graph.ts';
import { hiddenCalls } from './hidden-calls.ts';
import type { MetricAnomalies, MetricAnomaly } from './metric-anomalies.ts';

/** A latency that fell into trouble in step with the symptom, or did not. */
function slowed(usual: number, together = 0.9): MetricAnomaly[] {
  const reached = usual + 0.3;
  return [
    {
      metric: 'latency',
      unit: 's',
      kind: 'latency',
      usual,
      reached,
      deviation: 20,
      together,
      strength: 2 * together,
    },
  ];
}

describe('hidden calls', () => {
  const graph = serviceGraph([
    { from: 'web', to: 'balancer' },
    { from: 'web', to: 'api' },
    { from: 'api', to: 'db' },
  ]);
  const assumed = (anomalies: [string, MetricAnomaly[]][], known = graph) =>
    hiddenCalls(known, new Map(anomalies) satisfies MetricAnomalies);

  test('lead from a balancer that calls nothing to the faster service beside it', () => {
    expect(
      assumed([
        ['balancer', slowed(0.12)],
        ['api', slowed(0.1)],
      ]),
    ).toEqual([{ from: 'balancer', to: 'api' }]);
  });

  test('do not lead to a slower one, nor between those out of step', () => {
    expect(
      assumed([
        ['balancer', slowed(0.05)],
        ['api', slowed(0.1)],
      ]),
    ).toEqual([]);
    expect(
      assumed([
        ['balancer', slowed(0.12, 0.2)],
        ['api', slowed(0.1)],
      ]),
    ).toEqual([]);
  });

  test('lead to a service whose callers are not known', () => {
    const orphaned = serviceGraph([{ from: 'api', to: 'db' }]);
    expect(
      assumed(
        [
          ['web', slowed(0.2)],
          ['api', slowed(0.1)],
        ],
        orphaned,
      ),
    ).toEqual([{ from: 'web', to: 'api' }]);
  });

  test('close no cycle', () => {
    expect(
      assumed([
        ['api', slowed(0.1)],
        ['db', slowed(0.2)],
      ]),
    ).toEqual([]);
  });
});
