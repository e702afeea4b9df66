import type { Tx } from '../../db/database.ts';
import { getOnCallSchedule } from '../../db/oncall.ts';
import { teamIdOf } from '../../db/teams.ts';
import { assertRole, type Principal } from './principal.ts';

/**
 * Admins of a team make, change and delete its schedules, the organization's Admins all of them. Throws ForbiddenError
 * unless the person is one of the team that has the schedule, and of the one that it is to belong to (null: the whole
 * organization); UnknownReferenceError for a team that there is not.
 */
export async function assertMayPutSchedule(
  tx: Tx,
  principal: Principal,
  { name, team }: { name: string; team: string | null },
): Promise<void> {
  await assertMayRemoveSchedule(tx, principal, name);
  assertRole(principal, 'admin', await teamIdOf(tx, team));
}

/** As `assertMayPutSchedule`; one that there is not, or that the person does not see, is nobody's. */
export async function assertMayRemoveSchedule(tx: Tx, principal: Principal, name: string): Promise<void> {
  const before = await getOnCallSchedule(tx, name);
  if (before) assertRole(principal, 'admin', before.teamId);
}
