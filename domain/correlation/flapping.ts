import type { FlappingRules } from './rules.ts';

/** One firing of an alert; it has not ended where `endedAt` is null. */
export interface Episode {
  startedAt: number;
  endedAt: number | null;
}

/**
 * Whether the same alert fires and resolves so often that a change says nothing: at least `changes` of them, beginnings
 * and ends, within `withinMs`, the latest less than `quietMs` ago.
 */
export function isFlapping(episodes: readonly Episode[], rules: FlappingRules, now: number): boolean {
  const changes = episodes
    .flatMap(({ startedAt, endedAt }) => (endedAt === null ? [startedAt] : [startedAt, endedAt]))
    .filter((at) => at <= now);
  const latest = Math.max(...changes);
  if (now - latest >= rules.quietMs) return false;
  return changes.filter((at) => latest - at <= rules.withinMs).length >= rules.changes;
}
