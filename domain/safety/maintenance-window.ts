import { z } from 'zod';

/** While somebody works on what `target` (a glob over targets) matches, automation keeps its hands off. */
export const maintenanceWindow = z
  .strictObject({
    target: z.string().trim().min(1, "write a target, or '*' for all").max(500).meta({
      description: "A glob over targets, such as 'db-*'",
    }),
    /** Slug. */
    team: z.string().max(100).nullable().default(null).meta({
      description: "Only this team's executions; null: everybody's",
    }),
    startsAt: z.iso.datetime(),
    endsAt: z.iso.datetime(),
    reason: z.string().trim().min(1, 'say what is being done').max(500),
  })
  .refine(({ startsAt, endsAt }) => Date.parse(endsAt) > Date.parse(startsAt), {
    path: ['endsAt'],
    message: 'the end must lie after the start',
  });
export type MaintenanceWindow = z.infer<typeof maintenanceWindow>;
