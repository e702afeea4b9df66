import { expect, it } from 'vitest';
import { executionDetail } from '../../test/harness/execution-records.ts';
import { executionListView, executionRow, filterOf, mostCounted, parseExecutionQuery } from './list-view.ts';

const item = executionDetail({
  status: 'rolled_back',
  statusReason: 'step 2 failed',
  finishedAt: new Date(),
});
const view = (query: Record<string, unknown>, counted: number, nextCursor?: string) =>
  executionListView(parseExecutionQuery(query), {
    page: { items: [item], ...(nextCursor ? { nextCursor } : {}) },
    counted,
    runbooks: ['clear-cache', 'restart'],
    waitForPerson: new Set(),
  });

it('reads the address, and takes what it does not know as not given', () => {
  expect(parseExecutionQuery({ status: 'nonsense', runbook: ['a'], target: ' db ' })).toEqual({
    status: 'all',
    runbook: '',
    target: 'db',
    cursor: null,
  });
  expect(filterOf(parseExecutionQuery({ status: 'failed', runbook: 'restart' }))).toEqual({
    status: ['failed', 'rolled_back', 'rollback_failed'],
    runbook: 'restart',
  });
  expect(filterOf(parseExecutionQuery({ status: 'succeeded' }))).toEqual({ status: ['succeeded'] });
  expect(filterOf(parseExecutionQuery({}))).toEqual({});
});

it('says how many of how many', () => {
  expect(view({}, 1).line).toBe('1 execution');
  expect(view({ target: 'checkout' }, 120).line).toBe('1 of 120 matching executions');
  expect(view({}, mostCounted).line).toBe('1 of more than 1,000 executions');
});

it('keeps the filters on the way to older ones, and names a runbook that is gone', () => {
  const shown = view({ status: 'failed', runbook: 'gone', target: 'db', cursor: 'c' }, 60, 'next');
  expect(shown.nextHref).toBe('/executions?status=failed&runbook=gone&target=db&cursor=next');
  expect(shown.firstHref).toBe('/executions?status=failed&runbook=gone&target=db');
  expect(shown.runbooks.find(({ selected }) => selected)?.value).toBe('gone');
  expect(shown.rows).toMatchObject([{ reason: 'step 2 failed', over: true, state: { word: 'Rolled back' } }]);
});

it('says of one whose undo failed that a person has to decide', () => {
  const running = executionDetail({ status: 'running', statusReason: 'step 2 failed' });
  expect(executionRow(running, true)).toMatchObject({ state: { word: 'Waits for a person' } });
  expect(executionRow(running, false)).toMatchObject({ state: { word: 'Running' } });
});
