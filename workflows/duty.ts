import { isCancellation, proxyActivities } from '@temporalio/workflow';
import type { DutyActivities } from '../activities/duty.ts';
import type { NotifyActivities } from '../activities/notify.ts';
import { reasonOf } from './drive.ts';
import { type ContactTestInput, contactTestKey, type DutyInput, notificationTaskQueue } from './messages.ts';

const { findHandoffs, planReadiness } = proxyActivities<DutyActivities>({
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '4m',
  retry: { initialInterval: '2s' },
});
const { notify } = proxyActivities<NotifyActivities>({
  taskQueue: notificationTaskQueue,
  startToCloseTimeout: '1m',
  // what still waits is found again by the next look, or shown by the log of notifications
  scheduleToCloseTimeout: '20m',
  retry: { initialInterval: '5s', maximumInterval: '5m' },
});
const { notify: notifyAtOnce } = proxyActivities<NotifyActivities>({
  taskQueue: notificationTaskQueue,
  startToCloseTimeout: '1m',
  // whoever asked for a test is looking
  scheduleToCloseTimeout: '2m',
  retry: { initialInterval: '2s', maximumAttempts: 3 },
});

/** A handoff is told of so long before it, by as much as the schedule pauses between two looks. */
const aheadMs = 5 * 60_000;
/** And so long after it, where Holdfast was away, or a schedule was changed. Each person hears of one once. */
const behindMs = 6 * 3_600_000;

export type Outcome = { status: 'sent' | 'skipped' } | { status: 'failed'; reason: string };

/** Tells who comes on call and who goes off of the handoffs around now. Started by the organization's schedule. */
export async function handoffs({ orgId }: DutyInput): Promise<{ told: number; failed: number }> {
  const now = Date.now();
  const notices = await findHandoffs({ orgId, from: now - behindMs, to: now + aheadMs });
  const outcomes = await Promise.all(
    notices.map(({ key, email, schedule, at, direction }) =>
      outcomeOf(() =>
        notify({
          orgId,
          key,
          type: 'oncall.handoff',
          target: { type: 'user', email },
          detail: { schedule, at, direction },
          cause: { event: 'oncall.handoff', at },
        }),
      ),
    ),
  );
  return countOf(outcomes);
}

/** Tells Admins what could keep a page from reaching somebody. Started weekly by the organization's schedule. */
export async function readiness({ orgId }: DutyInput): Promise<{ told: number; failed: number }> {
  const now = Date.now();
  const at = new Date(now).toISOString();
  const notices = await planReadiness({ orgId, now, day: at.slice(0, 10) });
  const outcomes = await Promise.all(
    notices.map(({ key, email, teamId }) =>
      outcomeOf(() =>
        notify({
          orgId,
          key,
          type: 'oncall.readiness',
          target: { type: 'user', email },
          detail: { teamId },
          cause: { event: 'oncall.readiness', at },
        }),
      ),
    ),
  );
  return countOf(outcomes);
}

/** Writes to one person by each of their ways, whatever befalls the others; in the order of `methods`. */
export async function contactTest(input: ContactTestInput): Promise<Outcome[]> {
  const { orgId, key, email, methods, requestedBy } = input;
  const at = new Date().toISOString();
  return await Promise.all(
    methods.map((method, index) =>
      outcomeOf(() =>
        notifyAtOnce({
          orgId,
          key: contactTestKey(key, index),
          type: 'contact.test',
          target: { type: 'contact', email, method },
          detail: { requestedBy },
          cause: { event: 'contact.test', at },
        }),
      ),
    ),
  );
}

/** One message that fails keeps no other from being sent; why it failed stands in the log of notifications. */
async function outcomeOf(tell: () => Promise<{ status: 'sent' | 'skipped' }>): Promise<Outcome> {
  try {
    const { status } = await tell();
    return { status };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { status: 'failed', reason: reasonOf(error) };
  }
}

function countOf(outcomes: readonly Outcome[]): { told: number; failed: number } {
  const failed = outcomes.filter(({ status }) => status === 'failed').length;
  return { told: outcomes.length - failed, failed };
}
