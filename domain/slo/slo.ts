import { z } from 'zod';
import { formatDuration, parseDuration } from '../duration.ts';
import { severities } from '../severity.ts';

/** Stands in a query for the range that it is asked over. */
export const windowPlaceholder = '$window';

const query = z
  .string()
  .trim()
  .min(1)
  .max(2000, 'write at most 2000 characters')
  .refine(
    (text) => text.includes(`[${windowPlaceholder}]`),
    `write the range as [${windowPlaceholder}], such as sum(rate(http_requests_total{code!~"5.."}[${windowPlaceholder}]))`,
  );

const window = z
  .string()
  .refine((text) => {
    const ms = parseDuration(text);
    return ms !== undefined && ms >= 60_000 && ms <= 90 * 86_400_000;
  }, "write a time from 1m to 90d, such as '1h'")
  .refine((text) => !text.includes('.'), 'write a whole number');

/** It alerts while the budget burns faster than so in both windows: the short one ends it soon after the fault has. */
const burnAlert = z
  .strictObject({
    severity: z.enum(severities),
    burnRate: z
      .number()
      .gt(0)
      .max(10_000)
      .meta({ description: 'Times as fast as the budget lasts the window' }),
    long: window,
    short: window,
  })
  .refine(({ long, short }) => (parseDuration(short) ?? 0) < (parseDuration(long) ?? 0), {
    path: ['short'],
    message: 'the short window must be shorter than the long one',
  });
export type BurnAlert = z.infer<typeof burnAlert>;

/** A service level objective: how much of what is asked of a service must go well over a rolling window. */
export const slo = z
  .strictObject({
    description: z.string().trim().max(500).optional(),
    /** What its alerts name as their service. */
    service: z.string().trim().min(1).max(200).optional(),
    objectivePercent: z
      .number()
      .min(50)
      .max(99.999, 'an objective of 100 % has no budget: write at most 99.999'),
    windowDays: z.int().min(1).max(90).default(30),
    indicator: z
      .discriminatedUnion('type', [
        z.strictObject({ type: z.literal('ratio'), good: query, total: query }),
        z.strictObject({ type: z.literal('error_ratio'), errorRatio: query }),
      ])
      .meta({
        description: `PromQL; [${windowPlaceholder}] stands for the range. Series of good and total are summed; of several error ratios the worst counts`,
      }),
    /** Absent: those of the SRE workbook, scaled to the window. */
    alerts: z.array(burnAlert).max(10).optional(),
  })
  .superRefine(({ alerts = [], windowDays }, context) => {
    const seen = new Set<string>();
    for (const [index, { long, short, severity }] of alerts.entries()) {
      if ((parseDuration(long) ?? 0) > windowDays * dayMs) {
        context.addIssue({
          code: 'custom',
          path: ['alerts', index, 'long'],
          message: 'it is longer than the window of the SLO',
        });
      }
      const key = `${severity} ${long} ${short}`;
      if (seen.has(key)) {
        context.addIssue({
          code: 'custom',
          path: ['alerts', index],
          message: 'another one is of this severity and these windows',
        });
      }
      seen.add(key);
    }
  });
export type Slo = z.infer<typeof slo>;

const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * Google, The Site Reliability Workbook, chapter 5, table 5-8 'Recommended parameters for an SLO-based alerting
 * configuration': for a window of 30 days; the short window is a twelfth of the long one. 2 % of the budget in an hour,
 * 5 % in six hours and 10 % in three days, and 10 % in a day between them.
 */
const workbook = [
  { severity: 'critical', burnRate: 14.4, longMs: 60 * minuteMs },
  { severity: 'critical', burnRate: 6, longMs: 6 * 60 * minuteMs },
  { severity: 'warning', burnRate: 3, longMs: dayMs },
  { severity: 'warning', burnRate: 1, longMs: 3 * dayMs },
] as const;

/** Below that a range holds too few samples to have a rate. */
const shortestMs = 2 * minuteMs;

/** The workbook's pairs with windows of the same share of the SLO's, so that they mean the same shares of its budget. */
export function burnAlerts({ alerts, windowDays }: Pick<Slo, 'alerts' | 'windowDays'>): BurnAlert[] {
  if (alerts) return alerts;
  return workbook.map(({ severity, burnRate, longMs }) => {
    const long = Math.max(5 * shortestMs, (longMs * windowDays) / 30);
    return { severity, burnRate, long: windowText(long), short: windowText(Math.max(shortestMs, long / 12)) };
  });
}

/** As PromQL and our durations both write it, in whole minutes at least: '5m', '6h', '3d'. */
export function windowText(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / minuteMs));
  if (minutes % 1440 === 0) return `${minutes / 1440}d`;
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}

/** Milliseconds of a window that was checked before. */
export function windowMs(text: string): number {
  return parseDuration(text) ?? 0;
}

/** The share of failures that the objective allows. */
export function allowedErrorRatio({ objectivePercent }: Pick<Slo, 'objectivePercent'>): number {
  return 1 - objectivePercent / 100;
}

/** '99.9 % over 30 d' */
export function objectiveText({ objectivePercent, windowDays }: Slo): string {
  return `${objectivePercent} % over ${formatDuration(windowDays * dayMs)}`;
}
