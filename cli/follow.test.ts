import { expect, test } from 'vitest';
import { type ExecutionDetail, executionDetail } from './answers.ts';
import { createStory, newOutput } from './follow.ts';
import { createPrinter } from './terminal.ts';

const id = '018f4e2a-7c1b-7d3e-9a55-0242ac120002';
const base: ExecutionDetail = executionDetail.parse({
  id,
  runbook: 'restart',
  runbookVersion: 3,
  incidentNumber: null,
  requestedBy: 'ana@example.com',
  target: 'checkout',
  status: 'waiting',
  statusReason: null,
  createdAt: '2026-01-31T03:00:00.000Z',
  finishedAt: null,
  steps: [],
  approvals: [],
  standing: { queue: null, runner: null },
});
const step = (over: object) =>
  executionDetail.shape.steps.element.parse({
    name: 'Restart',
    type: 'command',
    description: 'systemctl restart checkout',
    status: 'pending',
    attempts: 0,
    output: '',
    error: null,
    rollback: null,
    ...over,
  });

function story() {
  let said = '';
  const printer = createPrinter({ out: (text) => (said += text), err: () => {}, colour: false });
  const { tell } = createStory(printer);
  return {
    tell(over: Partial<ExecutionDetail>) {
      said = '';
      tell({ ...base, ...over });
      return said;
    },
  };
}

test('each look adds only what is new', () => {
  const { tell } = story();
  const running = { status: 'running', steps: [step({ status: 'running', attempts: 1, output: 'stop' })] };
  expect(tell({})).toBe(`execution ${id} of restart version 3 on checkout\n`);
  expect(tell({})).toBe('');
  expect(tell(running)).toBe('> 1. Restart\nstop');
  expect(tell(running)).toBe('');
  const failed = {
    status: 'failed',
    statusReason: 'step 1 failed',
    finishedAt: '2026-01-31T03:01:00.000Z',
    steps: [step({ status: 'failed', attempts: 2, output: 'stopped\nagain\n', error: 'exit status 3' })],
  };
  expect(tell(failed)).toBe(
    '\n> 1. Restart (attempt 2)\nped\nagain\n  failed 1. Restart - exit status 3\nfailed - step 1 failed\n',
  );
});

test('undos are told in the order in which they run, and what is waited for once', () => {
  const { tell } = story();
  const undone = (name: string, status: string) =>
    step({
      name,
      status: 'succeeded',
      attempts: 1,
      rollback: { description: '', attempts: 1, output: '', error: null, status },
    });
  const queue = { holder: { id, runbook: 'other' }, place: 2 };
  const waiting = tell({ standing: { queue, runner: null } });
  expect(waiting).toContain(`waits for its target, which execution ${id} of other works on; 2 in the queue`);
  expect(tell({ standing: { queue, runner: null } })).toBe('');
  const steps = [undone('first', 'succeeded'), undone('second', 'succeeded')];
  const said = tell({ status: 'running', steps });
  expect(said.indexOf('undo of 2. second')).toBeGreaterThan(0);
  expect(said.indexOf('undo of 1. first')).toBeGreaterThan(said.indexOf('undo of 2. second'));
});

test('an undo that failed is told once with how to decide it, an approval after the steps before it', () => {
  const { tell } = story();
  const rollback = { description: '', attempts: 3, output: '', error: 'no', status: 'waiting' };
  const steps = [step({ status: 'failed', attempts: 1, rollback })];
  const said = tell({ status: 'running', steps });
  expect(said).toContain(
    `execution undo ${id} 1 retry, or holdfast execution undo ${id} 1 skip --reason WHY`,
  );
  expect(tell({ status: 'running', steps })).toBe('');
  const approvals = executionDetail.shape.approvals.parse([
    {
      id: 'a',
      executionId: id,
      status: 'pending',
      required: 1,
      expiresAt: '',
      requestedBy: 'ana',
      votes: [],
    },
  ]);
  const asks = story().tell({
    status: 'running',
    steps: [step({ status: 'succeeded', attempts: 1 })],
    approvals,
  });
  expect(asks.indexOf('holdfast approve a')).toBeGreaterThan(asks.indexOf('succeeded 1. Restart'));
});

test('an output that lost its beginning goes on where it was', () => {
  expect(newOutput('', 'a')).toBe('a');
  expect(newOutput('ab', 'abc')).toBe('c');
  const long = 'x'.repeat(300);
  expect(newOutput(`${long}end`, `[cut]${'x'.repeat(250)}end more`)).toBe(' more');
  expect(newOutput('gone', 'other')).toMatch(/too much to keep[\s\S]*other/);
});

test('what a command writes cannot act on the terminal', () => {
  const { tell } = story();
  const evil = '\u001b]0;title\u0007\u001b[2J\u009b31m';
  const said = tell({
    runbook: `re${evil}start`,
    steps: [step({ name: evil, status: 'failed', attempts: 1, output: `${evil}\n`, error: evil })],
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be left
  expect(said).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  expect(said).toContain('\\x1b]0;title\\x07');
});
