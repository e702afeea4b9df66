import { z } from 'zod';
import { instant } from '../endpoint.ts';

const claim = z.object({
  executionId: z.uuid(),
  runbook: z.string().nullable().meta({ description: 'Null: of a team that you do not see into' }),
  requestedBy: z.string().nullable(),
  since: instant,
});

export const lockedTarget = z
  .object({
    target: z.string(),
    holder: claim.nullable().meta({ description: 'Null: the first of the queue is about to take it' }),
    queue: z.array(claim).meta({ description: 'In the order in which they get it' }),
  })
  .meta({ id: 'LockedTarget', description: 'One execution works on a target at a time' });
