import type { AlertStatus } from './incident-status.ts';
import type { Severity } from './severity.ts';

/** What an alert's workflow last saw in its row. */
export interface AlertView {
  version: number;
  status: AlertStatus;
  severity: Severity;
  /** Epoch milliseconds, the database's clock. */
  lastSeenAt: number;
  resendIntervalMs: number;
}

/** A sender may be late: a quarter of its interval, between one minute and half an hour. */
function margin(resendIntervalMs: number): number {
  return Math.min(Math.max(resendIntervalMs / 4, 60_000), 30 * 60_000);
}

/** When a firing alert that is not seen again counts as stale; null when it does not (any more). */
export function staleAt(view: AlertView): number | null {
  if (view.status !== 'firing') return null;
  return view.lastSeenAt + view.resendIntervalMs + margin(view.resendIntervalMs);
}

/** What the incident is told of this sight of the alert; null when nothing that matters to it has changed. */
export function changeToReport(
  before: Pick<AlertView, 'status' | 'severity'> | null,
  after: Pick<AlertView, 'status' | 'severity'>,
): 'joined' | 'resolved' | 'stale' | 'firing' | 'updated' | null {
  if (!before) return 'joined';
  if (before.status !== after.status) return after.status;
  return before.severity === after.severity ? null : 'updated';
}
