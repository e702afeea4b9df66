import { type IncidentState, isAnalysis } from './state.ts';
import { holdfast, tell } from './story.ts';

/**
 * When all the evidence of an incident is analysed together: at once, while alerts join, when the logs are there, and
 * twice more when what comes late has come, where something can come late. Never after it is resolved.
 */

/**
 * While alerts join, an analysis waits until the last one began so long ago: for each so many alerts of the incident,
 * since one more says ever less, and forty large incidents of a storm would take the time of what is new.
 */
const restMs = 15_000;
const restAlerts = 50;
const longestRestMs = 5 * 60_000;
/** After the opening: traces, changes and metrics take their time. */
const laterMs = [60_000, 5 * 60_000];
/** One that failed is begun again, so many times in a row. */
const againMs = 60_000;
const mostInARow = 5;

/** The first analysis, and those that follow it by the clock. */
export function startAnalyses(state: IncidentState, openedAt: number, at: number): IncidentState {
  const later = laterMs.map((after) => openedAt + after).filter((time) => time > at);
  return { ...state, analysis: { ...state.analysis, on: true, nextAt: at, later } };
}

/** Something has changed: again, as soon as the last one is long enough ago. */
export function wantAnalysis(state: IncidentState, at: number): IncidentState {
  const { on, lastAt, nextAt } = state.analysis;
  if (!on) return state;
  const rest = Math.min(longestRestMs, restMs * Math.max(1, Math.ceil(state.alertCount / restAlerts)));
  const soonest = Math.max(at, (lastAt ?? Number.NEGATIVE_INFINITY) + rest);
  return { ...state, analysis: { ...state.analysis, nextAt: Math.min(nextAt ?? soonest, soonest) } };
}

/** The logs have come: they are worth an analysis of their own. */
export function wantAnalysisNow(state: IncidentState, at: number): IncidentState {
  return state.analysis.on ? { ...state, analysis: { ...state.analysis, nextAt: at } } : state;
}

export function analysisBegun(state: IncidentState, at: number): IncidentState {
  const { number, later, failed } = state.analysis;
  return {
    ...state,
    analysis: {
      on: true,
      failed,
      number: number + 1,
      lastAt: at,
      nextAt: null,
      later: later.filter((time) => time > at),
    },
  };
}

/** Nothing is known of it but why: told when it begins to fail, and once more after one that did not. */
export function applyAnalysisFailure(
  state: IncidentState,
  { at, reason }: { at: number; reason: string },
): IncidentState {
  if (state.resolved) return state;
  const failed = state.analysis.failed + 1;
  const wanted = state.analysis.nextAt;
  const nextAt = failed > mostInARow ? wanted : Math.min(wanted ?? Number.POSITIVE_INFINITY, at + againMs);
  const next = { ...state, analysis: { ...state.analysis, failed, nextAt } };
  if (failed > 1) return next;
  return tell(next, at, 'analysis_failed', holdfast, `The evidence could not be analysed: ${reason}`);
}

/** When the next one is due; null: only an event can tell. One at a time. */
export function nextAnalysisAt({ analysis, resolved, inFlight }: IncidentState): number | null {
  if (!analysis.on || resolved || inFlight.some(isAnalysis)) return null;
  const [later] = analysis.later;
  if (analysis.nextAt === null) return later ?? null;
  return later === undefined ? analysis.nextAt : Math.min(analysis.nextAt, later);
}

export const analysisKey = (number: number): string => `analysis:${number}`;
