import type { NewAlert } from './snapshot.ts';

/** Those of the same moment in the order in which they are given. */
export function inOrderOfTime(alerts: readonly NewAlert[]): { alert: NewAlert; index: number }[] {
  return alerts.map((alert, index) => ({ alert, index })).sort((a, b) => a.alert.at - b.alert.at);
}
