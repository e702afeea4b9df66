import { proxyLocalActivities } from '@temporalio/workflow';
import type { nothing } from './activities.ts';

const activities = proxyLocalActivities<{ nothing: typeof nothing }>({ startToCloseTimeout: '20s' });

/** What a workflow with one local activity costs at the least. */
export async function bare(): Promise<void> {
  await activities.nothing();
}
