import { isCancellation, proxyActivities } from '@temporalio/workflow';
import type { NotifyActivities } from '../activities/notify.ts';
import { reasonOf } from './drive.ts';
import {
  type ChannelPreviewInput,
  type ChannelPreviewOutcome,
  type ChannelProbeInput,
  type ChannelProbeOutcome,
  type ChannelTestInput,
  type ChannelTestOutcome,
  notificationTaskQueue,
} from './messages.ts';

// whoever asked is looking
const { notify, previewChannel, probeChannel } = proxyActivities<NotifyActivities>({
  taskQueue: notificationTaskQueue,
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '20s',
  retry: { initialInterval: '1s', maximumAttempts: 3 },
});

/** Sends a test through one notification channel, and answers what came of it. */
export async function channelTest(input: ChannelTestInput): Promise<ChannelTestOutcome> {
  const { orgId, key, channel, requestedBy } = input;
  return await outcomeOf(async () => {
    const { destination } = await notify({
      orgId,
      key,
      type: 'channel.test',
      target: { type: 'channel', name: channel },
      detail: { requestedBy },
      cause: { event: 'channel.test', at: new Date().toISOString() },
    });
    return { ok: true, destination };
  });
}

/** Answers what would be sent through it. */
export async function channelPreview(input: ChannelPreviewInput): Promise<ChannelPreviewOutcome> {
  return await outcomeOf(async () => ({ ok: true, ...(await previewChannel(input)) }));
}

/** Answers whether it would take messages, as far as that shows without sending one. */
export async function channelProbe(input: ChannelProbeInput): Promise<ChannelProbeOutcome> {
  return await outcomeOf(async () => ({ ok: true, ...(await probeChannel(input)) }));
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<T | { ok: false; reason: string }> {
  try {
    return await work();
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { ok: false, reason: reasonOf(error) };
  }
}
