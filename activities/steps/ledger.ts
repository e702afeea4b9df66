import type { AttemptPast, AttemptPlace, ProcessIdentity } from '../../db/step-ledger.ts';
import type { PlacedStep } from '../../domain/runbook/attempt-view.ts';
import type { ProcessGroup } from './process-group.ts';

/** An attempt of a step or of its undo, and whose it is. */
export interface LedgerAttempt extends AttemptPlace {
  orgId: string;
}

export interface LoadedAttempt extends PlacedStep, AttemptPast {
  /** The other steps that will be carried out here too; a runner hears of none. */
  beside: PlacedStep[];
}

/**
 * Where attempts are written down before they begin, so that after a crash it is known what was begun. On Holdfast's
 * own worker it is the database, on a runner Holdfast's API. Every method throws LedgerUnavailableError when it is
 * away; each may be asked again then.
 */
export interface StepLedger {
  /** Undefined when there is no such step. */
  load(attempt: LedgerAttempt): Promise<LoadedAttempt | undefined>;
  /** Closes `abandoned`, whose outcome stays unknown, and opens the attempt. False: another has taken its place. */
  begin(attempt: LedgerAttempt, args: { carrier: ProcessIdentity; abandoned: string[] }): Promise<boolean>;
  /** Writes the process group down before its command begins. False: another attempt has taken its place. */
  note(attempt: LedgerAttempt, group: ProcessGroup): Promise<boolean>;
  /** What was said so far, if it changed. False: another attempt has taken its place. */
  report(attempt: LedgerAttempt, output: string | undefined): Promise<boolean>;
  end(attempt: LedgerAttempt, ended: { ok: boolean; error?: string; output: string }): Promise<void>;
  /** Closes attempts of the same execution whose outcome stays unknown. */
  abandon(attempt: LedgerAttempt, keys: string[]): Promise<void>;
}

/** The ledger is away: what was asked can be asked again. */
export class LedgerUnavailableError extends Error {
  override name = 'LedgerUnavailableError';
}
