import type { IncidentEvent } from './events.ts';
import { close } from './resolution.ts';
import type { IncidentState, Regrouping } from './state.ts';
import { holdfast, tell } from './story.ts';

/** Its key: the n-th that this incident was asked for, from 0. */
export const regroupingKey = (index: number): string => `regroup:${index}`;

export function regroupingOf(state: IncidentState, key: string): Regrouping | undefined {
  return key.startsWith('regroup:') ? state.regroupings[Number(key.slice('regroup:'.length))] : undefined;
}

export function askRegrouping(
  state: IncidentState,
  { alertIds, into, by }: Pick<Regrouping, 'alertIds' | 'into' | 'by'>,
  reason: string | null = null,
): IncidentState {
  // nothing is begun any more, so nothing would answer whoever asks
  const outcome = state.closed ? { refused: 'it is closed' } : null;
  return { ...state, regroupings: [...state.regroupings, { alertIds, into, by, reason, outcome }] };
}

/** Correlation has found that this incident and another are one outage; what was refused is not asked for again. */
export function wantMerge(
  state: IncidentState,
  { number, reason }: { number: number; reason: string },
): IncidentState {
  const asked = state.regroupings.some(
    ({ alertIds, into, outcome }) => alertIds === null && (outcome === null || into === number),
  );
  if (asked || state.resolved) return state;
  return askRegrouping(state, { alertIds: null, into: number, by: holdfast }, reason);
}

/**
 * The alerts are where they belong. When all have gone, this incident is over: its pages stop, and those who were
 * paged are told; otherwise its counts are read again.
 */
export function applyRegrouped(
  before: IncidentState,
  { at, key, into }: Extract<IncidentEvent, { type: 'regrouped' }>,
): IncidentState {
  const asked = regroupingOf(before, key);
  if (!asked || asked.outcome !== null) return before;
  const state = settle(before, key, { into });
  if (asked.alertIds !== null) return { ...state, feedUnread: true };
  const over = state.resolved
    ? state
    : leaveClocks(state, close(state, at, asked.by, 'resolved', { mergedInto: into }));
  const summary = `Over: it is one outage with #${into}, which goes on with its alerts`;
  return tell({ ...over, mergedInto: into }, at, 'merged', asked.by, summary, { into });
}

/** The SLA goes on with the incident that has the alerts now: here it was neither kept nor broken by the merge. */
function leaveClocks(before: IncidentState, after: IncidentState): IncidentState {
  const clocks = after.clocks.map((clock, index) =>
    clock.state === 'met' && before.clocks[index]?.state !== 'met'
      ? { ...clock, state: 'paused' as const }
      : clock,
  );
  return { ...after, clocks };
}

export function applyRegroupingRefused(
  state: IncidentState,
  { at, key, reason }: { at: number; key: string; reason: string },
): IncidentState {
  const asked = regroupingOf(state, key);
  if (!asked) return state;
  // it may have been done although its answer was lost: what is here is read again
  const feedUnread = state.feedUnread || state.alertCount === 0;
  const settled = { ...settle(state, key, { refused: reason }), feedUnread };
  if (asked.by !== holdfast) return settled;
  return tell(settled, at, 'merge_failed', holdfast, `Not merged into #${asked.into}: ${reason}`);
}

/** Which alerts they were is in the database: the state, which each new run of the workflow carries, stays small. */
function settle(state: IncidentState, key: string, outcome: Regrouping['outcome']): IncidentState {
  const regroupings = state.regroupings.map((each, index) =>
    regroupingKey(index) === key ? { ...each, alertIds: each.alertIds && [], outcome } : each,
  );
  return { ...state, regroupings };
}
