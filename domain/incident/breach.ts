import { breachReasonNames } from '../breach-reasons.ts';
import type { IncidentEvent } from './events.ts';
import type { IncidentState } from './state.ts';
import { tell } from './story.ts';

/** A person says why a clock was breached; saying it again replaces what was said. */
export function applyBreachExplanation(
  state: IncidentState,
  event: Extract<IncidentEvent, { type: 'breach_explained' }>,
): IncidentState {
  const { at, by, clock, reason, note } = event;
  const what = clock === 'acknowledge' ? 'acknowledging' : 'resolving';
  const summary = `Breach of the time for ${what}: ${breachReasonNames[reason].toLowerCase()}${note ? `: ${note}` : ''}`;
  return tell(state, at, 'breach_explained', by, summary, { clock, reason, note }, 'incident.explain_breach');
}
