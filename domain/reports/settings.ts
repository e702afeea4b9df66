import { z } from 'zod';

/** The key in `settings` under which an organization keeps `reportSettings`. */
export const reportSettingsKey = 'reports';

/** Who gets the reports and when Monday 08:00 is. Without recipients they go to the owners. */
export const reportSettings = z.object({
  recipients: z.array(z.email()).max(100).default([]),
  timeZone: z
    .string()
    .refine(isTimeZone, "write an IANA time zone such as 'Europe/Berlin' or 'UTC'")
    .default('UTC'),
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
