import { z } from 'zod';
import { executionStatuses } from '../../domain/incident-status.ts';
import { instant } from '../endpoint.ts';

export const circuitBreaker = z
  .object({
    runbook: z.string(),
    target: z.string(),
    failures: z
      .array(z.object({ executionId: z.uuid(), status: z.enum(executionStatuses), at: instant }))
      .meta({ description: 'Newest first' }),
  })
  .meta({
    id: 'CircuitBreaker',
    description: 'The runbook failed three times in a row on the target; it runs there again once reset',
  });

export const resetBody = z.strictObject({
  runbook: z.string().min(1).max(200),
  target: z.string().min(1).max(500),
  reason: z.string().trim().min(1, 'say what was found').max(500),
});
