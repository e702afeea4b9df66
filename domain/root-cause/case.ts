import type { ServiceGraph } from '../topology/graph.ts';
import type { Evidence } from './evidence.ts';
import type { MetricAnomalies } from './metric-anomalies.ts';
import type { Likelihoods } from './propagation.ts';
import type { Trouble } from './trouble.ts';

/** All that the weighing of one service looks at. */
export interface Case {
  evidence: Evidence;
  /** With the calls that are assumed. */
  graph: ServiceGraph;
  anomalies: MetricAnomalies;
  troubles: ReadonlyMap<string, Trouble>;
  likelihoods: Likelihoods;
  /** From the symptom's service down; null without a symptom. */
  hops: ReadonlyMap<string, number> | null;
  /** Of the services in trouble, the share that the symptom's service reaches: how far the graph can be believed. */
  completeness: number;
}
