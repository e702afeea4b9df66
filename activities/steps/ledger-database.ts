import { type Database, DatabaseUnavailableError, type Tx } from '../../db/database.ts';
import {
  abandonAttempts,
  beginAttempt,
  endAttempt,
  loadAttempt,
  noteAttempt,
  reportAttempt,
} from '../../db/step-ledger.ts';
import type { PlacedStep } from '../../domain/runbook/attempt-view.ts';
import { variablesHold } from '../../domain/runbook/condition.ts';
import type { RunbookLayout } from '../../domain/runbook/layout.ts';
import { runnerOf } from '../../domain/runbook/runner.ts';
import { LedgerUnavailableError, type StepLedger } from './ledger.ts';

/** The ledger of Holdfast's own workers. */
export function createDatabaseLedger(db: Pick<Database, 'write'>): StepLedger {
  async function write<T>({ orgId }: { orgId: string }, work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      return await db.write({ orgId }, work);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
      throw new LedgerUnavailableError(error.message, { cause: error });
    }
  }
  return {
    load: (attempt) =>
      write(attempt, async (tx) => {
        const loaded = await loadAttempt(tx, attempt);
        if (!loaded) return undefined;
        const { layout, ...rest } = loaded;
        return { ...rest, beside: stepsOfWorker(layout) };
      }),
    begin: (attempt, { carrier, abandoned }) =>
      write(attempt, (tx) => beginAttempt(tx, attempt, { orgId: attempt.orgId, carrier, abandoned })),
    note: (attempt, group) => write(attempt, (tx) => noteAttempt(tx, attempt, { group })),
    report: (attempt, output) => write(attempt, (tx) => reportAttempt(tx, attempt, output)),
    end: (attempt, ended) => write(attempt, (tx) => endAttempt(tx, attempt, ended)),
    abandon: (attempt, keys) => write(attempt, (tx) => abandonAttempts(tx, { ...attempt, keys })),
  };
}

/** What no runner carries out, without steps that their variables skip: those need not even make sense. */
function stepsOfWorker(layout: RunbookLayout): PlacedStep[] {
  return layout.steps.flatMap((step) => {
    const scope = layout.scopes[step.scope];
    const { definition } = step;
    const isRun = definition.conditions.every((condition) =>
      variablesHold([condition], layout.scopes[condition.scope ?? step.scope]?.values ?? {}),
    );
    return scope && isRun && runnerOf(definition, 'step') === undefined ? [{ step, scope }] : [];
  });
}
