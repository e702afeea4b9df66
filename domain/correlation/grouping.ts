import type { Decision } from './snapshot.ts';

/** Where alerts were put as they came. */
export interface FirstLook {
  /** Indices of alerts. */
  groups: number[][];
  /** By alert. */
  decisions: Decision[];
}

export interface Grouping {
  /** Indices of alerts: each group and the groups by their first. */
  groups: number[][];
  /** Why each alert is where it is, by its index; '#7' is the group that the alert with index 7 opened. */
  reasons: string[];
}
