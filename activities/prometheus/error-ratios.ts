import { z } from 'zod';
import { queryOver, unboundedQuery } from '../../domain/slo/queries.ts';
import type { Slo } from '../../domain/slo/slo.ts';
import { askPrometheus, PrometheusError } from './client.ts';

const timeoutMs = 10_000;
const mostBytes = 1024 * 1024;
const windowLabel = 'holdfast_window';

const vector = z.object({
  resultType: z.literal('vector'),
  result: z.array(
    z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
  ),
});

/**
 * The share of what failed over each of these windows until `at` (epoch milliseconds), in one question: 0 where nothing
 * was asked of the service, null where there is no data. Throws PrometheusError, also for queries that read too much.
 */
export async function readErrorRatios(
  baseUrl: string,
  slo: Pick<Slo, 'indicator'>,
  { windows, at }: { windows: readonly string[]; at: number },
): Promise<Record<string, number | null>> {
  if (windows.length === 0) return {};
  const unbounded = unboundedQuery(slo, windows);
  if (unbounded) {
    throw new PrometheusError(`the query ${unbounded.query} is not asked: ${unbounded.message}`, {
      mendable: false,
    });
  }
  const query = windows.map((window) => labelled(ratioOver(slo, window), window)).join('\nor\n');
  const { data } = await askPrometheus({
    baseUrl,
    path: 'query',
    parameters: { query, time: String(at / 1000) },
    data: vector,
    timeoutMs,
    mostBytes,
  });
  const found = new Map(data.result.map(({ metric, value }) => [metric[windowLabel], sampleOf(value[1])]));
  return Object.fromEntries(windows.map((window) => [window, shareOf(found.get(window))]));
}

/** Failures where no good series is there are all of it: an absent counter of successes must not hide an outage. */
function ratioOver({ indicator }: Pick<Slo, 'indicator'>, window: string): string {
  const over = (text: string) => `(\n${queryOver(text, window)}\n)`;
  return indicator.type === 'ratio'
    ? `1 - (sum${over(indicator.good)} or vector(0)) / sum${over(indicator.total)}`
    : `max${over(indicator.errorRatio)}`;
}

const labelled = (expression: string, window: string): string =>
  `label_replace(${expression}, "${windowLabel}", "${window}", "", "")`;

/** As Prometheus writes numbers: '+Inf' is none to JavaScript. */
const sampleOf = (text: string): number => (/^[+-]?Inf$/.test(text) ? Number(`${text}inity`) : Number(text));

/** 0 / 0 is no failure; errors where nothing was asked (+Inf) are all of it. */
function shareOf(value: number | undefined): number | null {
  if (value === undefined) return null;
  if (Number.isNaN(value)) return 0;
  return Math.min(1, Math.max(0, value));
}
