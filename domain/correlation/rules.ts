import { z } from 'zod';
import { durationMs, parseDuration } from '../duration.ts';
import { durationText } from '../duration-text.ts';

/** How alerts become incidents: the rules of an organization, or of one of its teams. */
export interface CorrelationRules {
  /** Evidence of this age counts 0.6 of what fresh evidence does; older evidence counts less and less. */
  windowMs: number;
  /** An incident whose latest alert is older than this is joined by the same alert again and by nothing else. */
  lookBackMs: number;
  /** Calls between two failing services that may be bridged: 2 leaves room for one silent service. 0: no topology. */
  topologyHops: number;
  /** How much it says, 0 to 1, that two alerts share a label's value. */
  labelWeights: Record<string, number>;
  /** 0 to 1: the evidence from which on an alert joins. */
  threshold: number;
  /** How long a resolved incident can be reopened by its alerts; absent: as the installation says. */
  reopenWindowMs?: number;
  flapping: FlappingRules;
}

/** An alert that began or ended `changes` times within `withinMs` flaps until it was quiet for `quietMs`. */
export interface FlappingRules {
  changes: number;
  withinMs: number;
  quietMs: number;
}

/**
 * What many things share (namespace, cluster, job) says little, and all of it together stays below the threshold: it
 * must not glue a cluster together.
 */
export const defaultCorrelationRules: CorrelationRules = {
  windowMs: 5 * 60_000,
  lookBackMs: 30 * 60_000,
  topologyHops: 2,
  labelWeights: {
    pod: 0.8,
    deployment: 0.7,
    host: 0.6,
    instance: 0.6,
    namespace: 0.15,
    job: 0.1,
    cluster: 0.05,
  },
  threshold: 0.5,
  flapping: { changes: 6, withinMs: 30 * 60_000, quietMs: 10 * 60_000 },
};

const labelName = z.string().min(1).max(200);
const share = z.number().min(0).max(1);

/** The weight of a label that is written without one: it joins by itself. */
const plainLabelWeight = 0.6;

/**
 * Rules as Holdfast stores them; what is left out is as by default. `labels` is a list (each of them joins by itself) or
 * has a weight for each label.
 */
export const storedCorrelationRules = z.strictObject({
  window: durationText.optional(),
  lookBack: durationText.optional(),
  topologyHops: z.int().min(0).max(5).optional(),
  labels: z
    .union([
      z.array(labelName).max(20),
      z
        .record(labelName, share)
        .refine((weights) => Object.keys(weights).length <= 20, 'write at most 20 labels'),
    ])
    .optional(),
  threshold: z.number().min(0.05).max(1).optional(),
  reopenWindow: durationText.optional(),
  flapping: z
    .strictObject({
      changes: z.int().min(2).max(1000).optional(),
      within: durationText.optional(),
      quiet: durationText.optional(),
    })
    .optional(),
});

/** Evidence that is older than a day says nothing, and looking for it costs more with each alert. */
const oldestMs = 86_400_000;
const ofADay = durationText.refine((text) => (parseDuration(text) ?? 0) <= oldestMs, 'write at most 24h');

/** Rules as people write them. */
export const writtenCorrelationRules = storedCorrelationRules.extend({
  window: ofADay.optional(),
  lookBack: ofADay.optional(),
});

export type WrittenCorrelationRules = z.input<typeof writtenCorrelationRules>;

/**
 * Times of more than a day, as could once be written, count as a day.
 * @param value as stored, null where there are none
 * Throws ZodError on what is not written as rules are.
 */
export function readCorrelationRules(value: unknown): CorrelationRules {
  if (value === null || value === undefined) return defaultCorrelationRules;
  const written = storedCorrelationRules.parse(value);
  const defaults = defaultCorrelationRules;
  const ms = (text: string | undefined, otherwise: number) =>
    text === undefined ? otherwise : durationMs(text);
  return {
    windowMs: Math.min(oldestMs, ms(written.window, defaults.windowMs)),
    lookBackMs: Math.min(oldestMs, ms(written.lookBack, defaults.lookBackMs)),
    topologyHops: written.topologyHops ?? defaults.topologyHops,
    labelWeights: weightsOf(written.labels) ?? defaults.labelWeights,
    threshold: written.threshold ?? defaults.threshold,
    ...(written.reopenWindow === undefined ? {} : { reopenWindowMs: durationMs(written.reopenWindow) }),
    flapping: {
      changes: written.flapping?.changes ?? defaults.flapping.changes,
      withinMs: ms(written.flapping?.within, defaults.flapping.withinMs),
      quietMs: ms(written.flapping?.quiet, defaults.flapping.quietMs),
    },
  };
}

function weightsOf(
  labels: string[] | Record<string, number> | undefined,
): Record<string, number> | undefined {
  if (!Array.isArray(labels)) return labels;
  return Object.fromEntries(labels.map((label) => [label, plainLabelWeight]));
}
