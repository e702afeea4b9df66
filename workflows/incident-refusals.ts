import { ApplicationFailure } from '@temporalio/workflow';
import { type AsOf, outOfDate } from '../domain/incident/as-of.ts';
import type { IncidentState } from '../domain/incident/state.ts';
import { advanceClock, type SlaClock } from '../domain/sla/clock.ts';
import { type RegroupArgs, refusedType } from './messages.ts';

/** Why an incident does not take what a person asks of it. Each throws a failure that says it, where it does not. */

export function refuseResolved(state: IncidentState): void {
  if (!state.resolved) return;
  const how = state.status === 'false_positive' ? 'a false positive, said' : 'resolved by';
  refuse(`already ${how} ${state.resolved.by} at ${new Date(state.resolved.at).toISOString()}`);
}

export function refuseUnbreached({ clocks }: IncidentState, kind: SlaClock['kind']): void {
  const clock = clocks.find((other) => other.kind === kind);
  if (!clock) refuse(`it has no SLA clock to ${kind}`);
  else if (advanceClock(clock, Date.now()).state !== 'breached')
    refuse(`its clock to ${kind} is not breached`);
}

export function refuseOutOfDate(state: IncidentState, seen: AsOf): void {
  const reason = outOfDate(state, seen);
  if (reason !== null) refuse(reason);
}

export function refuseMerged({ mergedInto }: IncidentState): void {
  if (mergedInto !== null) refuse(`it is merged into #${mergedInto}: say it there`);
}

/** By one message: the workflow carries them until they are moved. */
const mostMoved = 1_000;

export function refuseMove(state: IncidentState, { alertIds, into }: RegroupArgs): void {
  refuseMerged(state);
  if (into === state.number) refuse(`#${into} is this incident itself`);
  if (alertIds === null && into === null) refuse("without 'alertIds' it needs 'into': where all of them go");
  if (alertIds?.length === 0) refuse("'alertIds' names no alert");
  if (alertIds && alertIds.length > mostMoved)
    refuse(`'alertIds' names ${alertIds.length} alerts, of at most ${mostMoved} at a time`);
  const merging = state.regroupings.find((each) => each.alertIds === null && each.outcome === null);
  if (merging) refuse(`it is being merged into #${merging.into}`);
}

export function refuse(reason: string): never {
  throw ApplicationFailure.nonRetryable(reason, refusedType);
}
