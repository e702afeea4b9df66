import { sql } from 'kysely';
import type { Dependency } from '../domain/topology/service.ts';
import type { Tx } from './database.ts';

/** Milliseconds after which a learned dependency that nothing shows any more counts as gone. */
export const dependencyLifetimeMs = 7 * 86_400_000;

/** Dependencies that are read at most: an organization with more has names in it that are no services. */
const graphLimit = 20_000;

/**
 * Who calls whom, as far as it is known: declared, or seen within the last week; by caller and callee. Of more than
 * 20,000 the declared ones and those that were seen last.
 */
export async function readGraph(tx: Tx): Promise<Dependency[]> {
  const rows = await tx
    .selectFrom('service_dependencies')
    .select(['caller as from', 'callee as to'])
    .where((where) =>
      where.or([
        where('declared', '=', true),
        where('last_seen_at', '>', new Date(Date.now() - dependencyLifetimeMs)),
      ]),
    )
    .orderBy('declared', 'desc')
    .orderBy(sql`last_seen_at desc nulls last`)
    .orderBy('caller')
    .orderBy('callee')
    .limit(graphLimit)
    .execute();
  return rows.sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
