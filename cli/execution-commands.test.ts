import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestCli, type Ran, type TestCli } from '../test/harness/cli.ts';
import { ClosedError } from '../workflows/messages-client.ts';

let cli: TestCli;
let api: TestCli['api'];
const holdfast = (...args: Parameters<TestCli['holdfast']>): Promise<Ran> => cli.holdfast(...args);

beforeAll(async () => {
  cli = await createTestCli();
  api = cli.api;
});
afterAll(() => cli?.close());
beforeEach(() => {
  api.messages.sent.length = 0;
});

describe('approvals', () => {
  async function pending(executionId: string, id = randomUUID()): Promise<string> {
    await api.fixture.owner.query(
      `insert into approvals (org_id, id, execution_id, runbook, requested_by, requested_at, expires_at, status, workflow_id)
       values ($1, $2, $3, 'restart', 'operator@example.com', now(), now() + interval '1 hour', 'pending', 'w')`,
      [api.orgId, id, executionId],
    );
    return id;
  }

  test.for(['approve', 'reject'] as const)(
    '%s takes the id of the approval or of the execution',
    async (verb) => {
      const execution = await cli.run();
      const id = await pending(execution);
      for (const given of [id, execution]) {
        const { code } = await holdfast([verb, given, '--reason', 'seen it']);
        expect(code).toBe(0);
      }
      expect(api.messages.sent).toMatchObject([
        { method: verb, args: [api.orgId, execution, { approvalId: id, reason: 'seen it' }] },
        { method: verb, args: [api.orgId, execution, { approvalId: id, reason: 'seen it' }] },
      ]);
    },
  );

  test('what waits for nothing, and a late vote, are refused with the reason', async () => {
    const execution = await cli.run();
    const { code, err } = await holdfast(['approve', execution]);
    expect([code, err]).toEqual([1, expect.stringContaining('waits for no approval: it is waiting')]);
    const id = await pending(execution);
    await api.fixture.owner.query(
      `update approvals set status = 'expired', decided_at = now() where id = $1`,
      [id],
    );
    api.messages.next(new ClosedError('it has ended'));
    const late = await holdfast(['approve', id, '--json']);
    expect([late.code, late.err]).toEqual([1, expect.stringContaining('expired already')]);
    expect(JSON.parse(late.out)).toMatchObject({ status: 409 });
  });

  test('a rejection needs a reason, an id has a form, and a Viewer does not vote', async () => {
    const id = await pending(await cli.run());
    expect((await holdfast(['reject', id])).code).toBe(2);
    expect((await holdfast(['approve', 'restart'])).code).toBe(2);
    const viewer = await holdfast(['approve', id], { token: api.tokens.viewer });
    expect([viewer.code, viewer.err]).toEqual([3, expect.stringContaining('operator')]);
  });
});

describe('execution', () => {
  test('list and show tell of it', async () => {
    const id = await cli.run();
    const list = await holdfast(['execution', 'list', '--runbook', 'restart', '--status', 'waiting']);
    expect(list.out).toContain(id);
    expect((await holdfast(['execution', 'list', '--limit', '0'])).code).toBe(2);
    const show = await holdfast(['execution', 'show', id]);
    expect([show.code, show.out]).toEqual([0, expect.stringContaining('1. Restart - pending')]);
    const missing = await holdfast(['execution', 'show', randomUUID()]);
    expect(missing.code).toBe(1);
  });

  test('show --follow exits by how it ends', async () => {
    const id = await cli.run();
    const shown = holdfast(['execution', 'show', id, '--follow', '--json'], {
      pause: async () => {
        await cli.end(id, 'failed');
      },
    });
    const { code, out } = await shown;
    expect([code, JSON.parse(out)]).toMatchObject([1, { id, status: 'failed' }]);
  });

  test('cancel is sent with its reason', async () => {
    const id = await cli.run();
    expect((await holdfast(['execution', 'cancel', id, '--reason', 'wrong host'])).code).toBe(0);
    expect(api.messages.sent).toMatchObject([
      { method: 'cancel', args: [api.orgId, id, { reason: 'wrong host' }] },
    ]);
  });

  test('retry begins a new execution, and refuses one that has not failed', async () => {
    const id = await cli.run();
    expect((await holdfast(['execution', 'retry', id])).code).toBe(1);
    await api.fixture.owner.query(`update execution_steps set status = 'failed' where execution_id = $1`, [
      id,
    ]);
    await cli.end(id, 'failed');
    const { code, out } = await holdfast(['execution', 'retry', id, '--json']);
    expect([code, JSON.parse(out)]).toMatchObject([0, { retryOf: id }]);
  });

  test('undo decides on the step by its number', async () => {
    const id = await cli.run();
    await api.fixture.owner.query(
      `update execution_steps set rollback_status = 'waiting', rollback_attempts = 3 where execution_id = $1`,
      [id],
    );
    expect((await holdfast(['execution', 'undo', id, '1', 'skip'])).code).toBe(2);
    expect((await holdfast(['execution', 'undo', id, '0', 'retry'])).code).toBe(2);
    expect((await holdfast(['execution', 'undo', id, '1', 'maybe', '--reason', 'x'])).code).toBe(2);
    expect((await holdfast(['execution', 'undo', id, '1', 'skip', '--reason', 'by hand'])).code).toBe(0);
    expect(api.messages.sent).toMatchObject([
      { method: 'decideUndo', args: [api.orgId, id, { index: 0, decision: 'skip', reason: 'by hand' }] },
    ]);
  });
});

test('automation is stopped with a reason, and resumed by whoever may', async () => {
  expect((await holdfast(['automation', 'stop'])).code).toBe(2);
  expect((await holdfast(['automation', 'stop', '--reason', 'bad night'])).code).toBe(0);
  const status = await holdfast(['automation', 'status']);
  expect([status.code, status.out]).toEqual([
    1,
    expect.stringMatching(/All automation is stopped .*bad night/),
  ]);
  expect((await holdfast(['automation', 'resume'])).code).toBe(3);
  expect((await holdfast(['automation', 'resume'], { token: api.tokens.admin })).code).toBe(0);
  expect((await holdfast(['automation', 'status'])).code).toBe(0);
  expect((await holdfast(['automation', 'resume'], { token: api.tokens.admin })).code).toBe(1);
});
