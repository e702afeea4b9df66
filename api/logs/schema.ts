import { z } from 'zod';

export const logsBody = z
  .string('send JSON lines as the body')
  .min(1, 'send JSON lines: one object {timestamp, service, host?, level, message, labels?} per line')
  .meta({ description: 'JSON lines: {timestamp, service, host?, level, message, labels?}' });

export const logsAccepted = z
  .object({
    accepted: z.int(),
    rejected: z.int(),
    problems: z
      .array(z.object({ line: z.int(), field: z.string(), message: z.string() }))
      .meta({ description: 'Of at most 100 rejected lines; `line` counts from 1' }),
  })
  .meta({ id: 'LogsAccepted' });
