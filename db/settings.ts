import { z } from 'zod';
import { type CorrelationRules, defaultCorrelationRules } from '../domain/correlation.ts';
import { durationMs } from '../domain/duration.ts';
import { durationText } from '../domain/duration-text.ts';
import type { Tx } from './database.ts';

/** The setting `correlation` of an organization: `{"window": "5m", "labels": ["host", "pod", "deployment"]}`. */
export const correlationSetting = z.strictObject({
  window: durationText.optional(),
  labels: z.array(z.string().min(1).max(200)).max(20).optional(),
});

export async function readCorrelationRules(tx: Tx): Promise<CorrelationRules> {
  const row = await tx
    .selectFrom('settings')
    .select('value')
    .where('key', '=', 'correlation')
    .executeTakeFirst();
  if (!row) return defaultCorrelationRules;
  const { window, labels } = correlationSetting.parse(row.value);
  return {
    windowMs: window === undefined ? defaultCorrelationRules.windowMs : durationMs(window),
    labels: labels ?? defaultCorrelationRules.labels,
  };
}
