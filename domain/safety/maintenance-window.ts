import { z } from 'zod';
import { holdsUntil, type Recurring, weeklyWindow } from '../weekly-window.ts';

const dayMs = 86_400_000;
/** As long as a silence may last: longer than that nobody remembers why. */
const longestWeeklyMs = 90 * dayMs;

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
    weekly: weeklyWindow.optional().meta({
      description: 'Only at these times between start and end; absent: all the while',
    }),
    reason: z.string().trim().min(1, 'say what is being done').max(500),
  })
  .refine(({ startsAt, endsAt }) => Date.parse(endsAt) > Date.parse(startsAt), {
    path: ['endsAt'],
    message: 'the end must lie after the start',
  })
  .refine(
    ({ startsAt, endsAt, weekly }) => !weekly || Date.parse(endsAt) - Date.parse(startsAt) <= longestWeeklyMs,
    {
      path: ['endsAt'],
      message:
        'a window that comes back every week lasts at most 90 days: end it sooner, and renew it if it is still needed then',
    },
  );
export type MaintenanceWindow = z.infer<typeof maintenanceWindow>;

export const windowStates = ['waiting', 'in force', 'out of hours', 'over'] as const;
export type WindowState = (typeof windowStates)[number];

export function windowStateOf(window: Recurring, now: number): WindowState {
  if (now < window.from) return 'waiting';
  if (now >= window.to) return 'over';
  return holdsUntil(window, now) === null ? 'out of hours' : 'in force';
}
