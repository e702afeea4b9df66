import { z } from 'zod';

/** The key in `settings` under which an organization keeps `reportSettings`. */
export const reportSettingsKey = 'reports';

/** Who gets the reports, and in which zone they count hours and days; what is absent has a default. */
export const reportSettings = z.object({
  recipients: z.array(z.email()).max(100).optional(),
  timeZone: z
    .string()
    .refine(isTimeZone, "write an IANA time zone such as 'Europe/Berlin' or 'UTC'")
    .optional(),
});
export type ReportSettings = z.infer<typeof reportSettings>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
