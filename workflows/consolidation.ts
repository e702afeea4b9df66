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

/**
 * Tells in one message what there is too much of: at once, then as it counts on, until the hour is over. Where a message
 * cannot be changed, a second one at the end says how much it was.
 */
export async function consolidation(input: Consolidation): Promise<void> {
  const { orgId, limit, key, pattern, target } = input;
  const ends = Date.parse(input.ends);
  let told = 0;
  for (let part = 0; ; part++) {
    const held = await countHeld({ orgId, limit });
    if (held > told) {
      await notify({
        orgId,
        key: part === 0 ? key : `${key}:${part}`,
        type: 'notifications.consolidated',
        target,
        detail: { limit, ends: input.ends },
        pattern,
        dueAt: Date.now(),
      });
      told = held;
    }
    const left = ends - Date.now();
    if (left <= 0) return;
    await sleep(input.updates ? Math.min(left, updateEveryMs) : left);
  }
}
