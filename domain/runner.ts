/** How often a runner says that it lives. */
export const signOfLifeMs = 15_000;
/** After this long without one it counts as silent. */
const silentAfterMs = 3 * signOfLifeMs;

/** What a runner may be called: it is part of the name of its task queue. */
export const runnerNamePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const runnerNameRule = 'write small letters, digits and hyphens, 63 at most, such as edge-berlin';

export function isSilent(lastSeenAt: Date, now: number): boolean {
  return now - lastSeenAt.getTime() > silentAfterMs;
}
