import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { formatDuration } from '../../domain/duration.ts';
import type { RenderedPrometheus } from '../../domain/runbook/rendered.ts';
import { askPrometheus, PrometheusError } from '../prometheus/client.ts';
import type { CheckContext, Finding, StepAdapter, StepContext, StepResult } from './adapter.ts';
import { EgressRefusedError } from './egress.ts';

export interface PrometheusDeps {
  /** PROMETHEUS_URL: asked where the step names no other. */
  url?: string | undefined;
}

export function createPrometheusAdapter({ url }: PrometheusDeps): StepAdapter<RenderedPrometheus> {
  return {
    check: async (step, context) => await checkPrometheus(step, { ...context, url }),
    run: async (step, context) => await runPrometheus(step, { ...context, url }),
  };
}

/** One question takes no longer, in milliseconds, and no more bytes: a condition has few samples. */
const questionMs = 20_000;
const mostBytes = 4 * 1024 * 1024;
/** What stands for the value of a native histogram, which is none. */
const histogram = 'a histogram';
/** Samples that are named. */
const mostNamed = 3;

const sample = z.tuple([z.number(), z.string()]);
const instant = z.discriminatedUnion('resultType', [
  z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: sample.optional() })),
  }),
  z.object({ resultType: z.literal('scalar'), result: sample }),
  z.object({ resultType: z.literal('string'), result: sample }),
  z.object({ resultType: z.literal('matrix'), result: z.array(z.unknown()) }),
]);

/** `says`: the answer in short, for people. */
interface Look {
  holds: boolean;
  says: string;
}

async function checkPrometheus(
  step: RenderedPrometheus,
  context: CheckContext & PrometheusDeps,
): Promise<Finding[]> {
  const what = 'Prometheus query';
  try {
    const { holds, says } = await look(step, context, AbortSignal.timeout(context.timeoutMs));
    return [
      { ok: true, what, detail: `is understood; now it ${holds ? 'holds' : 'does not hold'}: ${says}` },
    ];
  } catch (error) {
    return [{ ok: false, what, detail: error instanceof Error ? error.message : String(error) }];
  }
}

/** Looks until it has held for as long as the step says; what interrupts that, an answer that is missing too, counts anew. */
async function runPrometheus(
  step: RenderedPrometheus,
  context: StepContext & PrometheusDeps,
): Promise<StepResult> {
  const timeout = AbortSignal.timeout(context.timeoutMs);
  let since: number | undefined;
  let last = 'it has not answered yet';
  let told = '';
  for (;;) {
    try {
      const seen = await look(step, context, timeout);
      since = seen.holds ? (since ?? performance.now()) : undefined;
      last = `${seen.holds ? 'holds' : 'does not hold'}: ${seen.says}`;
    } catch (error) {
      if (!(error instanceof PrometheusError || error instanceof EgressRefusedError)) throw error;
      if (!context.signal.aborted && !timeout.aborted) {
        if (!(error instanceof PrometheusError && error.mendable)) return { ok: false, error: error.message };
        since = undefined;
        last = error.message;
      }
    }
    if (context.signal.aborted) return { ok: false, error: `cancelled; the last answer was: ${last}` };
    const held = since === undefined ? 0 : performance.now() - since;
    if (last !== told) context.output.note(last);
    told = last;
    if (since !== undefined && held >= step.forMs) return { ok: true };
    if (timeout.aborted) {
      const lasting = step.forMs === 0 ? '' : ` for ${formatDuration(step.forMs)}`;
      const error = `did not hold${lasting} within ${formatDuration(context.timeoutMs)}; the last answer was: ${last}`;
      return { ok: false, error };
    }
    const wait = since === undefined ? step.intervalMs : Math.min(step.intervalMs, step.forMs - held);
    const stop = AbortSignal.any([context.signal, timeout]);
    await delay(wait, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** Throws PrometheusError, or EgressRefusedError. */
async function look(
  step: RenderedPrometheus,
  { url, egress, signal }: CheckContext & PrometheusDeps,
  timeout: AbortSignal,
): Promise<Look> {
  const base = step.url ?? (url === undefined ? undefined : new URL(url));
  if (!base) {
    throw new PrometheusError(
      'no Prometheus is configured where the step runs; set PROMETHEUS_URL, or url in the step',
      { mendable: false },
    );
  }
  const trusted = step.url === undefined || !step.hostFromVariable;
  egress.checkUrl(base, trusted);
  const { data, warnings } = await askPrometheus({
    baseUrl: base.href,
    path: 'query',
    parameters: { query: step.query },
    data: instant,
    timeoutMs: questionMs,
    signal: AbortSignal.any([signal, timeout]),
    lookup: egress.lookupFor(base, trusted),
    mostBytes,
  }).catch((error: PrometheusError) => {
    // found out by DNS only; asking again would not mend it
    throw error.cause instanceof EgressRefusedError ? error.cause : error;
  });
  if (warnings.length > 0) {
    throw new PrometheusError(`Prometheus answered with a warning: ${warnings.join('; ').slice(0, 500)}`, {
      mendable: true,
    });
  }
  return verdict(data);
}

function verdict(data: z.output<typeof instant>): Look {
  if (data.resultType === 'scalar') {
    const [, value] = data.result;
    return { holds: isTrue(value), says: `scalar ${value}` };
  }
  if (data.resultType !== 'vector') {
    throw new PrometheusError(
      `the query returns a ${data.resultType === 'matrix' ? 'range' : 'text'}, which neither holds nor not; compare it with something, such as avg_over_time(…) > 1`,
      { mendable: false },
    );
  }
  const samples = data.result.map(({ metric, value }) => ({ metric, value: value?.[1] ?? histogram }));
  if (samples.length === 0) return { holds: false, says: 'no sample' };
  const holding = samples.filter(({ value }) => isTrue(value));
  if (holding.length > 0) return { holds: true, says: named(holding) };
  return {
    holds: false,
    says: `${named(samples)}; a sample that is 0 does not hold: to compare with 0 write == bool 0`,
  };
}

/** 0 is what a comparison with `bool` says for no; NaN says nothing. */
function isTrue(value: string): boolean {
  const number = Number(value);
  return value === histogram || (number !== 0 && !Number.isNaN(number));
}

function named(samples: readonly { metric: Record<string, string>; value: string }[]): string {
  const shown = samples.slice(0, mostNamed).map(({ metric: { __name__: name = '', ...labels }, value }) => {
    const set = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
    return `${name}{${set.join(', ')}} ${value}`;
  });
  const left = samples.length - shown.length;
  return shown.join(', ') + (left > 0 ? ` and ${left.toLocaleString('en')} more` : '');
}
