import { patched, proxyActivities } from '@temporalio/workflow';
import type { AnnounceActivities } from '../activities/announce.ts';
import type { NotifyActivities } from '../activities/notify.ts';
import { notificationTaskQueue } from './messages.ts';

const { announce } = proxyActivities<AnnounceActivities>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '2s', maximumInterval: '5m' },
});
const { notify } = proxyActivities<NotifyActivities>({
  taskQueue: notificationTaskQueue,
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '5m', maximumAttempts: 200 },
});

/**
 * Tells whomever rules of notification name that a report is there, beside those who are mailed it. The log says who could
 * not be told; the report is not worse for it.
 */
export async function tellRules(args: {
  orgId: string;
  kind: 'sla' | 'capacity';
  reportId: string;
}): Promise<void> {
  // what began before there were rules goes on without
  if (!patched('report-rules')) return;
  const { orgId, kind, reportId } = args;
  const type = `report.${kind}` as const;
  const at = Date.now();
  const { notices } = await announce({ orgId, trigger: type, occurrence: reportId, at });
  await Promise.allSettled(
    notices.map(({ key, target, detail, cause }) =>
      notify({
        orgId,
        key: `report:${reportId}:${key}`,
        type,
        target,
        detail: { ...detail, reportId },
        cause,
        dueAt: at,
      }),
    ),
  );
}
