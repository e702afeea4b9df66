import { proxyActivities } from '@temporalio/workflow';
import type { GitActivities, GitSyncOutcome } from '../activities/git.ts';
import type { NotifyActivities } from '../activities/notify.ts';
import { type GitSyncInput, importRefusedKey } from './messages.ts';

const { syncGitSource } = proxyActivities<GitActivities>({
  startToCloseTimeout: '4m',
  // a host that is away for longer is asked again when the schedule is due
  retry: { initialInterval: '5s', backoffCoefficient: 3, maximumAttempts: 4 },
});
const { notify } = proxyActivities<NotifyActivities>({
  startToCloseTimeout: '1m',
  // the next push is not kept waiting for a mail server; the log of notifications shows what did not go out
  scheduleToCloseTimeout: '5m',
  retry: { initialInterval: '5s', maximumInterval: '1m' },
});

/**
 * Looks at one Git source once. Started by the source's schedule alone, which never lets two of them run at a time:
 * what is asked for while one runs comes after it, so the newest push is always the last that is read.
 */
export async function gitSync(input: GitSyncInput): Promise<GitSyncOutcome> {
  const { orgId, sourceId } = input;
  const outcome = await syncGitSource({ orgId, sourceId });
  if (outcome.status === 'refused' && outcome.tell !== null) {
    await notify({
      orgId,
      key: importRefusedKey(sourceId, outcome.commit),
      type: 'runbook.import_refused',
      target: { type: 'email', address: outcome.tell },
      detail: { importId: outcome.importId },
    }).catch(() => {
      // the import stands, and the source's page says what is wrong with it
    });
  }
  return outcome;
}
