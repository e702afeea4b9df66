import { z } from 'zod';
import { isTimeZone } from './wall-clock.ts';

/** By IANA name. No offset such as '+02:00': PostgreSQL reads its sign the other way round than JavaScript. */
export const timeZone = z
  .string()
  .max(100)
  .refine(isTimeZone, "write an IANA time zone such as 'Europe/Berlin' or 'UTC'");
