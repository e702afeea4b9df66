import { z } from 'zod';
import { severities } from '../../domain/severity.ts';
import { slo } from '../../domain/slo/slo.ts';
import { checkQueries } from '../../domain/slo/written-slo.ts';
import { readBack } from '../configuration.ts';
import { instant } from '../endpoint.ts';

const team = z
  .string()
  .max(100)
  .nullable()
  .default(null)
  .meta({ description: 'Slug of the team that it belongs to; null: the whole organization' });

export const sloShown = slo.safeExtend({ team: z.string().nullable() });
export const sloBody = slo
  .safeExtend({ team, ...readBack })
  .superRefine(checkQueries)
  .meta({
    id: 'Slo',
    description: 'How much of what is asked of a service must go well over a rolling window',
  });

export const sloParams = z.object({ name: z.string().max(100) });

export const sloStanding = z
  .object({
    budgetLeft: z.number().nullable().meta({
      description: 'Of the error budget: 1 is all of it, 0 none, below it is overdrawn; null: not known',
    }),
    burnRate: z
      .number()
      .nullable()
      .meta({ description: 'Over the longest window of its alerts; 1 uses the budget up just at the end' }),
    alerts: z.array(
      z.object({
        severity: z.enum(severities),
        burnRate: z.number().meta({ description: 'Above which it alerts' }),
        long: z.string(),
        short: z.string(),
        longBurn: z.number().nullable(),
        shortBurn: z.number().nullable(),
        firing: z.boolean(),
        since: instant.nullable(),
      }),
    ),
    problem: z
      .string()
      .nullable()
      .meta({ description: 'Why it could not be measured; what was known stays, and nothing ends' }),
    problemSince: instant.nullable(),
  })
  .meta({ id: 'SloStanding' });

export const sloState = sloStanding.extend({
  measuredAt: instant.nullable(),
  points: z
    .array(z.object({ at: instant, budgetLeft: z.number(), burnRate: z.number() }))
    .meta({ description: 'One an hour over the window, oldest first' }),
});
