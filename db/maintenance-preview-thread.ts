import {
  type MaintenancePreview,
  type MatchingRunbooks,
  matchingRunbooks,
  type PastExecution,
  previewMaintenance,
  type StartableRunbook,
  type WindowAbout,
} from '../domain/safety/maintenance-preview.ts';

/** A maintenance window to try, and what it is tried on. */
export interface MaintenanceToTry {
  about: WindowAbout;
  /** The latest to act first. */
  executions: PastExecution[];
  /** By name. */
  runbooks: StartableRunbook[];
}

export interface TriedMaintenance extends MaintenancePreview {
  now: MatchingRunbooks;
}

/** What a thread of maintenance-preview.ts runs. */
export default function tryMaintenance({ about, executions, runbooks }: MaintenanceToTry): TriedMaintenance {
  return { ...previewMaintenance(about, executions), now: matchingRunbooks(about, runbooks) };
}
