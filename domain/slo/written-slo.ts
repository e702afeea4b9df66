import type { z } from 'zod';
import { queryProblems } from './queries.ts';
import { type Slo, slo } from './slo.ts';

/** Refuses queries that Prometheus could not be asked: checked where somebody writes them, and never again. */
export function checkQueries(definition: Slo, context: z.RefinementCtx): void {
  for (const { query, message } of queryProblems(definition)) {
    context.addIssue({ code: 'custom', path: ['indicator', query], message });
  }
}

/** An objective as somebody writes it. */
export const writtenSlo = slo.superRefine(checkQueries);
