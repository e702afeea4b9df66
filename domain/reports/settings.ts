import { z } from 'zod';
import { timeZone } from '../time-zone.ts';

/** The key in `settings` under which an organization keeps `reportSettings`. */
export const reportSettingsKey = 'reports';

/** Who gets the reports, and in which zone they count hours and days; what is absent has a default. */
export const reportSettings = z.object({
  recipients: z.array(z.email()).max(100).optional(),
  timeZone: timeZone.optional(),
  /** Who gets the report of a team, by its slug; a team that is absent has none. */
  teams: z.record(z.string().max(100), z.array(z.email()).min(1).max(100)).optional(),
});
export type ReportSettings = z.infer<typeof reportSettings>;
