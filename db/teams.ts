import type { Tx } from './database.ts';
import { UnknownReferenceError } from './policies.ts';

export interface Team {
  id: string;
  slug: string;
  name: string;
}

/** By name. */
export async function listTeams(tx: Tx): Promise<Team[]> {
  return await tx.selectFrom('teams').select(['id', 'slug', 'name']).orderBy('name').execute();
}

export async function findTeam(tx: Tx, slug: string): Promise<Team | undefined> {
  return await tx
    .selectFrom('teams')
    .select(['id', 'slug', 'name'])
    .where('slug', '=', slug)
    .executeTakeFirst();
}

/** Null for none: the whole organization. Throws UnknownReferenceError at `field` for a team that there is not. */
export async function teamIdOf(tx: Tx, slug: string | null, field = 'team'): Promise<string | null> {
  if (slug === null) return null;
  const team = await findTeam(tx, slug);
  if (!team) throw new UnknownReferenceError(field, `there is no team '${slug}'`);
  return team.id;
}
