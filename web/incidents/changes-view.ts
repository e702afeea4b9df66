import type { IncidentChange } from '../../db/incident-evidence.ts';
import type { ChangeStatus } from '../../domain/changes/change.ts';
import { changeWords } from '../../domain/changes/score.ts';
import { suggestRollback } from '../../domain/changes/suggest-rollback.ts';
import { changeSourceNames, changeTypeNames } from '../../domain/changes/words.ts';
import { formatDuration } from '../../domain/duration.ts';
import { nameOf, type People } from '../../domain/people.ts';
import type { RunbookDefinition } from '../../domain/runbook/definition.ts';
import { rollbackHref } from '../changes/show-view.ts';
import { type Mark, verdictMarks } from '../layout/words.ts';
import { webUrl } from './evidence-view.ts';

/** The tab of the changes that may be behind an incident. */
export interface ChangesTabView {
  changes: ChangeView[];
}

export interface ChangeView {
  id: number;
  href: string;
  words: string;
  /** Null where `words` say it already. */
  title: string | null;
  /** '–' where a person named it and nothing was scored. */
  percent: string;
  /** 0 to 62: the width of its bar in pixels. */
  bar: number;
  /** 'a deployment to production by ana, succeeded' */
  what: string;
  source: string;
  sourceHref: string | null;
  at: string;
  /** '15 min before it opened'. */
  when: string;
  reasons: string[];
  verdict: Mark | null;
  judgedBy: string | null;
  /** What a person may still say of it. */
  canConfirm: boolean;
  canDismiss: boolean;
  dismissed: boolean;
  rollback: RollbackView | null;
}

export interface RollbackView {
  runbook: string;
  href: string;
}

const barWidth = 62;

export interface ChangesInput {
  incident: { number: number; openedAt: Date };
  changes: readonly IncidentChange[];
  people: People;
  /** Runbooks that may take a change back. */
  definitions: readonly RunbookDefinition[];
}

export function changesTabView({ incident, changes, people, definitions }: ChangesInput): ChangesTabView {
  return {
    changes: changes.map((change) => ({
      id: change.id,
      href: `/changes/${change.id}`,
      words: changeWords(change),
      title: change.version === null ? null : change.title,
      percent: change.score > 0 ? `${Math.round(change.score * 100)} %` : '–',
      bar: Math.max(2, Math.round(barWidth * Math.min(1, change.score))),
      what: whatItWas(change, people),
      source: changeSourceNames[change.source],
      sourceHref: webUrl(change.url),
      at: change.at.toISOString(),
      when: when(change.at, incident.openedAt),
      reasons: change.reasons,
      verdict: change.verdict && verdictMarks[change.verdict],
      judgedBy: change.judgedBy === null ? null : nameOf(people, change.judgedBy),
      canConfirm: change.verdict !== 'confirmed',
      canDismiss: change.verdict !== 'dismissed',
      dismissed: change.verdict === 'dismissed',
      rollback: change.verdict === 'dismissed' ? null : rollbackOf(change, incident.number, definitions),
    })),
  };
}

/** The likeliest runbook that takes it back, its form filled in. */
function rollbackOf(
  change: IncidentChange,
  number: number,
  definitions: readonly RunbookDefinition[],
): RollbackView | null {
  const [best] = suggestRollback(definitions, change);
  if (!best) return null;
  return { runbook: best.runbook, href: rollbackHref(best, change.environment, number) };
}

const statusWords: Record<ChangeStatus, string> = {
  started: 'still going on',
  succeeded: 'succeeded',
  failed: 'failed',
  rolled_back: 'rolled back',
};

function whatItWas(change: IncidentChange, people: People): string {
  const place = change.environment === null ? '' : ` to ${change.environment}`;
  const author = change.author === null ? '' : ` by ${nameOf(people, change.author)}`;
  return `${changeTypeNames[change.type]}${place}${author}, ${statusWords[change.status]}`;
}

/** '15 min before it opened': the reasons of its score count from the first alert, whose sender has its own clock. */
function when(at: Date, openedAt: Date): string {
  const gap = openedAt.getTime() - at.getTime();
  if (Math.abs(gap) < 60_000) return 'in the same minute';
  return gap > 0 ? `${formatDuration(gap)} before it opened` : `${formatDuration(-gap)} after it opened`;
}
