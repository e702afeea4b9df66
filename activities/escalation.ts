import { ApplicationFailure } from '@temporalio/activity';
import type { Database } from '../db/database.ts';
import { listOwnerAddresses, readDirectory } from '../db/directory.ts';
import { reachesSomebody } from '../domain/escalation/reached.ts';
import { type Directory, type ResolvedTarget, resolveTargets } from '../domain/escalation/resolve.ts';
import type { EscalationTarget } from '../domain/policies.ts';
import type { Severity } from '../domain/severity.ts';

interface LevelArgs {
  orgId: string;
  targets: EscalationTarget[];
  severity: Severity;
  /** Epoch milliseconds. */
  at: number;
}

export function createEscalationActivities({ db }: { db: Pick<Database, 'read'> }) {
  return {
    /**
     * Whom the targets of a level reach at `at`, and who looks after the organization where that is nobody. Throws
     * UnresolvableLevel, where asking again is futile: the next level is better than none.
     */
    async resolveLevel(args: LevelArgs): Promise<{ targets: ResolvedTarget[]; owners: string[] }> {
      return await db.read({ orgId: args.orgId }, async (tx) => {
        const directory = await readDirectory(tx, args.targets, { at: args.at });
        const targets = resolve(directory, args);
        return { targets, owners: reachesSomebody(targets) ? [] : await listOwnerAddresses(tx) };
      });
    },
  };
}

export type EscalationActivities = ReturnType<typeof createEscalationActivities>;

function resolve(directory: Directory, { targets, severity, at }: LevelArgs): ResolvedTarget[] {
  try {
    return resolveTargets(directory, targets, severity, at);
  } catch (error) {
    throw ApplicationFailure.create({
      type: 'UnresolvableLevel',
      message: error instanceof Error ? error.message : String(error),
      nonRetryable: true,
      ...(error instanceof Error ? { cause: error } : {}),
    });
  }
}
