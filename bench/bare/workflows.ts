import { proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';
import type { noteLateness, nothing } from './activities.ts';

const local = proxyLocalActivities<{ nothing: typeof nothing }>({ startToCloseTimeout: '20s' });
const remote = proxyActivities<{ noteLateness: typeof noteLateness }>({ startToCloseTimeout: '20s' });

/** What a workflow with one local activity costs at the least. */
export async function bare(): Promise<void> {
  await local.nothing();
}

/** What is due at `dueAt` (epoch milliseconds): a timer, and then an activity that notes how late it is. */
export async function timed(dueAt: number): Promise<void> {
  await sleep(Math.max(1, dueAt - Date.now()));
  await remote.noteLateness(dueAt);
}
