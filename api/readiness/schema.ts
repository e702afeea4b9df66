import { z } from 'zod';
import { instant } from '../endpoint.ts';

export const readinessShown = z.object({
  items: z.array(
    z
      .object({
        kind: z.enum([
          'policy_reaches_nobody',
          'level_reaches_nobody',
          'person_unreachable',
          'method_failing',
          'gap',
          'calendar_unreadable',
          'calendar_names_unknown',
          'participant_disabled',
          'overrides_overlap',
          'schedule_unused',
        ]),
        severity: z.enum(['critical', 'warning', 'info']).meta({
          description: 'critical: pages get lost; warning: they may; info: something to tidy up',
        }),
        subject: z.string().meta({ description: 'Name of the policy or schedule, or a mail address' }),
        schedule: z.string().nullable().meta({ description: 'Null: it concerns the whole organization' }),
        text: z.string().meta({ description: 'One sentence' }),
        remedy: z.string().meta({ description: 'What to do about it' }),
        at: instant.nullable().meta({ description: 'When it begins; null: it is so now' }),
      })
      .meta({ id: 'ReadinessFinding' }),
  ),
});
