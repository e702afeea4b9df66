import type { Page } from '../../db/cursor.ts';
import type { ExecutionFilter, ExecutionSummary } from '../../db/executions-read.ts';
import { formatDuration } from '../../domain/duration.ts';
import { type ExecutionStatus, executionStatuses } from '../../domain/incident-status.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import { executionMarks, type Mark } from '../layout/words.ts';

/** What the address of the list asks for. `active`: waiting or running. */
export interface ExecutionQuery {
  status: 'all' | 'active' | 'person' | 'failed' | ExecutionStatus;
  runbook: string;
  target: string;
  cursor: string | null;
}

export const pageSize = 50;
/** Further than this nobody counts at night. */
export const mostCounted = 1000;

/** Statuses that are asked for together. */
const several: Partial<Record<ExecutionQuery['status'], readonly ExecutionStatus[]>> = {
  active: ['waiting', 'running'],
  failed: ['failed', 'rolled_back', 'rollback_failed'],
};

const statusChoices: { value: ExecutionQuery['status']; label: string }[] = [
  { value: 'all', label: 'Any state' },
  { value: 'active', label: 'Waiting or running' },
  { value: 'person', label: 'Waits for a person' },
  { value: 'failed', label: 'Did not succeed' },
  ...executionStatuses
    // asked for together as 'Did not succeed'
    .filter((status) => status !== 'failed')
    .map((status) => ({ value: status, label: executionMarks[status].word })),
];

/** Reads the address; a value that is none counts as not given, so that an old link still shows something. */
export function parseExecutionQuery(query: Record<string, unknown>): ExecutionQuery {
  const given = (name: string): string => {
    const value = query[name];
    return typeof value === 'string' ? value.trim().slice(0, 500) : '';
  };
  return {
    status: statusChoices.find(({ value }) => value === given('status'))?.value ?? 'all',
    runbook: given('runbook'),
    target: given('target'),
    cursor: given('cursor') || null,
  };
}

export function filterOf({ status, runbook, target }: ExecutionQuery): ExecutionFilter {
  return {
    ...statusFilter(status),
    ...(runbook ? { runbook } : {}),
    ...(target ? { target } : {}),
  };
}

function statusFilter(status: ExecutionQuery['status']): ExecutionFilter {
  if (status === 'all') return {};
  if (status === 'person') return { waitsForPerson: true };
  return { status: several[status] ?? [status as ExecutionStatus] };
}

export interface ExecutionListView {
  runbooks: { value: string; label: string; selected: boolean }[];
  statuses: { value: string; label: string; selected: boolean }[];
  target: string;
  filtered: boolean;
  line: string;
  rows: ExecutionRow[];
  emptyTitle: string;
  nextHref: string | null;
  firstHref: string | null;
}

export interface ExecutionRow {
  id: string;
  href: string;
  runbook: string;
  target: string;
  state: Mark;
  reason: string | null;
  incident: number | null;
  requestedBy: string;
  at: string;
  took: string | null;
  over: boolean;
}

export function executionListView(
  query: ExecutionQuery,
  found: {
    page: Page<ExecutionSummary>;
    counted: number;
    runbooks: string[];
    waitForPerson: ReadonlySet<string>;
  },
): ExecutionListView {
  const filtered = query.status !== 'all' || query.runbook !== '' || query.target !== '';
  const { items, nextCursor } = found.page;
  return {
    runbooks: [
      { value: '', label: 'Any runbook', selected: query.runbook === '' },
      // one that is gone still has executions
      ...[...new Set([...found.runbooks, ...(query.runbook ? [query.runbook] : [])])].map((name) => ({
        value: name,
        label: visible(name),
        selected: name === query.runbook,
      })),
    ],
    statuses: statusChoices.map((choice) => ({ ...choice, selected: choice.value === query.status })),
    target: query.target,
    filtered,
    line: lineOf(items.length, found.counted, filtered),
    rows: items.map((execution) => executionRow(execution, found.waitForPerson.has(execution.id))),
    emptyTitle: filtered ? 'No execution is like this' : 'Nothing has run yet',
    nextHref: nextCursor ? listUrl({ ...query, cursor: nextCursor }) : null,
    firstHref: query.cursor ? listUrl({ ...query, cursor: null }) : null,
  };
}

/** `waitsForPerson`: an undo of it failed, and nothing goes on before somebody decides. */
export function executionRow(execution: ExecutionSummary, waitsForPerson: boolean): ExecutionRow {
  const { startedAt, finishedAt } = execution;
  return {
    id: execution.id,
    href: `/executions/${execution.id}`,
    runbook: visible(execution.runbook),
    target: visible(execution.target),
    state: waitsForPerson
      ? { word: 'Waits for a person', icon: 'waiting', tone: 'bad' }
      : executionMarks[execution.status],
    reason:
      execution.status === 'succeeded' || !execution.statusReason ? null : visible(execution.statusReason),
    incident: execution.incidentNumber,
    requestedBy: visible(execution.requestedBy),
    at: execution.createdAt.toISOString(),
    took: startedAt && finishedAt ? formatDuration(finishedAt.getTime() - startedAt.getTime()) : null,
    over: finishedAt !== null,
  };
}

function lineOf(shown: number, counted: number, filtered: boolean): string {
  const all = counted >= mostCounted ? `more than ${mostCounted.toLocaleString('en-GB')}` : String(counted);
  const noun = `${filtered ? 'matching ' : ''}execution${counted === 1 ? '' : 's'}`;
  return shown === counted ? `${all} ${noun}` : `${shown} of ${all} ${noun}`;
}

function listUrl({ status, runbook, target, cursor }: ExecutionQuery): string {
  const parameters = new URLSearchParams();
  if (status !== 'all') parameters.set('status', status);
  if (runbook) parameters.set('runbook', runbook);
  if (target) parameters.set('target', target);
  if (cursor) parameters.set('cursor', cursor);
  const text = parameters.toString();
  return text ? `/executions?${text}` : '/executions';
}
