import { formatDuration } from '../duration.ts';
import type { Quiet } from '../notification.ts';
import type { FeedDigest, IncidentEvent } from './events.ts';
import type { IncidentState } from './state.ts';
import { holdfast, tell } from './story.ts';

/**
 * Snoozes and silences: nobody is woken until they end. What is left of the escalation moves by that time, and moves
 * back where it ends earlier.
 */

/** Until when nobody is to be woken; null: now is as good as ever. */
export function quietUntil({ snoozedUntil, silence }: IncidentState): number | null {
  if (snoozedUntil === null) return silence?.until ?? null;
  return Math.max(snoozedUntil, silence?.until ?? snoozedUntil);
}

function withQuiet(
  state: IncidentState,
  change: Partial<Pick<IncidentState, 'snoozedUntil' | 'silence'>>,
  at: number,
): IncidentState {
  const next = { ...state, ...change };
  const before = Math.max(at, quietUntil(state) ?? at);
  const after = Math.max(at, quietUntil(next) ?? at);
  return { ...next, escalationFrom: state.escalationFrom + after - before };
}

export function applySnooze(
  state: IncidentState,
  { at, by, until }: Extract<IncidentEvent, { type: 'snoozed' }>,
): IncidentState {
  return tell(
    { ...withQuiet(state, { snoozedUntil: until }, at), snoozedBy: by },
    at,
    'snoozed',
    by,
    `Snoozed for ${formatDuration(until - at)}`,
    { until: new Date(until).toISOString() },
    'incident.snooze',
  );
}

/**
 * Silences as they are now. One alert that none of them catches is reason enough to tell people. `begun`: it opens, or
 * opens again, with this reading.
 */
export function applySilence(
  state: IncidentState,
  { silence, firingJoined }: Pick<FeedDigest, 'silence' | 'firingJoined'>,
  { begun, at }: { begun: boolean; at: number },
): IncidentState {
  if (state.resolved || (!silence && state.silence === null)) return state;
  const fromTheStart = begun || state.silence?.fromTheStart;
  const lasting =
    silence && silence.until > at ? { ...silence, ...(fromTheStart && { fromTheStart }) } : null;
  const next = withQuiet(state, { silence: lasting }, at);
  if (lasting !== null) {
    const { until, names } = lasting;
    if (until === state.silence?.until) return next;
    const why = names.length > 0 ? ` (${names.join(', ')})` : '';
    const summary = `Silenced for ${formatDuration(until - at)}${why}: nobody is told until then`;
    const data = { until: new Date(until).toISOString(), ...(fromTheStart && { fromTheStart }) };
    return tell(next, at, 'silenced', holdfast, summary, data);
  }
  if (state.silence === null) return state;
  const why = firingJoined
    ? 'an alert has joined that is not silenced'
    : 'its alerts are not silenced any more';
  return ended(next, at, silenceOf(state.silence, at), `Silence ended: ${why}`);
}

function silenceOf({ names }: { names: string[] }, at: number): Quiet {
  return { kind: 'silence', until: new Date(at).toISOString(), names };
}

function snoozeOf({ snoozedBy }: IncidentState, at: number): Quiet {
  return { kind: 'snooze', until: new Date(at).toISOString(), ...(snoozedBy !== null && { by: snoozedBy }) };
}

/** As many as a message tells of. */
const mostQuiets = 3;

function ended(state: IncidentState, at: number, what: Quiet, summary: string): IncidentState {
  const told = tell(state, at, `${what.kind}_ended`, holdfast, summary);
  const heldBack = [...state.heldBack, what].slice(-mostQuiets);
  return { ...told, heldBack, quietEnded: { at, seq: told.seq } };
}

/** What is over by the clock. */
export function endQuiet(before: IncidentState, now: number): IncidentState {
  let state = before;
  if (state.snoozedUntil !== null && now >= state.snoozedUntil) {
    const at = state.snoozedUntil;
    state = ended({ ...state, snoozedUntil: null }, at, snoozeOf(state, at), 'Snooze ended');
  }
  if (state.silence !== null && now >= state.silence.until) {
    const at = state.silence.until;
    state = ended({ ...state, silence: null }, at, silenceOf(state.silence, at), 'Silence ended');
  }
  return state;
}
