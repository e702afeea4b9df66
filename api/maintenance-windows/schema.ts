import { z } from 'zod';
import { maintenanceWindow } from '../../domain/safety/maintenance-window.ts';
import { instant } from '../endpoint.ts';

export const maintenanceWindowParams = z.object({ id: z.uuid('write the id of a maintenance window') });
export const maintenanceWindowBody = maintenanceWindow;
export const maintenanceWindowShown = z
  .object({
    id: z.uuid(),
    team: z.string().nullable(),
    target: z.string(),
    startsAt: instant,
    endsAt: instant,
    reason: z.string(),
    createdAt: instant,
    createdBy: z.string(),
  })
  .meta({
    id: 'MaintenanceWindow',
    description: 'While it lasts automation starts nothing on what `target` (a glob) matches; people may',
  });
