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

/** No offset such as '+02:00': PostgreSQL reads its sign the other way round than JavaScript. */
function isTimeZone(name: string): boolean {
  if (/^[+-]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
