import { z } from 'zod';
import { writtenCorrelationRules } from '../../domain/correlation/rules.ts';
import { instant } from '../endpoint.ts';

export const teamParams = z.object({
  team: z.string().min(1).max(100).meta({ description: "The team's slug" }),
});

const team = z.string().nullable().meta({ description: "A team's slug; null: the organization's" });

export const correlationRulesShown = z
  .object({ team, ...writtenCorrelationRules.shape, updatedAt: instant })
  .meta({
    id: 'CorrelationRules',
    description: 'How alerts become incidents; what is left out is as by default. Times as in 5m, 30m, 1h',
  });

/** Takes what a reader got and sends again, too. */
export const correlationRulesBody = writtenCorrelationRules.extend({
  team: team.optional().meta({ description: 'As in the path' }),
  updatedAt: z.string().optional().meta({ description: 'Ignored: as read' }),
});

export const previewBody = z.object({ team: team.default(null), rules: writtenCorrelationRules });

const noise = z
  .object({
    incidents: z.int(),
    single: z.int().meta({ description: 'Incidents of one alert' }),
    largest: z.int().meta({ description: 'The most alerts in one incident' }),
    reduction: z.number().meta({ description: '0 to 1: alerts that opened no incident of their own' }),
  })
  .meta({ id: 'CorrelationNoise' });

export const previewShown = z
  .object({
    alerts: z.int().meta({ description: 'Of the last 30 days, those that the rules are for' }),
    since: instant.nullable().meta({ description: 'The oldest of them' }),
    cut: z.boolean().meta({ description: 'There were more than 10,000: older ones are left out' }),
    before: noise,
    after: noise,
  })
  .meta({ id: 'CorrelationPreview', description: 'What the rules in force and the given ones make of them' });
