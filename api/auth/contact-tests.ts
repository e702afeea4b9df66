import { createAttempts } from './attempts.ts';

/**
 * Tests of contact rules that somebody asked for, on pages and by the API together. The rules may name addresses that
 * nobody has confirmed, and channels of others: without a limit any Viewer could have Holdfast write to them on and on.
 */
export const contactTests = createAttempts(6, 10 * 60_000);
