import type { GitImport, GitSourceStanding } from '../../db/git-sources.ts';
import { shortCommit } from '../../domain/runbook-import/commit.ts';
import type { Mark } from '../layout/words.ts';
import { gitBase } from './git-form.ts';

interface CommitView {
  id: string;
  title: string;
  subject: string;
  author: string;
  at: string;
}

export interface GitRow {
  id: string;
  href: string;
  /** The environment, or words for none. */
  environment: string;
  /** Without the scheme: 'git.example.com/acme/runbooks'. */
  place: string;
  branch: string;
  state: Mark;
  commit: CommitView | null;
  /** 'a.yaml:4:20 …' or why the branch could not be read. */
  trouble: string | null;
  runbooks: number;
  checkedAt: string | null;
}

const states = {
  unread: { word: 'Not read yet', icon: 'waiting', tone: 'quiet' },
  away: { word: 'Cannot be read', icon: 'failed', tone: 'bad' },
  refused: { word: 'Push refused', icon: 'warning', tone: 'warning' },
  current: { word: 'Up to date', icon: 'done', tone: 'good' },
} satisfies Record<string, Mark>;

export function stateOf(source: GitSourceStanding): Mark {
  if (source.error !== null) return states.away;
  if (source.lastImport === null) return states.unread;
  return source.lastImport.status === 'refused' ? states.refused : states.current;
}

export function gitRow(source: GitSourceStanding): GitRow {
  const { lastImport } = source;
  const problem = lastImport?.status === 'refused' ? lastImport.problems[0] : undefined;
  return {
    id: source.id,
    href: `${gitBase}/${source.id}`,
    environment: source.environment || 'none',
    place: placeOf(source.url, source.path),
    branch: source.branch,
    state: stateOf(source),
    commit: lastImport && commitOf(lastImport),
    trouble:
      source.error ?? (problem ? `${problem.file}:${problem.line}:${problem.col} ${problem.message}` : null),
    runbooks: source.runbooks,
    checkedAt: source.checkedAt?.toISOString() ?? null,
  };
}

function placeOf(url: string, path: string): string {
  const repository = url.replace(/^\w+:\/\//, '').replace(/\.git$/, '');
  return path === '' ? repository : `${repository} › ${path}`;
}

function commitOf(item: GitImport): CommitView {
  return {
    id: shortCommit(item.commit),
    title: item.commit,
    subject: item.subject || 'no subject',
    author: item.author || item.authorEmail || 'nobody',
    at: item.committedAt.toISOString(),
  };
}

export interface ImportRow {
  id: string;
  state: Mark;
  commit: CommitView;
  what: string;
  problems: { place: string; message: string }[];
  at: string;
}

export function importRow(item: GitImport): ImportRow {
  return {
    id: item.id,
    state:
      item.status === 'imported'
        ? { word: 'Imported', icon: 'done', tone: 'good' }
        : { ...states.refused, word: 'Refused' },
    commit: commitOf(item),
    what:
      item.status === 'imported'
        ? changesOf(item)
        : `${count(item.problems.length, 'problem')}; nothing was taken over`,
    problems: item.problems.map(({ file, line, col, message }) => ({
      place: `${file}:${line}:${col}`,
      message,
    })),
    at: item.at.toISOString(),
  };
}

const namesTold = 5;

function changesOf({ changes }: GitImport): string {
  const parts = (['added', 'changed', 'removed'] as const).flatMap((kind) => {
    const names = changes[kind];
    if (names.length === 0) return [];
    const more = names.length > namesTold ? ` and ${names.length - namesTold} more` : '';
    return [`${kind} ${names.slice(0, namesTold).join(', ')}${more}`];
  });
  return parts.join('; ') || 'no runbook changed';
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** One sentence that a person would write about where the source stands. */
export function sentenceOf(source: GitSourceStanding): string {
  const { lastImport, error } = source;
  const last = source.importedCommit === null ? undefined : `commit ${shortCommit(source.importedCommit)}`;
  const holds = last ? ` The runbooks of ${last} go on to hold.` : ' No runbook of it is in force yet.';
  if (error !== null) return `The branch ${source.branch} could not be read: ${error}.${holds}`;
  if (lastImport === null)
    return `The branch ${source.branch} has not been read yet; the first look comes in a moment.`;
  const who = lastImport.author || lastImport.authorEmail || 'nobody';
  const commit = `commit ${shortCommit(lastImport.commit)} by ${who}`;
  return lastImport.status === 'refused'
    ? `The newest push, ${commit}, was refused: ${count(lastImport.problems.length, 'problem')}.${holds}`
    : `Up to date with ${commit}: ${count(source.runbooks, 'runbook')} in force.`;
}
