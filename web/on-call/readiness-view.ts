import type { ReadinessFinding } from '../../domain/readiness/readiness.ts';
import type { Mark } from '../layout/words.ts';
import { schedulePath } from './list-view.ts';

export interface FindingRow {
  mark: Mark;
  text: string;
  remedy: string;
  at: string | null;
  /** Where it is mended; null: elsewhere than on a page of it. */
  href: string | null;
  label: string;
}

const marks: Record<ReadinessFinding['severity'], Mark> = {
  critical: { word: 'Pages get lost', icon: 'critical', tone: 'critical' },
  warning: { word: 'May get lost', icon: 'warning', tone: 'warning' },
  info: { word: 'To tidy up', icon: 'info', tone: 'info' },
};

export function findingRow(finding: ReadinessFinding): FindingRow {
  const { severity, text, remedy, at } = finding;
  return {
    mark: marks[severity],
    text,
    remedy,
    at: at === null ? null : new Date(at).toISOString(),
    ...placeOf(finding),
  };
}

function placeOf({ kind, subject, schedule }: ReadinessFinding): Pick<FindingRow, 'href' | 'label'> {
  if (kind === 'policy_reaches_nobody' || kind === 'level_reaches_nobody') {
    return { href: `/settings/escalation-policies/${encodeURIComponent(subject)}`, label: subject };
  }
  return { href: schedule === null ? null : schedulePath(schedule), label: schedule ?? subject };
}
