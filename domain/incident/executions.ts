import type { IncidentEvent } from './events.ts';
import type { IncidentState } from './state.ts';
import { holdfast, tell } from './story.ts';

/** The runbooks that an incident's alerts call for: named, started, and what their executions report. */

/** The id stands before anything is begun under it, so that a start that is begun again starts the same. */
export function applyExecutionNamed(
  state: IncidentState,
  runbook: string,
  executionId: string,
): IncidentState {
  const matched = state.runbooks[runbook];
  if (!matched) return state;
  return { ...state, runbooks: { ...state.runbooks, [runbook]: { ...matched, executionId } } };
}

export function applyExecutionStarted(
  state: IncidentState,
  event: Extract<IncidentEvent, { type: 'execution_started' }>,
): IncidentState {
  const matched = state.runbooks[event.runbook];
  if (!matched) return state;
  const runbooks = {
    ...state.runbooks,
    [event.runbook]: { ...matched, executionId: event.executionId, status: 'waiting' },
  };
  const summary =
    matched.mode === 'auto'
      ? `Runbook ${event.runbook} matches and starts by itself`
      : `Runbook ${event.runbook} matches`;
  return tell({ ...state, runbooks }, event.at, 'execution_started', holdfast, summary, {
    runbook: event.runbook,
    executionId: event.executionId,
  });
}

export function applyExecutionReport(
  state: IncidentState,
  event: Extract<IncidentEvent, { type: 'execution_reported' }>,
): IncidentState {
  const matched = state.runbooks[event.runbook];
  const ours = matched?.executionId === event.executionId;
  const next: IncidentState = {
    ...state,
    runbooks:
      matched && ours
        ? { ...state.runbooks, [event.runbook]: { ...matched, status: event.status } }
        : state.runbooks,
    status: event.status === 'succeeded' && !state.resolved ? 'mitigated' : state.status,
  };
  // a rollback told its reason when it began
  const told = event.status === 'rolled_back' || event.status === 'rollback_failed';
  const summary = `Runbook ${event.runbook} ${event.status.replaceAll('_', ' ')}${event.reason && !told ? `: ${event.reason}` : ''}`;
  return tell(next, event.at, `execution_${event.status}`, holdfast, summary, {
    runbook: event.runbook,
    executionId: event.executionId,
  });
}
