import type { Database } from '../db/database.ts';

export interface AnalysisDeps {
  db: Database;
}

export function createAnalysisActivities(_deps: AnalysisDeps) {
  return {
    async analyseIncident(_args: {
      orgId: string;
      incidentId: string;
      /** The service that was told as the cause before. */
      told: string | null;
    }): Promise<{
      cause: { service: string; confidence: number; reasons: string[] } | null;
      changes: { id: number; sentence: string }[];
    }> {
      return { cause: null, changes: [] };
    },
  };
}

export type AnalysisActivities = ReturnType<typeof createAnalysisActivities>;
