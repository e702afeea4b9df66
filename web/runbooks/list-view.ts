import type { GitSourceStanding } from '../../db/git-sources.ts';
import type { RunbookProblemRecord, RunbookRecord, RunStatistics } from '../../db/runbooks.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import { executionMarks, type Mark } from '../layout/words.ts';
import { modeWords } from './words.ts';

export interface RunbookRow {
  name: string;
  href: string;
  description: string;
  tags: string[];
  mode: string;
  triggers: string;
  steps: number;
  rate: RateView;
  last: { state: Mark; at: string; href: string } | null;
  /** 'folder' or 'production, 1a2b3c4'. */
  origin: string;
  pinned: boolean;
}

/** How often it succeeded lately: words first, and a bar of `filled` of 40. */
export interface RateView {
  words: string;
  filled: number | null;
  tone: string;
}

/** Where Git runbooks come from, by the id of their source. */
export type Sources = ReadonlyMap<string, Pick<GitSourceStanding, 'importedCommit'>>;

export function runbookRow(runbook: RunbookRecord, incident: number | null, sources: Sources): RunbookRow {
  const { definition } = runbook;
  return {
    name: visible(runbook.name),
    href: `/runbooks/${encodeURIComponent(runbook.name)}${incident === null ? '' : `?incident=${incident}`}`,
    description: visible(definition.description),
    tags: definition.tags,
    mode: modeWords[definition.execution.mode],
    triggers: visible(definition.triggers.map((trigger) => trigger.alertPattern).join(', ')),
    steps: definition.steps.length,
    rate: rateView(runbook.runs),
    last: runbook.lastRun && {
      state: executionMarks[runbook.lastRun.status],
      at: (runbook.lastRun.finishedAt ?? runbook.lastRun.createdAt).toISOString(),
      href: `/executions/${runbook.lastRun.id}`,
    },
    origin: originOf(runbook, sources),
    pinned: runbook.pinnedAt !== null,
  };
}

export const barWidth = 40;

export function rateView({ finished, succeeded, successRate }: RunStatistics): RateView {
  if (successRate === null) return { words: 'has not run', filled: null, tone: 'quiet' };
  return {
    words: `${succeeded} of ${finished} succeeded`,
    filled: Math.round(successRate * barWidth),
    tone: successRate >= 0.9 ? 'good' : successRate >= 0.6 ? 'warning' : 'bad',
  };
}

export function originOf(
  runbook: Pick<RunbookRecord, 'sourceId' | 'environment' | 'pinnedAt'>,
  sources: Sources,
): string {
  if (runbook.sourceId === null) return 'folder';
  // what is pinned is not of the newest commit
  const commit = runbook.pinnedAt ? null : sources.get(runbook.sourceId)?.importedCommit;
  return [runbook.environment || 'Git', ...(commit ? [commit.slice(0, 7)] : [])].join(', ');
}

export interface ProblemView {
  place: string;
  message: string;
  foundAt: string;
  /** The page that tells more. */
  href: string | null;
}

export function problemView(problem: RunbookProblemRecord): ProblemView {
  return {
    place: visible(`${problem.file}:${problem.line}:${problem.col}`),
    message: visible(problem.message),
    foundAt: problem.foundAt.toISOString(),
    href: null,
  };
}

/** Of each Git source: why its newest look failed, or what is wrong with the newest push. */
export function sourceProblems(sources: readonly GitSourceStanding[]): ProblemView[] {
  return sources.flatMap((source) => {
    const href = `/settings/git/${source.id}`;
    const name = source.environment || source.url;
    const { lastImport } = source;
    const pushed = lastImport?.status === 'refused' ? lastImport : null;
    return [
      ...(source.error === null
        ? []
        : [{ place: visible(name), message: visible(source.error), at: source.checkedAt }]),
      ...(pushed?.problems ?? []).map((problem) => ({
        place: visible(
          `${name} ${pushed?.commit.slice(0, 7)} ${problem.file}:${problem.line}:${problem.col}`,
        ),
        message: visible(problem.message),
        at: pushed?.at ?? null,
      })),
    ].map(({ at, ...problem }) => ({ ...problem, foundAt: (at ?? source.createdAt).toISOString(), href }));
  });
}
