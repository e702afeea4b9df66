import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GitSyncOutcome } from '../activities/git.ts';
import type { NotifyInput } from '../domain/notification.ts';
import { createWorkflowHarness, type WorkflowHarness } from '../test/harness/workflows.ts';
import { gitSyncId, workflowTypes } from './messages.ts';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await createWorkflowHarness();
});
afterAll(() => harness.close());

const refused: GitSyncOutcome = {
  status: 'refused',
  commit: 'abc',
  importId: randomUUID(),
  problems: 1,
  tell: 'ana@example.com',
};

/** Runs one sync to its end. */
async function sync(attempt: (n: number) => GitSyncOutcome, mail: (n: number) => void = () => {}) {
  const queue = randomUUID();
  const [orgId, sourceId] = [randomUUID(), randomUUID()];
  const sent: NotifyInput[] = [];
  let attempts = 0;
  const activities = {
    syncGitSource: async () => attempt(++attempts),
    notify: async (input: NotifyInput) => {
      sent.push(input);
      mail(sent.length);
      return { status: 'sent', destination: 'x' };
    },
  };
  const started = harness.env.client.workflow.start(workflowTypes.gitSync, {
    workflowId: gitSyncId(orgId, sourceId),
    taskQueue: queue,
    args: [{ orgId, sourceId }],
  });
  const status = await harness.withWorker(queue, activities, async () => harness.ended(await started));
  return { status, sent, attempts, sourceId, orgId };
}
const fail = (type: string, nonRetryable = false) => {
  throw ApplicationFailure.create({ type, message: 'no', nonRetryable });
};

test('the author of a push that was refused is told, under a key of source and commit', async () => {
  const { status, sent, orgId, sourceId } = await sync(() => refused);
  expect(status).toBe('COMPLETED');
  expect(sent).toEqual([
    {
      orgId,
      key: `git-import-refused:${sourceId}:abc`,
      type: 'runbook.import_refused',
      target: { type: 'email', address: 'ana@example.com' },
      detail: { importId: (refused as { importId: string }).importId },
    },
  ]);
});

test('nobody is told of what was taken over or told before', async () => {
  const imported = { status: 'imported', commit: 'abc', added: 1, changed: 0, removed: 0 } as const;
  for (const outcome of [imported, { ...refused, tell: null }, { status: 'gone' } as const]) {
    expect(await sync(() => outcome)).toMatchObject({ status: 'COMPLETED', sent: [] });
  }
});

test('a mail server that is away does not keep the next push waiting', async () => {
  const before = await harness.env.currentTimeMs();
  const { status, sent } = await sync(
    () => refused,
    () => fail('MailUnavailable'),
  );
  expect(status).toBe('COMPLETED');
  expect(sent.length).toBeGreaterThan(3);
  expect((await harness.env.currentTimeMs()) - before).toBeLessThan(8 * 60_000);
});

test('a host that is away is asked a few times; what somebody has to mend is not', async () => {
  const away = await sync(() => fail('GitUnavailable') as never);
  expect(away).toMatchObject({ status: 'FAILED', attempts: 4 });
  const back = await sync((n) =>
    n < 3 ? (fail('GitUnavailable') as never) : { status: 'unchanged', commit: 'a' },
  );
  expect(back).toMatchObject({ status: 'COMPLETED', attempts: 3 });
  expect(await sync(() => fail('GitRefused', true) as never)).toMatchObject({
    status: 'FAILED',
    attempts: 1,
  });
});
