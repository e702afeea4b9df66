import { createHash } from 'node:crypto';
import { ImportFormatError } from '../domain/oncall-import/imported.ts';
import {
  canonical,
  type ImportPlan,
  type ImportSource,
  planImport,
  type Standing,
} from '../domain/oncall-import/plan.ts';

export interface ExportToPlan {
  source: ImportSource;
  /** JSON: a text passes between threads faster than what it says. */
  text: string;
  standing: Standing;
  now: number;
}

/** `hash`: by which somebody says that they saw just this plan. `refused`: what of the file is no export. */
export type PlannedExport = { plan: ImportPlan; hash: string } | { refused: string[] };

/** What a thread of oncall-import.ts runs. */
export default function planExport({ source, text, standing, now }: ExportToPlan): PlannedExport {
  try {
    const plan = planImport(source, JSON.parse(text), standing, now);
    return { plan, hash: createHash('sha256').update(canonical(plan)).digest('hex') };
  } catch (error) {
    if (error instanceof ImportFormatError) return { refused: error.problems };
    throw error;
  }
}
