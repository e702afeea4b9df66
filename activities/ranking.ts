import { Piscina } from 'piscina';
import { fairTurns, NoTurnError } from '../domain/fair-turns.ts';
import type { Cause } from '../domain/root-cause/cause.ts';
import type { Evidence } from '../domain/root-cause/evidence.ts';
import { rankCauses } from '../domain/root-cause/rank-causes.ts';

/** What is more than this is ranked in a thread of its own: about 30 ms of work. */
const small = { alertsAndCalls: 400, points: 30_000 };
/** Incidents that wait for the thread: each holds all its evidence. */
const waiting = { ofOne: 8, ofAll: 32 };

/** Best first; `note` is a sentence for people where they could not be ranked. */
export interface Ranked {
  causes: Cause[];
  note: string | null;
}

/** Ranks causes without holding up the workflows of this process. */
export interface Ranking {
  rank(orgId: string, evidence: Evidence): Promise<Ranked>;
}

/**
 * @param patience milliseconds that an incident may keep the thread, and that it may wait for it
 * @param file of the thread
 */
export function createRanking(
  patience: { work: number; wait: number } = { work: 20_000, wait: 20_000 },
  file: URL = new URL('./ranking-thread.ts', import.meta.url),
): Ranking {
  const threads = new Piscina<Evidence, Cause[]>({
    filename: file.href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 30_000,
  });
  const inTurn = fairTurns({ atOnce: 1, waiting });

  return {
    async rank(orgId, evidence) {
      if (isSmall(evidence)) return { causes: rankCauses(evidence), note: null };
      try {
        const causes = await inTurn(
          orgId,
          () => threads.run(evidence, { signal: AbortSignal.timeout(patience.work) }),
          AbortSignal.timeout(patience.wait),
        );
        return { causes, note: null };
      } catch (error) {
        const note = noteOf(error);
        if (note === undefined) throw error;
        return { causes: [], note };
      }
    },
  };
}

function noteOf(error: unknown): string | undefined {
  if (error instanceof NoTurnError) {
    return 'The causes were not ranked: those of too many other incidents were ranked at the same time.';
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return 'The causes were not ranked: there is too much evidence, or too many services fail at once.';
  }
  return undefined;
}

function isSmall({ alerts, dependencies, metrics = [] }: Evidence): boolean {
  return (
    alerts.length + dependencies.length <= small.alertsAndCalls &&
    metrics.reduce((sum, series) => sum + series.points.length, 0) <= small.points
  );
}
