import { targetName } from '../escalation/pages.ts';
import type { NotifyTarget } from '../notification.ts';
import type { IncidentEvent } from './events.ts';
import { levelsOf, methodName, pagesOf, settleLevel } from './levels.ts';
import { pageTargetOf, readPageKey } from './page-key.ts';
import { quietUntil } from './quiet.ts';
import { tellTheEndTo } from './resolution.ts';
import { escalationStopped, type IncidentPage, type IncidentState } from './state.ts';
import { holdfast, tell } from './story.ts';

/** What becomes of the messages of escalation, one by one. */

/**
 * What is on its way to wake people must not arrive any more: `stopped`, for good; `held`, until the snooze or silence is
 * over. Null: it may.
 */
export function pagesCalledOff(state: IncidentState): 'stopped' | 'held' | null {
  if (escalationStopped(state)) return 'stopped';
  return quietUntil(state) === null ? null : 'held';
}

/** A page came back that was called off before it left. `held`: until the end of a snooze or silence. */
export function calledOff(
  state: IncidentState,
  { at, key, held }: { at: number; key: string; held: boolean },
): IncidentEvent {
  if (held && !escalationStopped(state)) return { type: 'page_held', at, key };
  const skipped = state.resolved ? 'resolved meanwhile' : 'acknowledged meanwhile';
  return { type: 'page_sent', at, key, destination: 'the next target', skipped };
}

/** Of a level of which it was asked whom it reaches: whom the page is for stands from now on. */
export function pageStarted(state: IncidentState, key: string): IncidentState {
  const of = readPageKey(key)?.levelKey;
  const level = levelsOf(state).find((each) => each.key === of);
  const page = level?.reached && pagesOf(state, level, level.reached).find((each) => each.key === key);
  return page
    ? { ...state, pages: { ...state.pages, [key]: { target: page.target, status: 'started' } } }
    : state;
}

export function applyPage(
  state: IncidentState,
  { key, at, destination, skipped }: Extract<IncidentEvent, { type: 'page_sent' }>,
): IncidentState {
  const target = pageTargetOf(state, key);
  const level = readPageKey(key)?.level;
  if (!target || level === undefined) return state;
  const paged = ended(state, key, { target, status: skipped === null ? 'sent' : 'skipped' });
  const data = { destination, level };
  const told =
    skipped === null
      ? tell(paged, at, 'notification', holdfast, `Paged ${destination} (level ${level})`, data)
      : tell(paged, at, 'notification_skipped', holdfast, `Did not page ${destination}: ${skipped}`, data);
  return settleLevel(skipped === null ? tellTheEndTo(told, key, at) : told, key, at);
}

export function applyPageFailed(
  state: IncidentState,
  { key, at, reason }: Extract<IncidentEvent, { type: 'move_failed' }>,
): IncidentState {
  const target = pageTargetOf(state, key);
  if (!target) return state;
  const failed = ended(state, key, { target, status: 'failed', reason });
  const who = pagedName(target);
  const told = tell(failed, at, 'notification_failed', holdfast, `Could not page ${who}: ${reason}`, {
    destination: who,
  });
  return settleLevel(told, key, at);
}

function ended(state: IncidentState, key: string, page: IncidentPage): IncidentState {
  return { ...state, pages: { ...state.pages, [key]: page } };
}

/** For people. */
export function pagedName(target: NotifyTarget): string {
  return target.type === 'contact' ? `${target.email} by ${methodName(target.method)}` : targetName(target);
}
