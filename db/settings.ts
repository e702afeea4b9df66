import { z } from 'zod';
import { type CorrelationRules, defaultCorrelationRules } from '../domain/correlation.ts';
import { durationMs } from '../domain/duration.ts';
import { durationText } from '../domain/duration-text.ts';

/** The correlation rules of an organization: `{"window": "5m", "labels": ["host", "pod", "deployment"]}`. */
export const correlationSetting = z.strictObject({
  window: durationText.optional(),
  labels: z.array(z.string().min(1).max(200)).max(20).optional(),
});

/** @param value as stored, null where there are none */
export function correlationRulesOf(value: unknown): CorrelationRules {
  if (value === null) return defaultCorrelationRules;
  const { window, labels } = correlationSetting.parse(value);
  return {
    windowMs: window === undefined ? defaultCorrelationRules.windowMs : durationMs(window),
    labels: labels ?? defaultCorrelationRules.labels,
  };
}
