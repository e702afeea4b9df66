import { isCancellation, proxyActivities } from '@temporalio/workflow';
import type { ChatActivities } from '../activities/chat.ts';
import type { NotifyActivities } from '../activities/notify.ts';
import { type ChatSummaryInput, chatSummaryKey, notificationTaskQueue } from './messages.ts';
import { reportPeriodEnd } from './report-period.ts';

const { planSummaries } = proxyActivities<ChatActivities>({
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '10m',
  retry: { initialInterval: '2s' },
});
const { notify } = proxyActivities<NotifyActivities>({
  taskQueue: notificationTaskQueue,
  startToCloseTimeout: '1m',
  // a summary of the morning is of no use in the evening
  scheduleToCloseTimeout: '6h',
  retry: { initialInterval: '10s', maximumInterval: '15m' },
});

/** Tells each channel that wants it how things stand. Started by the organization's schedules. */
export async function chatSummary({
  orgId,
  span,
}: ChatSummaryInput): Promise<{ told: number; failed: number }> {
  const until = reportPeriodEnd();
  const channels = await planSummaries({ orgId, span });
  const outcomes = await Promise.all(
    channels.map(async (name) => {
      try {
        await notify({
          orgId,
          key: chatSummaryKey({ orgId, span, until, channel: name }),
          type: 'chat.summary',
          target: { type: 'channel', name },
          detail: { span, until },
          cause: { event: 'chat.summary', at: until },
        });
        return true;
      } catch (error) {
        if (isCancellation(error)) throw error;
        // one channel that fails keeps no other waiting; why stands in the log of notifications
        return false;
      }
    }),
  );
  const told = outcomes.filter(Boolean).length;
  return { told, failed: outcomes.length - told };
}
