import type { Announcement, CalledFor, ExecutionNotice, ExecutionState, ExecutionTrigger } from './state.ts';
import { holdfast, tell } from './story.ts';

export const announceKey = ({ trigger, occurrence }: Announcement): string =>
  `announce:${trigger}:${occurrence}`;

/** Those of `after` with what has happened since `before`, as far as a rule waits for it. */
export function announceChange(before: ExecutionState, after: ExecutionState, at: number): ExecutionState {
  const awaited = after.plan?.announces ?? [];
  if (awaited.length === 0) return after;
  const found = [...newApprovals(before, after, at), ...ending(before, after, at)].filter(({ trigger }) =>
    awaited.includes(trigger),
  );
  const standing = (after.announcements ?? []).filter((each) => isStillOpen(after, each));
  if (found.length === 0 && standing.length === (after.announcements ?? []).length) return after;
  return { ...after, announcements: [...standing, ...found] };
}

function newApprovals(before: ExecutionState, after: ExecutionState, at: number): Announcement[] {
  return after.approvals.flatMap(({ plan: { id }, level, status }, index): Announcement[] => {
    const known = before.approvals[index];
    if (status !== 'pending' || (known && known.level >= level)) return [];
    return [{ trigger: 'approval.needed', occurrence: `${id}:${level}`, at, seq: after.seq, approvalId: id }];
  });
}

function ending(before: ExecutionState, after: ExecutionState, at: number): Announcement[] {
  if (before.finishedAt !== null || after.finishedAt === null) return [];
  const trigger = endings[after.status];
  return trigger === undefined ? [] : [{ trigger, occurrence: after.status, at, seq: after.seq }];
}

/** A rollback that failed is the worst of failures. */
const endings: { [Status in ExecutionState['status']]?: ExecutionTrigger } = {
  succeeded: 'execution.succeeded',
  failed: 'execution.failed',
  rollback_failed: 'execution.failed',
  rolled_back: 'execution.rolled_back',
};

/** Nobody is to be asked for an approval that has been decided. */
function isStillOpen({ approvals }: ExecutionState, { approvalId }: Announcement): boolean {
  if (approvalId === undefined) return true;
  return approvals.some(({ plan, status }) => plan.id === approvalId && status === 'pending');
}

/** Rules have answered: what they call for is owed to people now. */
export function applyAnnounced(
  state: ExecutionState,
  key: string,
  notices: readonly CalledFor[],
): ExecutionState {
  const answered = state.announcements?.find((each) => announceKey(each) === key);
  if (!answered) return state;
  const { trigger, approvalId } = answered;
  const told = toldAnyway(state, approvalId);
  const owed = notices
    .filter(({ target, cause }) => {
      const schedule = cause.entry && { type: 'schedule', name: cause.entry.schedule };
      return !told.has(JSON.stringify(target)) && !(schedule && told.has(JSON.stringify(schedule)));
    })
    .map<ExecutionNotice>((notice) => ({
      ...notice,
      type: trigger,
      ...(approvalId === undefined ? {} : { approvalId }),
    }));
  return { ...without(state, key), notices: [...state.notices, ...owed] };
}

/** Whom the escalation policy and the approval name hears of it without a rule. */
function toldAnyway({ plan, approvals }: ExecutionState, approvalId: string | undefined): Set<string> {
  const asked = approvals.find((each) => each.plan.id === approvalId);
  const levels = plan?.levels.slice(0, asked?.level ?? 1) ?? [];
  return new Set([...levels.flat(), ...(asked?.plan.voters ?? [])].map((target) => JSON.stringify(target)));
}

export function applyAnnounceFailed(
  state: ExecutionState,
  key: string,
  at: number,
  reason: string,
): ExecutionState {
  const words = `The rules of notification could not be asked: ${reason}`;
  return tell(without(state, key), at, 'notification_failed', holdfast, words);
}

function without(state: ExecutionState, key: string): ExecutionState {
  return { ...state, announcements: (state.announcements ?? []).filter((each) => announceKey(each) !== key) };
}
