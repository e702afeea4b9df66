import type { Principal } from './principal.ts';
import { assertMayOperateFor } from './team-or-everybody.ts';

/**
 * For making and ending silences of a team's alerts, or of everybody's (null), which keep other teams quiet or have them
 * told. Throws ForbiddenError with what is missing; `remedy`: what to do instead, where the silence is everybody's.
 */
export function assertMayKeepQuiet(principal: Principal, teamId: string | null, remedy: string): void {
  assertMayOperateFor(principal, teamId, { everybodys: "a silence of everybody's alerts", remedy });
}

export const askWhoMayEnd = 'ask whoever has it to end it';
