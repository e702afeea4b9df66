/**
 * What an organization may bring in a minute: what is beyond that is refused for good. With an hour's keeping so many
 * spans take at most some 600 MB, and where a trace breaks shows in a part of them too.
 */
export const perMinute = { spans: 30_000, logs: 120_000 };

const minute = 60_000;

/** Counts by minute and organization, in this process. */
export function createQuota(limit: number) {
  const used = new Map<string, number>();
  let since = 0;

  return {
    /** How many of `wanted` may come at `now` (epoch ms). */
    grant(orgId: string, wanted: number, now: number): number {
      if (now - since >= minute) {
        used.clear();
        since = now;
      }
      const before = used.get(orgId) ?? 0;
      const granted = Math.min(wanted, limit - before);
      used.set(orgId, before + granted);
      return granted;
    },
    /** What could not be stored, and is sent again. */
    giveBack(orgId: string, count: number): void {
      used.set(orgId, Math.max(0, (used.get(orgId) ?? 0) - count));
    },
  };
}
