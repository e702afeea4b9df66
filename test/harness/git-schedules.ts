import type { GitSchedules, ScheduledSource } from '../../workflows/messages-git.ts';

export interface FakeGitSchedules extends GitSchedules {
  /** By source: how often it is looked at. */
  kept: Map<string, number>;
  /** In order. */
  synced: string[];
  /** What every call throws, while it is set. */
  failure: Error | undefined;
}

/** In the place of Temporal's schedules. */
export function createFakeGitSchedules(): FakeGitSchedules {
  const fail = () => {
    if (schedules.failure) throw schedules.failure;
  };
  const schedules: FakeGitSchedules = {
    kept: new Map(),
    synced: [],
    failure: undefined,
    async keep({ sourceId, intervalMs }: ScheduledSource) {
      fail();
      schedules.kept.set(sourceId, intervalMs);
    },
    async remove(_orgId, sourceId) {
      fail();
      schedules.kept.delete(sourceId);
    },
    async sync({ sourceId }) {
      fail();
      schedules.synced.push(sourceId);
    },
  };
  return schedules;
}
