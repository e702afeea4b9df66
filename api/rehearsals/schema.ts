import { z } from 'zod';
import { slaStates } from '../../domain/incident-status.ts';
import { rehearsal } from '../../domain/rehearsal/request.ts';
import { instant } from '../endpoint.ts';

export const rehearsalBody = rehearsal.meta({
  id: 'Rehearsal',
  description:
    'What is edited, in the place of what has its name, and what it is tried on: a `situation` that is made up, or a past `week`',
});

const counts = {
  pages: z.int(),
  atNight: z.int().meta({ description: 'From 22:00 to 07:00 where the person is' }),
};
const count = z.object(counts);
const side = z.object({
  ...counts,
  told: z.int().meta({ description: 'Different people, addresses and channels' }),
  nobodyReached: z.array(z.int()).meta({ description: 'Numbers of incidents of which no page arrived' }),
  breaches: z.int().nullable().meta({ description: 'Clocks of SLAs that ran out' }),
});
const told = z.object({
  pages: z.int(),
  firstAfterMs: z.int().nullable().meta({ description: 'Null: nobody is paged' }),
});

const situationShown = z.object({
  kind: z.literal('situation'),
  opensAt: instant,
  until: instant.meta({ description: 'The rehearsal looks no further' }),
  timeZone: z.string(),
  policy: z.string().meta({ description: 'The escalation policy that is for it' }),
  sla: z.string().nullable().meta({ description: 'The SLA policy that is for it' }),
  summary: z.string(),
  rows: z
    .array(
      z.object({
        at: instant,
        local: z.string().meta({ description: 'By the clock on the wall of `timeZone`' }),
        afterMs: z.int().meta({ description: 'From the opening' }),
        kind: z.enum(['message', 'event']),
        type: z
          .string()
          .meta({ description: 'Of a message as in the log of notifications, else of the timeline' }),
        who: z.string().meta({ description: 'Whom it is for, or who acts' }),
        by: z.string().meta({ description: "Of a message: how, such as 'mail'" }),
        what: z.string(),
        why: z.string(),
        outcome: z.enum(['started', 'sent', 'failed', 'skipped']).nullable(),
        reason: z.string().nullable().meta({ description: 'Why it failed or was skipped' }),
      }),
    )
    .meta({ description: 'In the order of time, at most 1,000' }),
  cut: z.boolean(),
  clocks: z.array(
    z.object({
      kind: z.enum(['acknowledge', 'resolve']),
      policy: z.string(),
      dueAt: instant,
      state: z.enum(slaStates),
      endedAt: instant.nullable(),
    }),
  ),
});

const weekShown = z.object({
  kind: z.literal('week'),
  timeZone: z.string().meta({ description: 'In which it is a week from Monday 00:00' }),
  from: instant,
  to: instant,
  incidents: z.int(),
  cut: z.boolean().meta({ description: 'There were more incidents: the latest are left out' }),
  asItWas: side.meta({ description: 'By the log of notifications' }),
  asItStands: side.meta({ description: 'Rehearsed with what is saved now' }),
  asEdited: side,
  people: z.array(z.object({ who: z.string(), asItWas: count, asItStands: count, asEdited: count })),
  differences: z
    .array(
      z.object({ number: z.int(), title: z.string(), openedAt: instant, asItStands: told, asEdited: told }),
    )
    .meta({ description: 'At most 50 incidents that the edit makes a difference to' }),
});

export const rehearsalShown = z
  .discriminatedUnion('kind', [situationShown, weekShown])
  .meta({ id: 'RehearsalResult', description: 'Who would be told what and when' });
export type RehearsalShown = z.input<typeof rehearsalShown>;
