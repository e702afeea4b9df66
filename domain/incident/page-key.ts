import type { EscalationTarget } from '../policies.ts';
import type { IncidentState } from './state.ts';

/** The key of a page: 'page:<opening>:<pass>.<level>.<index>', whose last part is the slot (domain/escalation.ts). */
export function pageKey({ openings }: Pick<IncidentState, 'openings'>, slot: string): string {
  return `page:${openings}:${slot}`;
}

/** Undefined for the key of another move, and for a target that the policy does not have any more. */
export function pageTargetOf(state: IncidentState, key: string): EscalationTarget | undefined {
  const [kind, , slot] = key.split(':');
  if (kind !== 'page' || !slot) return undefined;
  const [, level, index] = slot.split('.').map(Number);
  return state.plan?.escalation.policy.levels[level ?? -1]?.targets[index ?? -1];
}
