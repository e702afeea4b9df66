import { z } from 'zod';
import { parseDuration } from './duration.ts';

/** A duration in configuration and in the API: text such as '2s', '15m', '4h'. */
export const durationText = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, "write a duration such as '30s', '15m', '4h' or '7d'");
