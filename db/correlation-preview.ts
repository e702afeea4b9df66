import type { WrittenCorrelationRules } from '../domain/correlation/rules.ts';
import type { RulesToTry, TriedRules } from './correlation-preview-thread.ts';
import { readRulesInForce } from './correlation-rules.ts';
import type { Database, Scope } from './database.ts';
import { listPastAlerts } from './past-alerts.ts';
import { createPreviewThread } from './preview-thread.ts';
import { teamIdOf } from './teams.ts';
import { readGraph } from './topology.ts';

/** What edited rules would have made of the alerts of the past, beside what the present ones make of them. */
export interface RulesPreview extends TriedRules {
  /** There were more alerts than are looked at: the oldest are left out. */
  cut: boolean;
}

const lookBackMs = 30 * 86_400_000;
const alertsLimit = 10_000;
/**
 * Tries rules on the alerts of the last 30 days, in a thread of its own.
 * Throws UnknownReferenceError for a team that there is not, NotTriedError.
 */
export function createRulesPreview(db: Pick<Database, 'read'>, clock: () => number = Date.now) {
  const tryOut = createPreviewThread<RulesToTry, TriedRules>({
    file: new URL('./correlation-preview-thread.ts', import.meta.url),
    messages: {
      busy: 'Other rules are being tried: try again in some seconds.',
      tooMuch: 'Trying these rules takes too long: look back less far, or bridge fewer calls.',
    },
  });

  return async (
    scope: Scope,
    { team, rules }: { team: string | null; rules: WrittenCorrelationRules },
    left: AbortSignal,
  ): Promise<RulesPreview> => {
    let cut = false;
    const read = () =>
      db.read(scope, async (tx) => {
        const alerts = await listPastAlerts(tx, {
          since: new Date(clock() - lookBackMs),
          limit: alertsLimit + 1,
        });
        cut = alerts.length > alertsLimit;
        return {
          teamId: await teamIdOf(tx, team),
          inForce: await readRulesInForce(tx),
          dependencies: await readGraph(tx),
          alerts: alerts.slice(0, alertsLimit),
          rules,
        };
      });
    return { ...(await tryOut(scope.orgId, read, left)), cut };
  };
}
