import { z } from 'zod';
import { maintenanceWindow, windowStates } from '../../domain/safety/maintenance-window.ts';
import { instant } from '../endpoint.ts';

export const maintenanceWindowParams = z.object({ id: z.uuid('write the id of a maintenance window') });
export const maintenanceWindowBody = maintenanceWindow;
export const maintenanceWindowShown = z
  .object({
    id: z.uuid(),
    ...maintenanceWindow.shape,
    startsAt: instant,
    endsAt: instant,
    state: z.enum(windowStates),
    createdAt: instant,
    createdBy: z.string(),
  })
  .meta({
    id: 'MaintenanceWindow',
    description: 'While it lasts automation starts nothing on what `target` (a glob) matches; people may',
  });

export const maintenancePreviewShown = z
  .object({
    since: instant.meta({ description: '30 days ago' }),
    cut: z.boolean().meta({ description: 'There were more than 20,000 executions: older ones are left out' }),
    executions: z.int().meta({ description: 'Began to act since' }),
    heldBack: z.int().meta({
      description: 'Of them, those that it would have held back, had it held all the while, or at its hours',
    }),
    byPeople: z
      .int()
      .meta({ description: 'On its targets and asked for by people, whom it holds back from nothing' }),
    kinds: z
      .array(z.object({ runbook: z.string(), target: z.string(), heldBack: z.int(), lastAt: instant }))
      .meta({ description: 'What it would have held back, the most frequent first, at most 50' }),
    kindsCut: z.boolean().meta({ description: 'There are more of them' }),
    now: z
      .object({
        matching: z.int().meta({ description: 'Their target matches' }),
        runbooks: z
          .array(z.object({ name: z.string(), target: z.string() }))
          .meta({ description: 'The first 50 of them by name' }),
        undecided: z
          .int()
          .meta({ description: 'Their target, or whose they are, is known only when they are asked for' }),
      })
      .meta({ description: 'Of the runbooks that an alert may start, those that it would hold back' }),
  })
  .meta({ id: 'MaintenancePreview', description: 'What a maintenance window would hold back' });
