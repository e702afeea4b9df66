import { z } from 'zod';
import { type ChangeMapping, longest, mappedFields } from './report.ts';

const name = z.string().trim().min(1, 'write a name').max(longest.name, `at most ${longest.name} characters`);
const most = 500;

/** What people write of a source beside its name: each part may be left out. */
export const changeMapping = z.strictObject({
  services: z
    .record(name, name)
    .refine((services) => Object.keys(services).length <= most, `at most ${most} services`)
    .default({}),
  environment: name.nullable().default(null),
  deploys: z.array(name).max(50, 'at most 50 patterns').default([]),
  fields: z.partialRecord(z.enum(mappedFields), name).default({}),
});

/** Of a stored source. Throws ZodError where the row is not what Holdfast wrote. */
export function storedMapping(stored: Record<string, unknown>): ChangeMapping {
  return changeMapping.parse(stored);
}
