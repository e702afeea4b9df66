import { isCancellation, proxyActivities } from '@temporalio/workflow';
import type { NotifyActivities } from '../activities/notify.ts';
import { reasonOf } from './drive.ts';
import { type ContactTestInput, contactTestKey } from './messages.ts';

const { notify: notifyOnce } = proxyActivities<NotifyActivities>({
  startToCloseTimeout: '1m',
  // whoever asked for a test is looking
  scheduleToCloseTimeout: '2m',
  retry: { initialInterval: '2s', maximumAttempts: 3 },
});

export type ContactTestOutcome = { status: 'sent' | 'skipped' } | { status: 'failed'; reason: string };

/** Writes to one person by each of their ways, whatever befalls the others; in the order of `methods`. */
export async function contactTest(input: ContactTestInput): Promise<ContactTestOutcome[]> {
  const { orgId, key, email, methods, requestedBy } = input;
  const at = new Date().toISOString();
  return await Promise.all(
    methods.map(async (method, index): Promise<ContactTestOutcome> => {
      try {
        const { status } = await notifyOnce({
          orgId,
          key: contactTestKey(key, index),
          type: 'contact.test',
          target: { type: 'contact', email, method },
          detail: { requestedBy },
          cause: { event: 'contact.test', at },
        });
        return { status };
      } catch (error) {
        if (isCancellation(error)) throw error;
        return { status: 'failed', reason: reasonOf(error) };
      }
    }),
  );
}
