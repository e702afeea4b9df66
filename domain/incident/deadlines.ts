import { formatDuration } from '../duration.ts';
import { escalationPages, targetName, whomItReaches } from '../escalation/pages.ts';
import type { Deadline } from '../incident-status.ts';
import type { EscalationPolicy } from '../policies.ts';
import { runningMs, undecided } from '../sla/clock.ts';
import { quietTimes } from './acknowledgement.ts';
import { levelsOf, pagesOf } from './levels.ts';
import { pageKey } from './page-key.ts';
import { pagedName } from './pages.ts';
import { escalationStopped, type IncidentState } from './state.ts';

/** The running timers of the incident, for people. */
export function deadlinesOf(state: IncidentState, now: number): Deadline[] {
  const deadlines: Deadline[] = [];
  const add = (kind: Deadline['kind'], at: number, what: string) => {
    deadlines.push({ kind, at: new Date(at).toISOString(), what });
  };
  if (state.resolved) {
    const closeAt = closingTime(state);
    if (closeAt > now && Number.isFinite(closeAt))
      add('close', closeAt, 'closes for good; until then a new alert reopens it');
    return deadlines;
  }
  if (state.snoozedUntil !== null) add('snooze', state.snoozedUntil, 'snooze ends, escalation goes on');
  if (state.silence !== null)
    add('silence', state.silence.until, 'silence ends, people are told from then on');
  const next = nextPages(state, now);
  if (next) add('escalation', next.dueAt, `pages ${next.names.join(', ')} (level ${next.level})`);
  const { remindAt, takeBackAt } = quietTimes(state);
  const by = state.acknowledged?.by;
  if (remindAt !== null) add('reminder', remindAt, `reminds ${by}, if nothing happens before`);
  if (takeBackAt !== null) {
    add('unacknowledge', takeBackAt, `takes the acknowledgement by ${by} back, if nothing happens before`);
  }
  for (const clock of state.clocks) {
    if (!undecided(clock)) continue;
    const what = clock.kind === 'acknowledge' ? 'to acknowledge' : 'to resolve';
    const left = formatDuration(runningMs(now, clock.dueAt, clock.pauses));
    const paused = clock.state === 'paused' ? ` (paused now, ${left} left)` : '';
    add(`${clock.kind}_sla`, clock.dueAt, `SLA ${clock.policy}: time ${what} is over${paused}`);
  }
  for (const [runbook, matched] of Object.entries(state.runbooks)) {
    if (matched.status === 'due' && matched.dueAt > now)
      add('runbook', matched.dueAt, `runbook ${runbook} is proposed`);
  }
  return deadlines;
}

interface NextPages {
  dueAt: number;
  level: number;
  names: string[];
}

/** Who is paged next, as far as it is known before; null: nobody any more. */
function nextPages(state: IncidentState, now: number): NextPages | null {
  if (!state.plan || escalationStopped(state)) return null;
  const ahead = state.plan.resolves ? levelsAhead(state) : writtenAhead(state, state.plan.escalation.policy);
  const later = ahead.filter(({ dueAt }) => dueAt > now);
  const dueAt = Math.min(...later.map((each) => each.dueAt));
  const next = later.filter((each) => each.dueAt === dueAt);
  const level = next[0]?.level;
  return level === undefined ? null : { dueAt, level, names: next.flatMap(({ names }) => names) };
}

function levelsAhead(state: IncidentState): NextPages[] {
  return levelsOf(state).flatMap((level): NextPages[] => {
    const { reached, dueAt } = level;
    if (!reached) return [{ dueAt, level: level.level, names: level.targets.map(whomItReaches) }];
    return pagesOf(state, level, reached).flatMap((page) =>
      page.dueAt === null || state.pages[page.key]
        ? []
        : [{ dueAt: page.dueAt, level: level.level, names: [pagedName(page.target)] }],
    );
  });
}

function writtenAhead(state: IncidentState, policy: EscalationPolicy): NextPages[] {
  return escalationPages(policy, state.escalationFrom)
    .filter(({ slot }) => !state.pages[pageKey(state, slot)])
    .map(({ dueAt, level, target }) => ({ dueAt, level, names: [targetName(target)] }));
}

/** When a resolved incident is closed for good. */
export function closingTime(state: IncidentState): number {
  const { resolved, plan, status, mergedInto } = state;
  if (!resolved) return Number.POSITIVE_INFINITY;
  return status === 'false_positive' || mergedInto !== null
    ? resolved.at
    : resolved.at + (plan?.reopenWindowMs ?? 0);
}
