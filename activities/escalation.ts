import { ApplicationFailure } from '@temporalio/activity';
import { ZodError } from 'zod';
import type { Database } from '../db/database.ts';
import { listOwnerAddresses, readDirectory } from '../db/directory.ts';
import { reachesSomebody } from '../domain/escalation/reached.ts';
import { type ResolvedTarget, resolveTargets } from '../domain/escalation/resolve.ts';
import type { EscalationTarget } from '../domain/policies.ts';
import type { Severity } from '../domain/severity.ts';

export function createEscalationActivities({ db }: { db: Pick<Database, 'read'> }) {
  return {
    /**
     * Whom the targets of a level reach at `at` (epoch milliseconds), and who looks after the organization where that is
     * nobody. Throws UnreadableDirectory for what is stored and cannot be read by this version: asking again is futile.
     */
    async resolveLevel(args: {
      orgId: string;
      targets: EscalationTarget[];
      severity: Severity;
      at: number;
    }): Promise<{ targets: ResolvedTarget[]; owners: string[] }> {
      const { orgId, severity, at } = args;
      try {
        return await db.read({ orgId }, async (tx) => {
          const directory = await readDirectory(tx, args.targets, { at });
          const targets = resolveTargets(directory, args.targets, severity, at);
          return { targets, owners: reachesSomebody(targets) ? [] : await listOwnerAddresses(tx) };
        });
      } catch (error) {
        if (!(error instanceof ZodError)) throw error;
        throw ApplicationFailure.nonRetryable(
          `a schedule or contact rule cannot be read: ${error.issues[0]?.message ?? error.message}`,
          'UnreadableDirectory',
        );
      }
    },
  };
}

export type EscalationActivities = ReturnType<typeof createEscalationActivities>;
