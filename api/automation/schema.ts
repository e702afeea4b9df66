import { z } from 'zod';
import { instant } from '../endpoint.ts';

const team = z.string().min(1).max(100).meta({ description: 'Slug; absent: the whole organization' });

export const stopBody = z.strictObject({
  reason: z.string().trim().min(1, 'say why: whoever finds it stopped reads it').max(500),
  team: team.optional(),
});

export const resumeBody = z.strictObject({ team: team.optional() }).optional();

export const automationExecutionParams = z.object({ id: z.uuid('write the id of an execution') });

export const automationState = z
  .object({
    stopped: z
      .array(
        z.object({
          team: z.string().nullable().meta({ description: 'Slug; null: the whole organization' }),
          since: instant,
          by: z.string(),
          reason: z.string(),
        }),
      )
      .meta({ description: 'Kill switches in force; empty: automation runs' }),
    running: z
      .array(
        z.object({
          id: z.uuid(),
          runbook: z.string(),
          target: z.string(),
          requestedBy: z.string(),
          incidentNumber: z.int().nullable(),
          since: instant,
          step: z.string().nullable().meta({ description: 'What it is at' }),
          stopped: z.boolean().meta({ description: 'Automation is stopped where it runs' }),
          goesOn: z.boolean().meta({ description: 'A person said that it goes on all the same' }),
        }),
      )
      .meta({ description: 'Executions that have begun to act and have not ended' }),
  })
  .meta({ id: 'AutomationState' });
