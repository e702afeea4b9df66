import { z } from 'zod';
import { askPrometheus } from './client.ts';

export interface RangeQuery {
  query: string;
  /** Epoch milliseconds. */
  from: number;
  to: number;
  stepMs: number;
  /** Milliseconds; 20 s where it says nothing. */
  timeoutMs?: number;
  /** Bytes of the answer at most. */
  mostBytes?: number;
  /** Series of the answer at most; Prometheus before 3 gives all of them. */
  mostSeries?: number;
}

export interface RangeSeries {
  labels: Record<string, string>;
  points: { at: number; value: number }[];
}

/** Points per series at most; Prometheus itself refuses more than 11,000. */
const mostPoints = 2000;
const mostBytes = 32 * 1024 * 1024;
const queryTimeoutMs = 20_000;

const matrix = z.object({
  resultType: z.literal('matrix'),
  result: z.array(
    z.object({
      metric: z.record(z.string(), z.string()),
      values: z.array(z.tuple([z.number(), z.string()])).default([]),
    }),
  ),
});

/** The step grows where the range would hold more than 2,000 points. Throws PrometheusError. */
export async function queryRange(baseUrl: string, range: RangeQuery): Promise<RangeSeries[]> {
  const stepMs = Math.max(range.stepMs, Math.ceil((range.to - range.from) / mostPoints / 1000) * 1000);
  const { data } = await askPrometheus({
    baseUrl,
    path: 'query_range',
    parameters: {
      query: range.query,
      start: String(range.from / 1000),
      end: String(range.to / 1000),
      step: String(stepMs / 1000),
      ...(range.mostSeries === undefined ? {} : { limit: String(range.mostSeries) }),
    },
    data: matrix,
    timeoutMs: range.timeoutMs ?? queryTimeoutMs,
    mostBytes: range.mostBytes ?? mostBytes,
  });
  return data.result.map(({ metric, values }) => ({
    labels: metric,
    points: values
      .map(([seconds, value]) => ({ at: Math.round(seconds * 1000), value: Number(value) }))
      .filter((point) => Number.isFinite(point.value)),
  }));
}
