import { z } from 'zod';
import { testIncidentKinds } from '../../domain/test-incident.ts';

export const testIncidentBody = z.strictObject({
  kind: z.enum([...testIncidentKinds, 'random']),
  resolve: z.boolean().default(false).meta({ description: 'Resolve the alert that was made before' }),
});

export const testIncidentMade = z
  .object({
    kind: z.enum(testIncidentKinds),
    alert: z.string(),
    service: z.string(),
    received: z.int(),
    new: z.int(),
    updated: z.int(),
    resolved: z.int(),
    logLines: z.int(),
  })
  .meta({ id: 'TestIncidentMade' });
