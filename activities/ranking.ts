import { Piscina } from 'piscina';
import type { Cause } from '../domain/root-cause/cause.ts';
import type { Evidence } from '../domain/root-cause/evidence.ts';
import { rankCauses } from '../domain/root-cause/rank-causes.ts';

/** Alerts and calls together; more are ranked in a thread of their own: about 30 ms of work. */
const small = 400;
const patienceMs = 20_000;

/** Ranks causes without holding up the workflows of this process. */
export interface Ranking {
  /** Best first; null when it took too long, as an incident of hundreds of failing services in a large graph may. */
  rank(evidence: Evidence): Promise<Cause[] | null>;
}

export function createRanking(): Ranking {
  const threads = new Piscina<Evidence, Cause[]>({
    filename: new URL('./ranking-thread.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 30_000,
  });
  return {
    async rank(evidence) {
      if (evidence.alerts.length + evidence.dependencies.length <= small) return rankCauses(evidence);
      try {
        return await threads.run(evidence, { signal: AbortSignal.timeout(patienceMs) });
      } catch (error) {
        if (error instanceof Error && error.name === 'AbortError') return null;
        throw error;
      }
    },
  };
}
