import { z } from 'zod';
import { longestShareMs, usualShareMs } from '../../db/shares.ts';
import { formatDuration, parseDuration } from '../../domain/duration.ts';
import { instant } from '../endpoint.ts';
import { incidentParams } from '../incidents/schema.ts';

const shortestMs = 60_000;

export const shareBody = z
  .strictObject({
    for: z
      .string()
      .refine((text) => {
        const ms = parseDuration(text);
        return ms !== undefined && ms >= shortestMs && ms <= longestShareMs;
      }, `write a duration from 1m to 30d, such as '7d'`)
      .optional()
      .meta({ description: `How long the link works; default ${formatDuration(usualShareMs)}` }),
  })
  .optional();

export const shareParams = z.object({ ...incidentParams.shape, share: z.uuid() });

export const share = z
  .object({
    id: z.uuid(),
    createdBy: z.string(),
    createdAt: instant,
    expiresAt: instant,
    revokedAt: instant.nullable(),
    opened: z.int().meta({ description: 'How often its page was asked for, once a minute at most' }),
    lastOpenedAt: instant.nullable(),
  })
  .meta({ id: 'Share' });

export const madeShare = share
  .extend({ url: z.string().meta({ description: 'Shown this once' }) })
  .meta({ id: 'MadeShare' });

export const shareList = z.object({ items: z.array(share) });
