import { z } from 'zod';
import { safetyRules, safetyScopes } from '../../domain/safety/rules.ts';
import { instant } from '../endpoint.ts';

const words = {
  scope: z.enum(safetyScopes),
  name: z
    .string()
    .max(500)
    .meta({ description: "Slug of a team, name of a runbook, glob over targets; '' of the organization" }),
};

export const safetyRulesParams = z.object({
  scope: z.enum(['team', 'runbook', 'target']),
  name: z.string().min(1).max(500).meta({
    description: 'Slug of the team, name of the runbook, glob over targets (percent-encoded)',
  }),
});

export const safetyRulesShown = z
  .object({
    ...words,
    ...safetyRules.shape,
    updatedAt: instant,
    updatedBy: z.string(),
  })
  .meta({
    id: 'SafetyRules',
    description: 'All sets that concern an execution hold at once: the strictest wins',
  });

/** Takes what a reader got and sends again, too. */
export const safetyRulesBody = safetyRules.extend({
  scope: words.scope.optional().meta({ description: 'As in the path' }),
  name: words.name.optional(),
  updatedAt: z.string().optional().meta({ description: 'Ignored: as read' }),
  updatedBy: z.string().optional().meta({ description: 'Ignored: as read' }),
});
