import type { ResolvedTarget } from './resolve.ts';

/** Whether a level reaches somebody who can answer. */
export function reachesSomebody(resolved: readonly ResolvedTarget[]): boolean {
  return resolved.some(({ problem }) => problem === null);
}
