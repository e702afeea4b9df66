import { roleAtLeast, roleBy } from '../domain/roles.ts';
import type { ApprovalRules } from '../domain/runbook/definition.ts';
import type { Person } from './identity.ts';

export type VoterRules = Pick<ApprovalRules, 'role' | 'teams' | 'notRequester'>;

/** As the execution's workflow decides it (domain/execution/approval.ts). */
export function mayApprove(
  { email, memberships }: Person,
  { role, teams, notRequester }: VoterRules,
  of: { teamId: string | null; requestedBy: string },
): boolean {
  if (notRequester && email === of.requestedBy) return false;
  if (teams.length > 0 && !memberships.some(({ teamSlug }) => teamSlug && teams.includes(teamSlug)))
    return false;
  const held = roleBy(memberships, of.teamId);
  return held !== undefined && roleAtLeast(held, role);
}
