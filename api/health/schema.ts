import { z } from 'zod';

export const alive = z.object({ status: z.literal('ok') }).meta({ id: 'Alive' });

export const readiness = z
  .object({
    status: z.enum(['ready', 'not_ready']),
    dependencies: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['up', 'down']),
        milliseconds: z.number(),
      }),
    ),
  })
  .meta({ id: 'Readiness' });
