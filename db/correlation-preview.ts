import { setImmediate as breathe } from 'node:timers/promises';
import { readCorrelationRules, type WrittenCorrelationRules } from '../domain/correlation/rules.ts';
import { type NoiseFigure, simulate } from '../domain/correlation/simulate.ts';
import { asCorrelated, type CorrelationContext, readCorrelationContext } from './correlation-context.ts';
import { rulesForAlert } from './correlation-rules.ts';
import type { Database, Scope } from './database.ts';
import { listPastAlerts } from './past-alerts.ts';
import { UnknownReferenceError } from './policies.ts';
import { findTeam } from './teams.ts';

/** What edited rules would have made of the alerts of the past, beside what the present ones make of them. */
export interface RulesPreview {
  /** Looked at: those that the rules are for, of the latest of the organization. */
  alerts: number;
  /** How far back they go; null where there was none. */
  since: Date | null;
  /** There were more alerts than are looked at: the oldest are left out. */
  cut: boolean;
  before: NoiseFigure;
  after: NoiseFigure;
}

const lookBackMs = 30 * 86_400_000;
const alertsLimit = 10_000;
/** Milliseconds after which others have their turn. */
const sliceMs = 10;

/**
 * Tries rules on the alerts of the last 30 days, in slices, so that nobody else waits. One at a time: whoever edits
 * rules can wait for somebody else who does.
 * Throws UnknownReferenceError for a team that there is not.
 */
export function createRulesPreview(db: Pick<Database, 'read'>, clock: () => number = Date.now) {
  let turn: Promise<unknown> = Promise.resolve();
  return async (
    scope: Scope,
    { team, rules }: { team: string | null; rules: WrittenCorrelationRules },
  ): Promise<RulesPreview> => {
    const mine = turn.then(async () => {
      const found = await db.read(scope, async (tx) => {
        const owner = team === null ? null : await findTeam(tx, team);
        if (owner === undefined) throw new UnknownReferenceError('team', `there is no team '${team}'`);
        return {
          teamId: owner?.id ?? null,
          context: await readCorrelationContext(tx),
          alerts: await listPastAlerts(tx, {
            since: new Date(clock() - lookBackMs),
            limit: alertsLimit + 1,
          }),
        };
      });
      return await tryRules(found, rules);
    });
    turn = mine.catch(() => {});
    return await mine;
  };
}

async function tryRules(
  {
    teamId,
    context,
    alerts,
  }: {
    teamId: string | null;
    context: CorrelationContext;
    alerts: Awaited<ReturnType<typeof listPastAlerts>>;
  },
  rules: WrittenCorrelationRules,
): Promise<RulesPreview> {
  const { inForce, graph } = context;
  const isConcerned = ({ labels }: { labels: Record<string, string> }) => {
    const owner = rulesForAlert(inForce, labels);
    return teamId === null ? owner.rules === inForce.organization : owner.teamId === teamId;
  };
  const concerned = alerts
    .slice(0, alertsLimit)
    .filter(isConcerned)
    .map((alert) => asCorrelated(context, alert));
  const own = inForce.teams.find(({ id }) => id === teamId)?.rules ?? inForce.organization;
  const steps = simulate(concerned, { before: own, after: readCorrelationRules(rules) }, graph);
  for (let until = performance.now() + sliceMs; ; ) {
    const { done, value } = steps.next();
    if (done) {
      const oldest = concerned.at(-1);
      return {
        ...value,
        since: oldest ? new Date(oldest.at) : null,
        cut: alerts.length > alertsLimit,
      };
    }
    if (performance.now() < until) continue;
    await breathe();
    until = performance.now() + sliceMs;
  }
}
