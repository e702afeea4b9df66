import { expect, it } from 'vitest';
import type { ExecutionDetail } from '../../db/executions-read.ts';
import { sentenceText } from '../../domain/incident-sentence.ts';
import {
  approvalRecord,
  executionDetail,
  executionStep as step,
  stepUndo as undo,
} from '../../test/harness/execution-records.ts';
import { executionSentence } from './sentence.ts';
import { executionPageView } from './view.ts';

const at = new Date('2026-11-21T02:14:00Z');
const later = (minutes: number) => new Date(at.getTime() + minutes * 60_000);

const said = (changes: Partial<ExecutionDetail>): string =>
  sentenceText(executionSentence(executionDetail(changes)), (iso) => iso.slice(11, 16));
const view = (changes: Partial<ExecutionDetail>, reader = { name: 'ana@example.com' }) =>
  executionPageView(executionDetail(changes), null, reader);
const what = 'Restart the service, on checkout, for #7 checkout is down.';

it('says what it does, on what, for which incident, at which step it is and what follows', () => {
  const steps = [
    step('Check', { status: 'succeeded' }),
    step('Restart', { status: 'running', attempts: 1, startedAt: later(1) }),
    step('Verify'),
  ];
  expect(said({ steps })).toBe(`${what} Step 2 of 3, ‘Restart’, runs since 02:15. Then: ‘Verify’.`);
});

it('puts the target after all that several sentences of a description say, and does without one', () => {
  const several = said({ purpose: 'Restarts it. Proves that it answers.', incidentNumber: null });
  expect(several).toContain('Restarts it. Proves that it answers. It is run on checkout. ');
  expect(said({ purpose: null, runbook: 'restart', incidentNumber: null })).toContain(
    'Runs restart on checkout. ',
  );
});

it('says what it waits for before it runs, and what comes of waiting', () => {
  const waiting = { status: 'waiting', startedAt: null, steps: [step('Restart')] } as const;
  expect(said({ ...waiting, steps: [] })).toBe(`${what} It waits for its turn; nothing has run yet.`);
  const votes = [{ person: 'ben', decision: 'approve' as const, via: 'mail', reason: null, at: '' }];
  expect(said({ ...waiting, steps: [], approvals: [approvalRecord({ required: 2, votes })] })).toBe(
    `${what} Nothing has run: it waits for approval, 1 of 2 given. Without an answer by 02:44 it expires and nothing runs.`,
  );
  const asking = {
    ...waiting,
    steps: [],
    statusReason: 'waits for approval',
    approvals: [approvalRecord({})],
  };
  expect(view(asking).reason).toBeNull();
  const queue = { holder: { id: 'other', runbook: 'clear-cache' }, place: 3 };
  expect(said({ ...waiting, steps: [], standing: { queue, runner: null, next: null } })).toBe(
    `${what} Nothing has run: it is third in the queue for checkout, behind clear-cache, which works on it now. It begins by itself.`,
  );
});

it('names the runner that is away, the next attempt and the end of a wait', () => {
  const running = step('Restart', { status: 'running', attempts: 1, maxAttempts: 3, startedAt: at });
  const runner = { index: 0, queue: 'db-eu', lastSeenAt: at };
  expect(said({ steps: [running], standing: { queue: null, runner, next: null } })).toContain(
    'Step 1 of 1, ‘Restart’, waits for the runner db-eu, which was last seen 02:14.',
  );
  const away = view({ steps: [running], standing: { queue: null, runner, next: null } });
  expect(away.state.word).toBe('Waits for a runner');
  expect(away.groups[0]?.steps[0]?.notes[0]).toContain('npm run runner -- --queue db-eu');
  const next = { at: later(2), what: 'step 1 is tried again' };
  expect(
    said({ steps: [{ ...running, error: 'exit code 1' }], standing: { queue: null, runner: null, next } }),
  ).toContain('failed once and is tried again at 02:16 (attempt 2 of 3)');
  expect(said({ steps: [{ ...running, waitMs: 120_000 }, step('Then')] })).toContain(
    'waits until 02:16. Then: ‘Then’.',
  );
});

it('says what failed, what is being undone and what was undone', () => {
  const steps = [
    step('Restart', { status: 'succeeded', rollback: undo() }),
    step('Verify', { status: 'failed', error: 'answered 503' }),
  ];
  const over = { finishedAt: later(5), steps };
  expect(said({ ...over, status: 'rolled_back' })).toBe(`${what} ‘Verify’ failed, and 1 step was undone.`);
  const undoing = [{ ...steps[0]!, rollback: undo({ status: 'running', startedAt: later(3) }) }, steps[1]!];
  expect(said({ steps: undoing })).toContain(
    '‘Verify’ failed. It is undoing ‘Restart’ since 02:17; that is the last one.',
  );
  const left = [{ ...steps[0]!, rollback: undo({ status: 'skipped' }) }, steps[1]!];
  expect(said({ ...over, steps: left, status: 'rollback_failed' })).toContain(
    '‘Verify’ failed, but ‘Restart’ was not undone. Look at checkout by hand.',
  );
});

it('asks a person about an undo that failed, and for nothing else', () => {
  const steps = [
    step('Restart', { status: 'succeeded', rollback: undo({ status: 'waiting', attempts: 3, error: 'no' }) }),
    step('Verify', { status: 'failed', error: 'answered 503' }),
  ];
  expect(said({ steps })).toContain('The undo of ‘Restart’ failed 3 times and waits for a person');
  expect(view({ steps })).toMatchObject({
    canCancel: false,
    undosToDecide: [{ index: 0, name: 'Restart', error: 'no', attempts: 3 }],
  });
});

it('names the step that ended it, not one before that was allowed to fail, and tells its reason once', () => {
  const steps = [
    step('Look', { status: 'failed', error: 'exit code 3', mayFail: true }),
    step('Restart', { status: 'succeeded', rollback: undo() }),
    step('Verify', { status: 'failed', error: 'answered 503' }),
  ];
  const statusReason = 'step 3, Verify, failed: answered 503';
  const ended = { status: 'rolled_back', finishedAt: at, statusReason, steps } as const;
  expect(said({ ...ended, steps })).toContain('‘Verify’ failed, and 1 step was undone.');
  expect(view({ ...ended, steps }).reason).toEqual([{ text: 'answered 503' }]);
  const refused = view({
    status: 'failed',
    finishedAt: at,
    statusReason: 'the approval expired',
    steps: [step('Look')],
  });
  expect(refused.reason).toEqual([{ text: 'the approval expired' }]);
});

it('says of a run that a rule refused that nothing was touched, why, and when it is possible again', () => {
  const statusReason =
    'cooldown: it worked on checkout just before; possible again at 2026-11-21T02:44:00.000Z';
  const refused = { status: 'cancelled', startedAt: null, finishedAt: at, statusReason } as const;
  expect(said(refused)).toBe(`${what} It did not run; nothing was touched.`);
  expect(view(refused).reason).toEqual([
    { text: 'cooldown: it worked on checkout just before; possible again at ' },
    { clock: '2026-11-21T02:44:00.000Z' },
  ]);
  const noTime = '2026-99-99T99:99:99Z';
  expect(view({ ...refused, statusReason: noTime }).reason).toEqual([{ text: noTime }]);
});

it('can be cancelled while it is not over, and says what that undoes, the last one first', () => {
  const steps = [
    step('a', { startedAt: at, rollback: undo({ status: 'registered' }) }),
    step('b', { startedAt: at, rollback: undo({ status: 'registered' }) }),
  ];
  expect(view({ steps })).toMatchObject({ canCancel: true, cancelUndoes: ['b', 'a'] });
  expect(view({ status: 'succeeded', finishedAt: at }).canCancel).toBe(false);
});

it('can be retried once it has failed, and says which steps run again', () => {
  const steps = [
    step('Check', { status: 'succeeded' }),
    step('Drain', { status: 'succeeded', rollback: undo() }),
    step('Restart', { status: 'failed' }),
    step('Verify'),
  ];
  const failed = { status: 'rolled_back', finishedAt: at, steps } as const;
  expect(view({ ...failed, steps }).retry).toEqual({
    from: 'Restart',
    takenOver: ['Check'],
    runAgain: ['Drain', 'Restart', 'Verify'],
  });
  expect(view({ steps }).retry).toBeNull();
  expect(view({ ...failed, steps, status: 'succeeded' }).retry).toBeNull();
  const retries = [{ id: 'r', status: 'running' as const, createdAt: at }];
  expect(view({ ...failed, steps, retries }).retry).toBeNull();
});

it('says of an undo whether it may still be needed', () => {
  const steps = [step('a', { rollback: undo({ status: null }) })];
  const word = (changes: Partial<ExecutionDetail>) =>
    view({ steps, ...changes }).groups[0]?.steps[0]?.undo?.state.word;
  expect(word({})).toBe('Not needed yet');
  expect(word({ status: 'cancelled', finishedAt: at })).toBe('Not needed');
});

it('sets nested runbooks and the verification apart, each under its own name', () => {
  const nested = { scope: 1, runbook: 'promote' };
  const steps = [
    step('Drain'),
    step('fail over / Ask', { nested }),
    step('fail over / Promote', { nested }),
    step('Healthy', { part: 'verify' }),
  ];
  expect(
    view({ steps }).groups.map(({ heading, steps: own }) => [heading?.title, own.map(({ name }) => name)]),
  ).toEqual([
    [undefined, ['Drain']],
    ['fail over', ['Ask', 'Promote']],
    ['Verification', ['Healthy']],
  ]);
});

it('explains an outcome that nobody knows, by what may be repeated and what is undone', () => {
  const warning = (changes: Parameters<typeof step>[1]) =>
    view({ steps: [step('a', { outcomeUnknown: true, status: 'failed', ...changes })] }).groups[0]?.steps[0]
      ?.warning;
  expect(warning({})).toContain('nothing undoes it: look at checkout by hand');
  expect(warning({ rollback: undo() })).toContain('counts as failed and is undone');
  expect(warning({ idempotent: true, status: 'succeeded' })).toContain('it was run again');
});

it('shows what would not be seen: control characters and turned directions, in names, commands and output', () => {
  const nasty = 'a\u001b[2Jb\u202ec';
  const shown = 'a\\x1b[2Jb\\u202ec';
  const steps = [step(nasty, { description: nasty, output: nasty, error: nasty, status: 'failed' })];
  expect(view({ target: nasty, steps }).target).toBe(shown);
  expect(view({ steps }).groups[0]?.steps[0]).toMatchObject({
    name: shown,
    does: shown,
    error: shown,
    output: { text: shown, lines: 1, open: true },
  });
});
