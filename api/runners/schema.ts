import { z } from 'zod';
import { runnerNamePattern, runnerNameRule } from '../../domain/runner.ts';
import { instant } from '../endpoint.ts';

export const runner = z
  .object({
    queue: z.string().meta({ description: 'What steps name as their `runner`', example: 'edge-berlin' }),
    instance: z.string().meta({ description: 'Host and process id', example: 'edge-1 4711' }),
    version: z.string(),
    startedAt: instant,
    lastSeenAt: instant,
    silent: z.boolean().meta({ description: 'No sign of life for 45 seconds: its steps wait' }),
  })
  .meta({ id: 'Runner', description: 'A process near the targets that carries out the steps of its queue' });

export const runnerToken = z
  .object({
    id: z.uuid(),
    queue: z.string(),
    name: z.string(),
    createdAt: instant,
    createdBy: z.string(),
    lastUsedAt: instant.nullable(),
  })
  .meta({ id: 'RunnerToken' });

export const runnerTokenBody = z.object({
  queue: z.string().regex(runnerNamePattern, runnerNameRule),
  name: z.string().trim().min(1, 'say which machine it is for').max(100),
});

export const runnerTokenMade = z.object({
  id: z.uuid(),
  token: z.string().meta({ description: 'Shown this once' }),
});

export const runnerTokenParams = z.object({ id: z.uuid() });
