import { continueAsNew, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';
import type { NotifyActivities } from '../activities/notify.ts';
import { type Consolidation, notificationTaskQueue } from './messages.ts';

const { notify, countHeld } = proxyActivities<NotifyActivities>({
  taskQueue: notificationTaskQueue,
  startToCloseTimeout: '1m',
  // as long as a page is tried for: what is told here are pages, too
  retry: { initialInterval: '1s', maximumInterval: '5m', maximumAttempts: 200 },
});

/** How often the message is brought up to date where the channel can change it, and it looks whether somebody left what they had. */
const updateEveryMs = 60_000;
/** How soon after one message another may follow, where it cannot. */
const againEveryMs = 10 * 60_000;

/** After the hour, how often it looks whether what it counted is over. */
const lookEveryMs = 5 * 60_000;

/** As of the last message. */
interface Told {
  /** Number of the next look. */
  part: number;
  held: number;
  incidents: number;
  /** That all of it is over. */
  over: boolean;
}

/**
 * Tells in one message what there is too much of: at once, then as it counts on, until the hour is over. Where a message
 * cannot be changed, another one tells of incidents that the ones before did not, and the last one at the end how much it
 * was in all. Where a message stands for a state that somebody is paged for (`resolves`), it stays until all incidents that
 * it counts are over, and says so. `before`: of the run that this one goes on from.
 */
export async function consolidation(
  input: Consolidation,
  before: Told = { part: 0, held: 0, incidents: 0, over: false },
): Promise<void> {
  const { orgId, limit, key, pattern, target } = input;
  const ends = Date.parse(input.ends);
  let told = before;
  for (let { part } = before; ; part++) {
    const by = await countHeld({ orgId, limit });
    const hourIsOver = Date.now() >= ends;
    // an older worker told of it all the same, and did not say whether the first message was sent
    const anything = by.held > 0 || by.told === undefined;
    // what is about no incident has no other end than the hour's
    const over = input.resolves === true && anything && by.open === 0 && (by.incidents > 0 || hourIsOver);
    const wasOver = told.over && over;
    const counts = input.updates || hourIsOver;
    // nobody else would tell of an incident that is held back
    const more = by.incidents > told.incidents || (by.held > told.held && (counts || part === 0));
    // an older worker did not look whether somebody has all of it by now
    const news = more && by.due !== 0;
    if (news || (over && !wasOver)) {
      const { status } = await notify({
        orgId,
        key: (by.told ?? part > 0) ? laterKey(key, { part, held: by.held, over }) : key,
        type: 'notifications.consolidated',
        target,
        detail: { limit, ends: input.ends, ...(input.resolves && { over }) },
        pattern,
        dueAt: Date.now(),
      });
      // somebody took all of it in between: it is told of once they leave it
      const { held, incidents } = status === 'skipped' ? told : by;
      told = { part, held, incidents, over };
    } else {
      told = { ...told, over };
    }
    const left = ends - Date.now();
    // over at one look more: nothing began again while that was told
    if (left <= 0 && (!input.resolves || wasOver || by.held === 0)) return;
    if (input.resolves && workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof consolidation>(input, { ...told, part: part + 1 });
    }
    const everyMs = input.updates || more !== news ? updateEveryMs : againEveryMs;
    await sleep(left > 0 ? Math.min(left, everyMs) : lookEveryMs);
  }
}

/**
 * What follows the first message, which is the one that the others name in the log. It is called after what it tells: started
 * anew after a failure, the workflow counts its looks from the beginning, and what came since is not to pass for told.
 */
function laterKey(key: string, { part, held, over }: { part: number; held: number; over: boolean }): string {
  return `${key}:${part}:${held}${over ? ':over' : ''}`;
}
