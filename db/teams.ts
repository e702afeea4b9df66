import type { Tx } from './database.ts';

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
