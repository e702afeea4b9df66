import { type BreachReason, breachReasonNames } from '../breach-reasons.ts';
import type { SlaClock } from '../sla/clock.ts';
import type { IncidentEvent } from './events.ts';
import type { IncidentState } from './state.ts';
import { tell } from './story.ts';

/** In the audit log. */
export const breachAudit = 'incident.explain_breach';

/** A person says why a clock was breached; saying it again replaces what was said. */
export function applyBreachExplanation(
  state: IncidentState,
  event: Extract<IncidentEvent, { type: 'breach_explained' }>,
): IncidentState {
  const { at, by, clock, reason, note } = event;
  const summary = breachSentence({ clock, reason, note });
  return tell(state, at, 'breach_explained', by, summary, { clock, reason, note }, breachAudit);
}

/** 'Why it was not acknowledged in time: nobody was available: the phone was off' */
export function breachSentence({
  clock,
  reason,
  note,
}: {
  clock: SlaClock['kind'];
  reason: BreachReason;
  note: string | null;
}): string {
  const done = clock === 'acknowledge' ? 'acknowledged' : 'resolved';
  const why = breachReasonNames[reason].toLowerCase();
  return `Why it was not ${done} in time: ${why}${note ? `: ${note}` : ''}`;
}
