import type { Tx } from '../../db/database.ts';
import { findTeam } from '../../db/teams.ts';
import { ForbiddenError } from './errors.ts';
import { assertRole, mayInOrganization, mayOn, type Principal } from './principal.ts';

/**
 * Whether somebody acts as Operator on what holds for a team, or for everybody (null). What is everybody's holds for other
 * teams, too: a role in a team does not do for that.
 */
export function mayOperateFor(principal: Principal, teamId: string | null): boolean {
  return teamId === null ? mayInOrganization(principal, 'operator') : mayOn(principal, 'operator', teamId);
}

/** Throws ForbiddenError with what is missing. `words`, where it is everybody's: what it is, and what to do instead. */
export function assertMayOperateFor(
  principal: Principal,
  teamId: string | null,
  words: { everybodys: string; remedy: string },
): void {
  if (mayOperateFor(principal, teamId)) return;
  if (teamId !== null) assertRole(principal, 'operator', teamId);
  throw new ForbiddenError(
    `${words.everybodys} needs the role operator in the whole organization: ${words.remedy}`,
  );
}

/**
 * For making what holds for the team of this slug, or for everybody (null), by its own rule of who may. A team that there
 * is not is refused where it is written.
 */
export async function assertMayMakeFor(
  tx: Tx,
  principal: Principal,
  slug: string | null,
  assertMay: (principal: Principal, teamId: string | null, remedy: string) => void,
): Promise<void> {
  const teamId = slug === null ? null : (await findTeam(tx, slug))?.id;
  if (teamId !== undefined) assertMay(principal, teamId, 'name one of your teams');
}
