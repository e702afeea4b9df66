import { Piscina } from 'piscina';
import type { WrittenCorrelationRules } from '../domain/correlation/rules.ts';
import { fairTurns, NoTurnError } from '../domain/turns.ts';
import type { RulesToTry, TriedRules } from './correlation-preview-thread.ts';
import { readRulesInForce } from './correlation-rules.ts';
import type { Database, Scope, Tx } from './database.ts';
import { listPastAlerts } from './past-alerts.ts';
import { UnknownReferenceError } from './policies.ts';
import { findTeam } from './teams.ts';
import { readGraph } from './topology.ts';

/** What edited rules would have made of the alerts of the past, beside what the present ones make of them. */
export interface RulesPreview extends TriedRules {
  /** There were more alerts than are looked at: the oldest are left out. */
  cut: boolean;
}

/** Rules are not tried: others are ('busy'), or they take too long ('too much'). The message is for people. */
export class RulesNotTriedError extends Error {
  override name = 'RulesNotTriedError';
  readonly why: 'busy' | 'too much';

  constructor(why: 'busy' | 'too much', message: string, cause: unknown) {
    super(message, { cause });
    this.why = why;
  }
}

const lookBackMs = 30 * 86_400_000;
const alertsLimit = 10_000;
/** Milliseconds that a try may take, and that it may wait for others. */
const patience = { work: 30_000, wait: 20_000 };

/**
 * Tries rules on the alerts of the last 30 days, in a thread of its own, so that nobody else waits; one try at a time,
 * organizations take turns. A try ends when its signal is aborted.
 * Throws UnknownReferenceError for a team that there is not, RulesNotTriedError.
 */
export function createRulesPreview(db: Pick<Database, 'read'>, clock: () => number = Date.now) {
  const threads = new Piscina<RulesToTry, TriedRules>({
    filename: new URL('./correlation-preview-thread.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 30_000,
  });
  const inTurn = fairTurns({ atOnce: 1, waiting: { ofOne: 2, ofAll: 6 } });

  async function work(
    scope: Scope,
    { team, rules }: { team: string | null; rules: WrittenCorrelationRules },
    signal: AbortSignal,
  ): Promise<RulesPreview> {
    const found = await db.read(scope, async (tx) => ({
      teamId: await teamIdOf(tx, team),
      inForce: await readRulesInForce(tx),
      dependencies: await readGraph(tx),
      alerts: await listPastAlerts(tx, { since: new Date(clock() - lookBackMs), limit: alertsLimit + 1 }),
    }));
    const cut = found.alerts.length > alertsLimit;
    const given = { ...found, alerts: found.alerts.slice(0, alertsLimit), rules };
    return { ...(await threads.run(given, { signal })), cut };
  }

  return async (
    scope: Scope,
    edited: { team: string | null; rules: WrittenCorrelationRules },
    left: AbortSignal,
  ): Promise<RulesPreview> => {
    const waiting = AbortSignal.any([left, AbortSignal.timeout(patience.wait)]);
    const working = () => work(scope, edited, AbortSignal.any([left, AbortSignal.timeout(patience.work)]));
    try {
      return await inTurn(scope.orgId, working, waiting);
    } catch (error) {
      if (error instanceof NoTurnError) {
        throw new RulesNotTriedError(
          'busy',
          'Other rules are being tried: try again in some seconds.',
          error,
        );
      }
      if (error instanceof Error && error.name === 'AbortError') {
        const remedy = 'Trying these rules takes too long: look back less far, or bridge fewer calls.';
        throw new RulesNotTriedError('too much', remedy, error);
      }
      throw error;
    }
  };
}

async function teamIdOf(tx: Tx, slug: string | null): Promise<string | null> {
  if (slug === null) return null;
  const team = await findTeam(tx, slug);
  if (!team) throw new UnknownReferenceError('team', `there is no team '${slug}'`);
  return team.id;
}
