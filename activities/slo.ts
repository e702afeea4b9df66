import type { Database } from '../db/database.ts';
import { hasSlos, listStandingSlos, type StandingSlo, saveSloLook } from '../db/slos.ts';
import {
  dueWindows,
  evaluateSlo,
  type Measured,
  nothingMeasured,
  type SloState,
  windowsOf,
} from '../domain/slo/evaluate.ts';
import type { Slo } from '../domain/slo/slo.ts';
import type { SloMeasuring } from '../workflows/messages-slos.ts';
import { PrometheusError } from './prometheus/client.ts';
import { readErrorRatios } from './prometheus/error-ratios.ts';

export interface SloActivitiesDeps {
  db: Pick<Database, 'read' | 'write'>;
  /** Where objectives are measured; without it each says so. */
  prometheusUrl?: string | undefined;
  /** Whose that Prometheus is: the objectives of others are not measured there. */
  ownsEnvironment: (orgId: string) => Promise<boolean>;
  /** Whether they are measured each minute. */
  measuring: SloMeasuring;
  clock: () => number;
}

export type SloActivities = ReturnType<typeof createSloActivities>;

/** Questions to Prometheus at once. */
const atOnce = 4;
/** After so many it is left alone until the next evaluation: each waits for its time-out. */
const mostUnanswered = 4;

export function createSloActivities(deps: SloActivitiesDeps) {
  async function sourceOf(orgId: string): Promise<string | undefined> {
    return (await deps.ownsEnvironment(orgId)) ? deps.prometheusUrl : undefined;
  }

  return {
    /** Measures what is due of every objective of the organization, and takes in the alerts that come of it. */
    async evaluateSlos({ orgId }: { orgId: string }): Promise<{ measured: number; failed: number }> {
      const slos = await deps.db.read({ orgId }, listStandingSlos);
      if (slos.length === 0) {
        await endMeasuring(orgId);
        return { measured: 0, failed: 0 };
      }
      const source = await sourceOf(orgId);
      const waiting = [...slos];
      let failed = 0;
      let unanswered = 0;
      const look = async (): Promise<void> => {
        for (let slo = waiting.shift(); slo; slo = waiting.shift()) {
          const now = deps.clock();
          const windows = dueWindows(slo.definition, slo.state, now);
          const found: Look =
            unanswered < mostUnanswered
              ? await measure(source, slo.definition, windows, now)
              : { problem: 'Prometheus did not answer others: it is not asked for this one now' };
          if ('problem' in found) failed += 1;
          if (found.mendable) unanswered += 1;
          await save(orgId, slo, found, now);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, look));
      return { measured: slos.length - failed, failed };
    },

    /** What an objective as edited would be now. Nothing of it is kept. */
    async previewSlo({ orgId, definition }: { orgId: string; definition: Slo }): Promise<SloState> {
      const now = deps.clock();
      const found = await measure(await sourceOf(orgId), definition, windowsOf(definition), now);
      return evaluateSlo('preview', definition, nothingMeasured, found, now).state;
    },
  };

  /** Nobody asks each minute for what there is not. One that was made meanwhile has begun it in vain. */
  async function endMeasuring(orgId: string): Promise<void> {
    await deps.measuring.end(orgId);
    if (await deps.db.read({ orgId }, hasSlos)) await deps.measuring.begin(orgId);
  }

  async function save(orgId: string, slo: StandingSlo, measured: Measured, now: number): Promise<void> {
    const { name, definition, updatedAt } = slo;
    const { state, alerts } = evaluateSlo(name, definition, slo.state, measured, now);
    await deps.db.write({ orgId }, (tx) =>
      saveSloLook(tx, { orgId, slo: name, updatedAt, state, at: new Date(now), alerts }),
    );
  }
}

/** `mendable`: it is Prometheus that failed, and not the objective. */
type Look = Measured & { mendable?: boolean };

async function measure(source: string | undefined, slo: Slo, windows: string[], at: number): Promise<Look> {
  if (source === undefined) {
    return {
      problem:
        'there is no Prometheus to ask: set PROMETHEUS_URL (it is the first organization’s) and start again',
    };
  }
  try {
    return { ratios: await readErrorRatios(source, slo, { windows, at }) };
  } catch (error) {
    if (!(error instanceof PrometheusError)) throw error;
    return { problem: error.message, mendable: error.mendable };
  }
}
