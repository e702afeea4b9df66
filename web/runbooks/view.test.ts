import { expect, it } from 'vitest';
import type { GitSourceStanding } from '../../db/git-sources.ts';
import type { RunbookDetail } from '../../db/runbooks.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import { rateView, runbookRow, sourceProblems } from './list-view.ts';
import { diffView, versionView } from './version-view.ts';
import { runbookView } from './view.ts';
import { triggerText } from './words.ts';

const at = new Date('2026-11-21T02:14:00Z');
const source = `
name: restart-service
description: Restart a failing service.
triggers:
  - alert_pattern: "ServiceDown*"
    severity: [critical, warning]
    min_duration_seconds: 300
    labels: { team: pay }
inputs:
  service_name: {}
  mode: { options: [fast, slow], default: fast }
  token: { from_secret: "env:TOKEN" }
execution:
  mode: semi_auto
  approvals: 2
  runner: db-eu
steps:
  - name: Restart
    command: [systemctl, restart, "{{service_name}}"]
    rollback: [systemctl, start, "{{service_name}}"]
    condition: { variable: mode, equals: fast }
    retries: 2
  - name: Look
    url: "https://status.example.com/{{service_name}}"
    continue_on_fail: true
verify:
  - name: Healthy
    command: [check, "{{service_name}}"]
`;

function runbook(changes: Partial<RunbookDetail> = {}): RunbookDetail {
  const parsed = parseRunbook(source, 'restart.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const version = (number: number, author: string | null) => ({
    version: number,
    loadedAt: at,
    commit: author && '1a2b3c4d5e6f',
    author,
    committedAt: author ? at : null,
  });
  return {
    name: 'restart-service',
    teamId: null,
    definition: parsed.definition,
    source,
    file: 'restart.yaml',
    environment: '',
    sourceId: null,
    version: 2,
    latestVersion: 2,
    pinnedAt: null,
    pinnedBy: null,
    loadedAt: at,
    removedAt: null,
    runs: { finished: 0, succeeded: 0, successRate: null },
    lastRun: null,
    versions: [version(2, 'Ana'), version(1, null)],
    lastRuns: [],
    ...changes,
  };
}

const view = (changes: Partial<RunbookDetail> = {}, now = at.getTime()) =>
  runbookView(runbook(changes), {
    problems: [],
    incident: null,
    values: {},
    environment: '',
    runProblems: [],
    matching: [
      {
        alertId: 1,
        alertName: 'ServiceDownHard',
        severity: 'critical',
        incidentNumber: 7,
        incidentTitle: 'down',
        receivedAt: at,
        callsAt: new Date(at.getTime() + 300_000),
      },
    ],
    sources: new Map(),
    now,
  });

it('says in one sentence what it does, and shows each step beside its undo', () => {
  expect(view().does).toBe('Restart a failing service (2 steps, 1 with an undo, verified at the end).');
  expect(view().plan).toMatchObject([
    {
      does: 'systemctl restart {{service_name}}',
      undo: 'systemctl start {{service_name}}',
      notes: ['only if mode is fast', 'tried up to 3 times', 'on the runner db-eu'],
    },
    { name: 'Look', undo: null, notes: ['may fail', 'on the runner db-eu'] },
  ]);
  expect(view().verify).toMatchObject([{ name: 'Healthy' }]);
});

it('names what would match now, and until when an alert that is young does not call it', () => {
  expect(view().matching).toMatchObject([{ number: 7, callsAt: '2026-11-21T02:19:00.000Z' }]);
  expect(view({}, at.getTime() + 600_000).matching[0]?.callsAt).toBeNull();
  expect(runbook().definition.triggers.map(triggerText)).toEqual([
    'critical or warning alerts ServiceDown* that fire for 5 min, with team=pay',
  ]);
});

it('asks for no secret, and offers the values that an input may have', () => {
  const { inputs } = view();
  expect(inputs.map(({ label }) => label).sort()).toEqual(['mode', 'service_name']);
  expect(inputs.find(({ label }) => label === 'mode')?.options?.map(({ value }) => value)).toEqual([
    '',
    'fast',
    'slow',
  ]);
});

it('says how often it succeeded in words, with a figure only where there is one', () => {
  expect(rateView({ finished: 0, succeeded: 0, successRate: null })).toMatchObject({
    words: 'has not run',
    filled: null,
  });
  expect(rateView({ finished: 12, succeeded: 11, successRate: 11 / 12 })).toEqual({
    words: '11 of 12 succeeded',
    filled: 37,
    tone: 'good',
  });
});

it('says where it comes from', () => {
  const sources = new Map([['s', { importedCommit: '1a2b3c4d5e6f' }]]);
  expect(runbookRow(runbook(), null, sources).origin).toBe('folder');
  const fromGit = runbook({ sourceId: 's', environment: 'production' });
  expect(runbookRow(fromGit, 42, sources)).toMatchObject({
    origin: 'production, 1a2b3c4',
    href: '/runbooks/restart-service?incident=42',
  });
});

it('shows of each version what brought it, and what differs from the one before', () => {
  expect(view().versions).toMatchObject([
    {
      version: 2,
      author: 'Ana',
      commit: '1a2b3c4',
      inForce: true,
      pinned: false,
      diffHref: '/runbooks/restart-service/diff?from=1&to=2',
    },
    { version: 1, author: 'read from the folder', commit: null, inForce: false, diffHref: null },
  ]);
  const version = (number: number, text: string) => ({ ...runbook().versions[2 - number]!, source: text });
  expect(versionView(runbook(), version(1, 'a\nb\n'))).toMatchObject({
    isInForce: false,
    diffHref: '/runbooks/restart-service/diff?from=2&to=1',
    source: [
      { number: 1, text: 'a' },
      { number: 2, text: 'b' },
    ],
  });
  expect(diffView(runbook(), version(1, 'a\nb\n'), version(2, 'a\nc\u202e\n'))).toMatchObject({
    summary: '1 line added, 1 removed.',
    hunks: [{ lines: [{ sign: ' ' }, { sign: '−', from: 2, to: null }, { sign: '+', text: 'c\\u202e' }] }],
  });
  expect(diffView(runbook(), version(1, 'a\n'), version(2, 'a\n')).summary).toBe('Both say the same.');
});

it('tells of a Git source that cannot be read, and of what is wrong with its newest push', () => {
  const standing = {
    id: 's',
    environment: 'production',
    url: 'https://git.example.com/runbooks.git',
    error: 'the branch main is gone',
    checkedAt: at,
    createdAt: at,
    lastImport: {
      commit: '1a2b3c4d5e6f',
      status: 'refused',
      at,
      problems: [{ file: 'a.yaml', line: 3, col: 5, message: "unknown key 'comand'" }],
    },
  } as unknown as GitSourceStanding;
  expect(sourceProblems([standing])).toEqual([
    {
      place: 'production',
      message: 'the branch main is gone',
      foundAt: at.toISOString(),
      href: '/settings/git/s',
    },
    {
      place: 'production 1a2b3c4 a.yaml:3:5',
      message: "unknown key 'comand'",
      foundAt: at.toISOString(),
      href: '/settings/git/s',
    },
  ]);
});
