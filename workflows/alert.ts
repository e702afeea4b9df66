import {
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { AlertActivities, Sighting } from '../activities/alert.ts';
import { type AlertView, staleAt } from '../domain/alert-lifecycle.ts';
import { type AlertInput, alertChanged } from './messages.ts';

const { observeAlert } = proxyLocalActivities<Pick<AlertActivities, 'observeAlert'>>({
  startToCloseTimeout: '20s',
  localRetryThreshold: '1m',
  retry: { initialInterval: '200ms', maximumInterval: '30s' },
});
const { checkSilence } = proxyActivities<Pick<AlertActivities, 'checkSilence'>>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '1m' },
});

/**
 * One episode of an alert, from its first firing to its resolve: looks at its row whenever it is told to, tells
 * the incident what has changed, and asks after it when it falls silent. The row holds everything, so a signal
 * carries nothing and a history is a handful of events.
 */
export async function alert(input: AlertInput, carried?: AlertView): Promise<void> {
  let told = false;
  setHandler(alertChanged, () => {
    told = true;
  });
  let before = carried ?? null;
  for (;;) {
    told = false;
    const seen: Sighting = await observeAlert({
      ...input,
      before: before && { status: before.status, severity: before.severity },
    });
    before = seen;
    if (seen.status === 'resolved' && !told) return;
    const silentAt = staleAt(seen);
    const changed = () => told;
    if (silentAt === null) await condition(changed);
    else if (!(await condition(changed, Math.max(1, silentAt - Date.now())))) {
      await checkSilence({
        ...input,
        name: seen.name,
        fingerprint: seen.fingerprint,
        lastSeenAt: seen.lastSeenAt,
        alertmanagerUrl: seen.alertmanagerUrl,
      });
    }
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof alert>(input, before);
  }
}
