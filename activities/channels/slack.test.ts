import { expect, test } from 'vitest';
import { webhookDispatcher } from './dispatcher.ts';
import { createSlackChannel } from './slack.ts';

test('a token that cannot be sent is refused without being shown', async () => {
  const slack = createSlackChannel({ dispatcher: webhookDispatcher({ egressAllow: [] }), clock: Date.now });
  const to = { token: 'xoxb-1234\nxoxb-5678', conversation: 'C0OPS' };
  const failure = await slack.send({ to, text: 'x', blocks: [] }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ type: 'ChannelIncomplete', nonRetryable: true });
  expect(String(failure)).not.toContain('xoxb');
});
