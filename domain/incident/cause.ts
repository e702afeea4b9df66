import type { Cause } from '../root-cause/cause.ts';
import type { IncidentEvent } from './events.ts';
import type { IncidentCause, IncidentState } from './state.ts';
import { holdfast, tell } from './story.ts';

/** From this confidence on a cause is told; below it, it stands in the ranking and nothing is called the cause. */
const probableFrom = 0.5;

/**
 * The cause by a new ranking: the best one when it is sure enough; otherwise the one that was told before, as sure as
 * it is now. Null: there is none.
 */
export function probableCause(
  ranking: readonly Cause[],
  before: string | null,
): Omit<IncidentCause, 'by'> | null {
  const best = ranking[0];
  const chosen =
    best && best.confidence >= probableFrom ? best : ranking.find(({ service }) => service === before);
  return chosen ? { service: chosen.service, confidence: chosen.confidence } : null;
}

/** A look at the evidence has come back: what is new in it is told. */
export function applyAnalysis(
  before: IncidentState,
  { at, cause, changes, complete }: Extract<IncidentEvent, { type: 'analysed' }>,
): IncidentState {
  if (before.resolved) return before;
  const analysis = { ...before.analysis, failed: 0, ...(complete ? { later: [] } : {}) };
  let state: IncidentState = { ...before, analysis };
  for (const { id, sentence } of changes) {
    if (state.changesTold.includes(id)) continue;
    state = tell(state, at, 'change', holdfast, sentence, { changeId: id });
    state = { ...state, changesTold: [...state.changesTold, id].slice(-changesRemembered) };
  }
  // a person's word stays
  if (cause === null || state.cause?.by) return state;
  const { service, confidence, reasons } = cause;
  const told = state.cause?.service === service;
  state = { ...state, cause: { service, confidence, by: null } };
  if (told) return state;
  const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
  const summary = `${before.cause ? 'Probable cause now' : 'Probable cause'}: ${service}, ${percent(confidence)}${why}`;
  return tell(withCauseFound(state), at, 'root_cause', holdfast, summary, { service, confidence });
}

const changesRemembered = 100;

/** What a person says is the cause. */
export function applyCauseJudgement(
  state: IncidentState,
  { at, by, service }: Extract<IncidentEvent, { type: 'cause_judged' }>,
): IncidentState {
  const { kind, summary } = causeJudgement(state.cause?.service ?? null, service);
  const next = withCauseFound({ ...state, cause: { service, confidence: 1, by } });
  return tell(next, at, kind, by, summary, { service }, judgementAudit.cause);
}

/** The words for it, for the timeline: a judgement after the incident has closed is told alike. */
export function causeJudgement(before: string | null, service: string): { kind: string; summary: string } {
  if (before === service) return { kind: 'cause_confirmed', summary: `Confirmed as the cause: ${service}` };
  const instead = before === null ? '' : `, not ${before}`;
  return { kind: 'cause_corrected', summary: `The cause is ${service}${instead}` };
}

/** What a person says of a change; the record puts in which change it was. */
export function applyChangeJudgement(
  state: IncidentState,
  { at, by, changeId, verdict }: Extract<IncidentEvent, { type: 'change_judged' }>,
): IncidentState {
  const summary = `${verdict === 'confirmed' ? 'Confirmed' : 'Dismissed'}: change ${changeId}`;
  return tell(state, at, `change_${verdict}`, by, summary, { changeId, verdict }, judgementAudit.change);
}

/** Actions in the audit log. */
export const judgementAudit = { cause: 'incident.judge_cause', change: 'incident.judge_change' } as const;

function withCauseFound(state: IncidentState): IncidentState {
  return state.status === 'investigating' ? { ...state, status: 'root_cause_found' } : state;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
