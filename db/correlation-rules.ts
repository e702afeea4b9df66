import { ZodError } from 'zod';
import {
  type CorrelationRules,
  defaultCorrelationRules,
  readCorrelationRules,
  storedCorrelationRules,
  type WrittenCorrelationRules,
} from '../domain/correlation/rules.ts';
import { matchesGlob } from '../domain/glob.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { type Team, teamIdOf } from './teams.ts';

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
    organization: rulesOrDefaults(definitions.get(null) ?? null),
    teams: teams.map(({ id, match }) => {
      const own = definitions.get(id);
      return { id, match, rules: own === undefined ? null : rulesOrDefaults(own) };
    }),
  };
}

/** Rules that this version cannot read, of a later one say, must not keep alerts from becoming incidents. */
function rulesOrDefaults(definition: unknown): CorrelationRules {
  try {
    return readCorrelationRules(definition);
  } catch (error) {
    if (error instanceof ZodError) return defaultCorrelationRules;
    throw error;
  }
}

/**
 * The team that the alert came with (`own`), else the first, by slug, all of whose label globs it matches, and the rules
 * that hold for it.
 */
export function rulesForAlert(
  inForce: RulesInForce,
  labels: Record<string, string>,
  own: string | null = null,
): { teamId: string | null; rules: CorrelationRules } {
  const team = inForce.teams.find(({ id, match }) => {
    if (own !== null) return id === own;
    const globs = Object.entries(match);
    return globs.length > 0 && globs.every(([label, glob]) => matchesGlob(glob, labels[label] ?? ''));
  });
  return { teamId: own ?? team?.id ?? null, rules: team?.rules ?? inForce.organization };
}

/** As people wrote them. */
export interface StoredCorrelationRules {
  /** null: the organization's, which hold for alerts of no team and of teams without their own. */
  team: Team | null;
  rules: WrittenCorrelationRules;
  updatedAt: Date;
}

/** The organization's first, then by the team's name. */
export async function listCorrelationRules(tx: Tx): Promise<StoredCorrelationRules[]> {
  const rows = await tx
    .selectFrom('correlation_rules')
    .leftJoin('teams', 'teams.id', 'correlation_rules.team_id')
    .select(['teams.id', 'teams.slug', 'teams.name', 'definition', 'updated_at'])
    .orderBy('correlation_rules.team_id', (order) => order.desc().nullsFirst())
    .orderBy('teams.name')
    .execute();
  return rows
    .map(({ id, slug, name, definition, updated_at: updatedAt }) => ({
      team: id === null || slug === null || name === null ? null : { id, slug, name },
      rules: storedCorrelationRules.parse(definition),
      updatedAt,
    }))
    .sort((a, b) => Number(a.team !== null) - Number(b.team !== null) || byName(a.team, b.team));
}

function byName(a: Team | null, b: Team | null): number {
  return (a?.name ?? '').localeCompare(b?.name ?? '');
}

/** @param team its slug; null: the organization's */
export async function getCorrelationRules(
  tx: Tx,
  team: string | null,
): Promise<StoredCorrelationRules | undefined> {
  return (await listCorrelationRules(tx)).find((stored) => (stored.team?.slug ?? null) === team);
}

/** Throws UnknownReferenceError for a team that there is not. */
export async function putCorrelationRules(
  tx: Tx,
  change: { orgId: string; team: string | null; rules: WrittenCorrelationRules; actor: string },
): Promise<void> {
  const { orgId, team, actor } = change;
  const teamId = await teamIdOf(tx, team);
  const definition = JSON.stringify(change.rules);
  await tx
    .insertInto('correlation_rules')
    .values({ org_id: orgId, team_id: teamId, definition })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'team_id']).doUpdateSet({ definition, updated_at: new Date() }),
    )
    .execute();
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'correlation-rules.put',
    subject: subjectOf(team),
    data: { rules: change.rules },
  });
}

/** False where there are none. */
export async function deleteCorrelationRules(
  tx: Tx,
  change: { orgId: string; team: string | null; actor: string },
): Promise<boolean> {
  const { orgId, team, actor } = change;
  const stored = await getCorrelationRules(tx, team);
  if (!stored) return false;
  await tx
    .deleteFrom('correlation_rules')
    .where('team_id', stored.team ? '=' : 'is', stored.team?.id ?? null)
    .execute();
  await recordAudit(tx, { orgId, actor, action: 'correlation-rules.deleted', subject: subjectOf(team) });
  return true;
}

function subjectOf(team: string | null): string {
  return team === null ? 'correlation-rules:organization' : `correlation-rules:team:${team}`;
}
