import { proxyActivities, sleep } from '@temporalio/workflow';
import type { NotifyActivities } from '../activities/notify.ts';
import { type Consolidation, notificationTaskQueue } from './messages.ts';

const { notify, countHeld } = proxyActivities<NotifyActivities>({
  taskQueue: notificationTaskQueue,
  startToCloseTimeout: '1m',
  // as long as a page is tried for: what is told here are pages, too
  retry: { initialInterval: '1s', maximumInterval: '5m', maximumAttempts: 200 },
});

/** How often the message is brought up to date, where the channel can change it. */
const updateEveryMs = 60_000;
/** How soon after one message another may follow, where it cannot. */
const againEveryMs = 10 * 60_000;

/**
 * Tells in one message what there is too much of: at once, then as it counts on, until the hour is over. Where a message
 * cannot be changed, another one tells of incidents that the ones before did not, and the last one at the end how much it
 * was in all.
 */
export async function consolidation(input: Consolidation): Promise<void> {
  const { orgId, limit, key, pattern, target } = input;
  const ends = Date.parse(input.ends);
  let told = { held: 0, incidents: 0 };
  for (let part = 0; ; part++) {
    const by = await countHeld({ orgId, limit });
    const counts = input.updates || Date.now() >= ends;
    // nobody else would tell of an incident that is held back
    if (by.incidents > told.incidents || (by.held > told.held && (counts || part === 0))) {
      await notify({
        orgId,
        key: part === 0 ? key : `${key}:${part}`,
        type: 'notifications.consolidated',
        target,
        detail: { limit, ends: input.ends },
        pattern,
        dueAt: Date.now(),
      });
      told = by;
    }
    const left = ends - Date.now();
    if (left <= 0) return;
    await sleep(Math.min(left, input.updates ? updateEveryMs : againEveryMs));
  }
}
