import type { IncidentState, TimelineEntry } from './state.ts';

/** Who acts when nobody does. */
export const holdfast = 'Holdfast';

/** Adds a line to the story, to be recorded. */
export function tell(
  state: IncidentState,
  at: number,
  kind: string,
  actor: string,
  summary: string,
  data: TimelineEntry['data'] = {},
  audit: string | null = null,
): IncidentState {
  const seq = state.seq + 1;
  return { ...state, seq, outbox: [...state.outbox, { seq, at, kind, actor, summary, data, audit }] };
}

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
