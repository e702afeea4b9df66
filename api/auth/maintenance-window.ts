import { ForbiddenError } from './errors.ts';
import { assertRole, mayInOrganization, mayOn, type Principal } from './principal.ts';

/**
 * Whether somebody makes, changes and ends maintenance windows of a team, or of everybody (null). Everybody's keeps the
 * runbooks of other teams from running, and its end lets them run again: a role in a team does not do for that.
 */
export function mayKeepWindow(principal: Principal, teamId: string | null): boolean {
  return teamId === null ? mayInOrganization(principal, 'operator') : mayOn(principal, 'operator', teamId);
}

/** Throws ForbiddenError with what is missing; `remedy`: what to do instead, where the window is everybody's. */
export function assertMayKeepWindow(principal: Principal, teamId: string | null, remedy: string): void {
  if (mayKeepWindow(principal, teamId)) return;
  if (teamId !== null) assertRole(principal, 'operator', teamId);
  throw new ForbiddenError(
    `a maintenance window of everybody's needs the role operator in the whole organization: ${remedy}`,
  );
}

export const askWhoMayChange = 'ask whoever has it to change it';
