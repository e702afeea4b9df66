import type { RunbookDetail, RunbookVersion } from '../../db/runbooks.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import { type DiffLine, diffHunks } from '../../domain/runbook-diff.ts';
import { diffHref, type SourceLine, sourceLines, versionWords } from './view.ts';

interface Versioned {
  name: string;
  path: string;
  /** The one in force. */
  inForce: number;
  latest: number;
  pinned: boolean;
  removed: boolean;
}

export interface VersionView extends Versioned {
  version: number;
  author: string;
  commit: string | null;
  at: string;
  source: SourceLine[];
  isInForce: boolean;
  /** What would change if it were put in force; null where it is. */
  diffHref: string | null;
}

export interface DiffView extends Versioned {
  from: DiffSideView;
  to: DiffSideView;
  choices: { from: VersionChoice[]; to: VersionChoice[] };
  hunks: { lines: DiffLineView[] }[];
  /** '3 lines added, 1 removed' */
  summary: string;
}

interface DiffSideView {
  version: number;
  author: string;
  commit: string | null;
  at: string;
  isInForce: boolean;
}

interface VersionChoice {
  value: number;
  label: string;
  selected: boolean;
}

export interface DiffLineView {
  from: number | null;
  to: number | null;
  sign: string;
  kind: DiffLine['kind'];
  text: string;
}

type Version = RunbookVersion & { source: string };

export function versionView(runbook: RunbookDetail, version: Version): VersionView {
  return {
    ...versioned(runbook),
    ...versionWords(version),
    source: sourceLines(version.source),
    isInForce: version.version === runbook.version,
    diffHref:
      version.version === runbook.version ? null : diffHref(runbook.name, runbook.version, version.version),
  };
}

export function diffView(runbook: RunbookDetail, from: Version, to: Version): DiffView {
  const hunks = diffHunks(from, to);
  const lines = hunks.flat();
  const count = (kind: DiffLine['kind']): number => lines.filter((line) => line.kind === kind).length;
  const side = (version: Version): DiffSideView => ({
    ...versionWords(version),
    isInForce: version.version === runbook.version,
  });
  const choices = (chosen: number): VersionChoice[] =>
    runbook.versions.map(({ version, author }) => ({
      value: version,
      label: `version ${version}${author ? `, ${visible(author)}` : ''}${version === runbook.version ? ' (in force)' : ''}`,
      selected: version === chosen,
    }));
  return {
    ...versioned(runbook),
    from: side(from),
    to: side(to),
    choices: { from: choices(from.version), to: choices(to.version) },
    hunks: hunks.map((hunk) => ({ lines: hunk.map(lineView) })),
    summary:
      lines.length === 0
        ? 'Both say the same.'
        : `${plural(count('added'))} added, ${count('removed')} removed.`,
  };
}

function versioned(runbook: RunbookDetail): Versioned {
  return {
    name: visible(runbook.name),
    path: `/runbooks/${encodeURIComponent(runbook.name)}`,
    inForce: runbook.version,
    latest: runbook.latestVersion,
    pinned: runbook.pinnedAt !== null,
    removed: runbook.removedAt !== null,
  };
}

const signs: Record<DiffLine['kind'], string> = { same: ' ', added: '+', removed: '−' };

function lineView({ kind, from, to, text }: DiffLine): DiffLineView {
  return { kind, from, to, sign: signs[kind], text: visible(text) };
}

const plural = (n: number): string => `${n} ${n === 1 ? 'line' : 'lines'}`;
