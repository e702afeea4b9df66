import type { Cause } from '../../domain/root-cause/cause.ts';
import type { Evidence } from '../../domain/root-cause/evidence.ts';
import { rankCauses } from '../../domain/root-cause/rank-causes.ts';

/** Evidence whose points lie in one block of numbers, time and value by turns: cheap to hand to a thread. */
export interface PackedEvidence extends Omit<Evidence, 'metrics'> {
  metrics: { service: string; metric: string; unit?: string; points: Float64Array }[];
}

export function pack(evidence: Evidence): PackedEvidence {
  return {
    ...evidence,
    metrics: (evidence.metrics ?? []).map((series) => ({
      ...series,
      points: Float64Array.from(
        { length: series.points.length * 2 },
        (_, i) => series.points[i >> 1]?.[i & 1] ?? 0,
      ),
    })),
  };
}

function unpack({ metrics, ...rest }: PackedEvidence): Evidence {
  return {
    ...rest,
    metrics: metrics.map(({ points, ...series }) => ({
      ...series,
      points: Array.from({ length: points.length / 2 }, (_, i): [number, number] => [
        points[2 * i] ?? 0,
        points[2 * i + 1] ?? 0,
      ]),
    })),
  };
}

/** What a thread of root-cause.ts runs. */
export default function rankPacked(packed: PackedEvidence): Cause[] {
  return rankCauses(unpack(packed));
}
