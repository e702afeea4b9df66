import { type CorrelationRules, readCorrelationRules } from '../domain/correlation/rules.ts';
import { matchesGlob } from '../domain/glob.ts';
import type { Tx } from './database.ts';

/** By whose rules alerts are correlated. */
export interface RulesInForce {
  organization: CorrelationRules;
  /** By slug. */
  teams: {
    id: string;
    /** Globs of labels; a team without any owns no alert. */
    match: Record<string, string>;
    /** Its own; null: the organization's hold. */
    rules: CorrelationRules | null;
  }[];
}

export async function readRulesInForce(tx: Tx): Promise<RulesInForce> {
  const written = await tx.selectFrom('correlation_rules').select(['team_id', 'definition']).execute();
  const teams = await tx.selectFrom('teams').select(['id', 'match']).orderBy('slug').execute();
  const definitions = new Map(written.map((row) => [row.team_id, row.definition]));
  return {
    organization: readCorrelationRules(definitions.get(null) ?? null),
    teams: teams.map(({ id, match }) => {
      const own = definitions.get(id);
      return { id, match, rules: own === undefined ? null : readCorrelationRules(own) };
    }),
  };
}

/** The first team, by slug, all of whose label globs the alert matches, and the rules that hold for it. */
export function rulesForAlert(
  inForce: RulesInForce,
  labels: Record<string, string>,
): { teamId: string | null; rules: CorrelationRules } {
  const team = inForce.teams.find(({ match }) => {
    const globs = Object.entries(match);
    return globs.length > 0 && globs.every(([label, glob]) => matchesGlob(glob, labels[label] ?? ''));
  });
  return { teamId: team?.id ?? null, rules: team?.rules ?? inForce.organization };
}
