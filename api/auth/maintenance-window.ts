import type { Principal } from './principal.ts';
import { assertMayOperateFor } from './team-or-everybody.ts';

/**
 * For making, changing and ending maintenance windows of a team, or of everybody (null), which keep the runbooks of other
 * teams from running or let them run again. Throws ForbiddenError with what is missing; `remedy`: what to do instead, where
 * the window is everybody's.
 */
export function assertMayKeepWindow(principal: Principal, teamId: string | null, remedy: string): void {
  assertMayOperateFor(principal, teamId, { everybodys: "a maintenance window of everybody's", remedy });
}

export const askWhoMayChange = 'ask whoever has it to change it';
