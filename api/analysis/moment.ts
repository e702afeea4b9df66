import { z } from 'zod';

/** Later than the year 5138 in seconds: then it is milliseconds. */
export const milliseconds = 1e11;

/** Read as milliseconds since 1970. */
export const moment = z
  .union(
    [z.number().nonnegative(), z.iso.datetime({ offset: true })],
    'write an ISO 8601 time or Unix seconds',
  )
  .transform((at) => {
    if (typeof at === 'string') return Date.parse(at);
    return at < milliseconds ? at * 1000 : at;
  })
  .meta({ description: 'ISO 8601, or Unix seconds or milliseconds' });
