import { z } from 'zod';
import { silence } from '../../domain/silences/silence.ts';
import { instant } from '../endpoint.ts';

export const silenceParams = z.object({ id: z.uuid('write the id of a silence') });
export const silenceBody = silence;
export const silenceQuery = z.object({
  over: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'The latest 100 that are over, instead of those that are not' }),
});

const caught = z.object({
  alerts: z.int().meta({ description: 'Alerts that fire and that it keeps quiet now' }),
  incidents: z.array(z.int()).meta({ description: 'The open incidents that have them' }),
});

export const silenceShown = z
  .object({
    id: z.uuid(),
    ...silence.shape,
    startsAt: instant,
    endsAt: instant,
    state: z.enum(['waiting', 'silent', 'out of hours', 'over']),
    catches: caught.meta({ description: 'Nothing where it is not silent now' }),
    createdAt: instant,
    createdBy: z.string(),
  })
  .meta({
    id: 'Silence',
    description:
      'Nobody is told of what it catches; alerts and incidents go on as ever, and so do their clocks',
  });

export const previewShown = z
  .object({
    since: instant.meta({ description: '30 days ago' }),
    cut: z.boolean().meta({ description: 'There were more than 20,000 alerts: older ones are left out' }),
    alerts: z.int().meta({ description: 'Received since' }),
    caught: z
      .int()
      .meta({ description: 'Of them, those that it would have caught, had it held all the while' }),
    kinds: z
      .array(
        z.object({ alert: z.string(), service: z.string().nullable(), caught: z.int(), lastAt: instant }),
      )
      .meta({ description: 'By alert name and service, the most frequent first, at most 50' }),
    kindsCut: z.boolean().meta({ description: 'There are more of them' }),
    now: caught.meta({ description: 'What it would catch now' }),
  })
  .meta({ id: 'SilencePreview', description: 'What a silence would catch' });
