import type { IncidentEvent } from '../incident/events.ts';
import type { IncidentState } from '../incident/state.ts';
import type { Answer } from './situation.ts';

/** What a person's answer is to the incident at `now`, or why it would be refused, as workflows/incident.ts refuses it. */
export function answerEvent(
  { resolved, acknowledged }: IncidentState,
  answer: Answer,
  now: number,
): IncidentEvent | { refused: string } {
  const { by } = answer;
  if (resolved) return { refused: `it was resolved by ${resolved.by} already` };
  switch (answer.what) {
    case 'acknowledge':
      if (acknowledged) return { refused: `${acknowledged.by} had acknowledged it already` };
      return { type: 'acknowledged', at: now, by, note: null };
    case 'resolve':
    case 'false_positive':
      return { type: 'resolved', at: now, by, note: null, falsePositive: answer.what === 'false_positive' };
    case 'snooze':
      if (acknowledged) return { refused: 'it is acknowledged: nobody is being paged' };
      if (answer.until <= now) return { refused: 'the end of the snooze lies behind' };
      return { type: 'snoozed', at: now, by, until: answer.until };
  }
}
