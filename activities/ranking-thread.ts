import type { Cause } from '../domain/root-cause/cause.ts';
import type { Evidence } from '../domain/root-cause/evidence.ts';
import { rankCauses } from '../domain/root-cause/rank-causes.ts';

/** What a thread of ranking.ts runs. */
export default function rank(evidence: Evidence): Cause[] {
  return rankCauses(evidence);
}
