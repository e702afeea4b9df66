import { newRound } from './acknowledgement.ts';
import type { IncidentEvent } from './events.ts';
import type { IncidentPlan, IncidentState } from './state.ts';
import { tell } from './story.ts';

/** An incident goes by the policy of its opening, until somebody asks for the policy as it is now. */

export function askReapplying(
  state: IncidentState,
  { by }: Extract<IncidentEvent, { type: 'reapply_asked' }>,
): IncidentState {
  return { ...state, feedUnread: true, reapplying: { by } };
}

/** By a reading that began after it was asked for. What differs begins anew, from `at` on. */
export function applyReapplied(state: IncidentState, plan: IncidentPlan, at: number): IncidentState {
  const { reapplying, feedUnread } = state;
  // asked while the feed was being read: that reading may have seen the policy as it was
  if (reapplying === null || feedUnread || !state.plan) return state;
  const before = state.plan.escalation;
  const after = plan.escalation;
  const changed = JSON.stringify(before) !== JSON.stringify(after);
  const summary = changed
    ? `Escalation policy ${after.name} applied as it is now${before.name === after.name ? '' : `, instead of ${before.name}`}: escalation begins anew`
    : `Escalation policy ${after.name} looked up anew: it has not changed`;
  const data = { policy: after.name, ...(changed ? { round: state.rounds + 1 } : {}) };
  const told = tell(
    { ...state, reapplying: null },
    at,
    'policy_reapplied',
    reapplying.by,
    summary,
    data,
    'incident.reapply_policy',
  );
  if (!changed) return told;
  const { escalation, resolves, pattern } = plan;
  const next = { ...state.plan, escalation, ...(resolves && { resolves }), ...(pattern && { pattern }) };
  return newRound({ ...told, plan: next }, 'policy.reapplied', at);
}
