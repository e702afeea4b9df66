import { expect, it } from 'vitest';
import {
  approvalRecord,
  executionDetail,
  executionStep as step,
  stepUndo as undo,
} from '../../test/harness/execution-records.ts';
import { approvalView } from './view.ts';

const execution = executionDetail({
  steps: [
    step('Drain', { status: 'succeeded', rollback: undo({ status: 'registered' }) }),
    step('Ask', { status: 'running', type: 'approval' }),
    step('Promote'),
    step('Healthy', { part: 'verify' }),
  ],
});

it('before the start: says that all steps run, and that rejecting touches nothing', () => {
  const view = approvalView(approvalRecord(), execution);
  expect(view.steps.map(({ name }) => name)).toEqual(['Drain', 'Ask', 'Promote', 'Healthy']);
  expect(view.approving).toContain('these 4 steps run on checkout');
  expect(view.rejecting).toBe('Rejecting: it does not run, and nothing is touched.');
  expect(view.otherwise).toBe('it expires and nothing runs');
});

it('in mid-run: says what follows from there, and what rejecting undoes', () => {
  const view = approvalView(approvalRecord({ stepIndex: 1, message: 'Promote?' }), execution);
  expect(view.steps.map(({ number, name }) => [number, name])).toEqual([
    [3, 'Promote'],
    [4, 'Healthy'],
  ]);
  expect(view).toMatchObject({
    approveLabel: 'Approve and go on',
    stepNumber: 2,
    message: 'Promote?',
    done: 1,
  });
  expect(view.rejecting).toBe('Rejecting: it stops here, and 1 step is undone, the last one first.');
  expect(view.otherwise).toBe('it expires and what has run is undone');
});

it('says who may vote, and what follows when nobody does', () => {
  const view = approvalView(
    approvalRecord({
      required: 2,
      teams: ['dba', 'sre'],
      notRequester: true,
      requestedBy: 'ana@example.com',
      onTimeout: 'escalate',
    }),
    execution,
  );
  expect(view.who).toBe(
    '2 different people of the teams dba or sre with the role operator or more, but not ana@example.com, who asked.',
  );
  expect(view.otherwise).toBe(
    'the next level of the escalation policy is asked (1 so far); after the last it expires and nothing runs',
  );
});

it('tells the reader why an own vote would be refused', () => {
  const asked = approvalRecord({ notRequester: true, requestedBy: 'ana@example.com' });
  const ana = approvalView(asked, execution, { name: 'ana@example.com' });
  expect(ana).toMatchObject({ mayNot: null, onlyReject: expect.stringContaining('You asked for this run') });
  const ben = approvalView(asked, execution, { name: 'ben@example.com' });
  expect(ben).toMatchObject({ mayNot: null, onlyReject: null });
  const votes = [{ person: 'ben', decision: 'approve' as const, via: 'page', reason: null, at: '' }];
  expect(approvalView(approvalRecord({ votes }), execution, { name: 'ben' }).mayNot).toBe(
    'You have approved it already.',
  );
  const strict = approvalRecord({ role: 'admin', teams: ['dba', 'sre'] });
  const why = (role: 'operator' | 'admin', teams: string[]) =>
    approvalView(strict, execution, { name: 'ben', role, teams }).mayNot;
  expect(why('operator', ['dba'])).toBe('It takes the role admin; yours is operator.');
  expect(why('admin', ['web'])).toBe('It takes a member of dba or sre, and you are in other teams.');
  expect(why('admin', ['sre'])).toBeNull();
});
