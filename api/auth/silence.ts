import { ForbiddenError } from './errors.ts';
import { assertRole, mayInOrganization, mayOn, type Principal } from './principal.ts';

/**
 * Whether somebody makes and ends silences of a team's alerts, or of everybody's (null). What is everybody's keeps other
 * teams quiet, or has them told: a role in a team does not do for that.
 */
export function mayKeepQuiet(principal: Principal, teamId: string | null): boolean {
  return teamId === null ? mayInOrganization(principal, 'operator') : mayOn(principal, 'operator', teamId);
}

/** Throws ForbiddenError with what is missing; `remedy`: what to do instead, where the silence is everybody's. */
export function assertMayKeepQuiet(principal: Principal, teamId: string | null, remedy: string): void {
  if (mayKeepQuiet(principal, teamId)) return;
  if (teamId !== null) assertRole(principal, 'operator', teamId);
  throw new ForbiddenError(
    `a silence of everybody's alerts needs the role operator in the whole organization: ${remedy}`,
  );
}

export const askWhoMayEnd = 'ask whoever has it to end it';
