import type { ChangeDetail, ChangeIncident, ChangeSummary } from '../../db/changes-read.ts';
import type { ChangeStatus } from '../../domain/changes/change.ts';
import { linkOf } from '../../domain/changes/report.ts';
import { changeWords } from '../../domain/changes/score.ts';
import type { RollbackSuggestion } from '../../domain/changes/suggest-rollback.ts';
import { changeSourceNames, changeTypeNames } from '../../domain/changes/words.ts';
import { nameOf, type People } from '../../domain/people.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import { changeMarks, type Mark, verdictMarks } from '../layout/words.ts';
import { type ChangeRow, changeRow, shortened } from './list-view.ts';

export interface ChangePageView {
  words: string;
  state: Mark;
  type: string;
  environment: string | null;
  at: string;
  url: string | null;
  /** To the sender's own page: 'At GitHub'. */
  linkWords: string;
  sentence: string;
  incidents: {
    number: number;
    href: string;
    title: string;
    openedAt: string;
    percent: string;
    /** 0 to 62: the width of its bar in pixels. */
    bar: number;
    reasons: string[];
    verdict: Mark | null;
    judgedBy: string | null;
    verdictAction: string;
    asOf: number;
    canConfirm: boolean;
    canDismiss: boolean;
  }[];
  rollbacks: {
    runbook: string;
    href: string;
    reasons: string[];
    values: { name: string; value: string }[];
  }[];
  facts: { name: string; value: string }[];
  receivedAt: string;
  others: ChangeRow[];
  othersHref: string | null;
}

export function changePageView(
  change: ChangeDetail,
  found: {
    rollbacks: RollbackSuggestion[];
    others: ChangeSummary[];
    mayJudge(incident: ChangeIncident): boolean;
    people: People;
  },
): ChangePageView {
  const facts: [string, string | null][] = [
    ['What changed', change.title],
    ['Service', change.service],
    ['Version', change.version],
    ['Before it', change.previousVersion],
    ['Environment', change.environment],
    ['Author', change.author],
    ...Object.entries(change.data).map(([name, value]): [string, string] => [name, String(value)]),
    ['Told by', change.sourceName ?? changeSourceNames[change.source]],
    ["Sender's id", change.externalId],
  ];
  const incident = change.incidents.find(({ verdict }) => verdict !== 'dismissed');
  return {
    words: visible(changeWords(change)),
    state: changeMarks[change.status],
    type: changeTypeNames[change.type],
    environment: change.environment === null ? null : visible(change.environment),
    at: change.at.toISOString(),
    url: linkOf(change.url),
    linkWords:
      change.source === 'manual' || change.source === 'generic'
        ? 'More about it'
        : `At ${changeSourceNames[change.source]}`,
    sentence: sentenceOf(change, found.people),
    incidents: change.incidents.map((each) =>
      incidentView(each, change.id, found.mayJudge(each), found.people),
    ),
    rollbacks: found.rollbacks.map((suggestion) =>
      rollbackView(suggestion, change.environment, incident?.number ?? null),
    ),
    facts: facts.flatMap(([name, value]) =>
      value === null ? [] : [{ name: visible(name), value: visible(value) }],
    ),
    receivedAt: change.receivedAt.toISOString(),
    others: found.others.map((other) => changeRow(other, found.people)),
    othersHref:
      change.service === null
        ? null
        : `/changes?${new URLSearchParams({ service: change.service, window: '90d' })}`,
  };
}

const ends: Record<ChangeStatus, string> = {
  started: 'it was still going on when it was last heard of',
  succeeded: 'it succeeded',
  failed: 'it failed',
  rolled_back: 'it was rolled back',
};

/** What it was, how it ended and what people say of it, as a person would write it. */
function sentenceOf(change: ChangeDetail, people: People): string {
  const place = change.environment === null ? '' : ` in ${visible(change.environment)}`;
  const author = change.author === null ? '' : ` by ${visible(nameOf(people, change.author))}`;
  const what = change.version === null ? '' : `: ${shortened(visible(change.title))}`;
  const first = `${changeTypeNames[change.type]}${place}${author}${what}; ${ends[change.status]}.`;
  const confirmed = change.incidents.filter(({ verdict }) => verdict === 'confirmed');
  const open = change.incidents.filter(({ verdict }) => verdict === null);
  const said = confirmed.length > 0 ? ` People say that it was behind ${numbers(confirmed)}.` : '';
  const asked = open.length > 0 ? ` It may be behind ${numbers(open)}: nobody has said yet.` : '';
  return first + said + asked;
}

function numbers(incidents: ChangeIncident[]): string {
  const shown = incidents.slice(0, 3).map(({ number }) => `#${number}`);
  const more = incidents.length > 3 ? [`${incidents.length - 3} more`] : [];
  return new Intl.ListFormat('en-GB').format([...shown, ...more]);
}

const barWidth = 62;

function incidentView(
  incident: ChangeIncident,
  changeId: number,
  mayJudge: boolean,
  people: People,
): ChangePageView['incidents'][number] {
  const { number, verdict } = incident;
  return {
    number,
    href: `/incidents/${number}/changes`,
    title: visible(incident.title),
    openedAt: incident.openedAt.toISOString(),
    percent: `${Math.round(incident.score * 100)} %`,
    bar: Math.max(2, Math.round(barWidth * Math.min(1, incident.score))),
    reasons: incident.reasons.map(visible),
    verdict: verdict && verdictMarks[verdict],
    judgedBy: incident.judgedBy === null ? null : nameOf(people, incident.judgedBy),
    verdictAction: `/incidents/${number}/changes/${changeId}/verdict`,
    asOf: incident.recordedSeq,
    canConfirm: mayJudge && verdict !== 'confirmed',
    canDismiss: mayJudge && verdict !== 'dismissed',
  };
}

/** The runbook's page with its form filled in; nothing runs before somebody presses there. */
export function rollbackHref(
  { runbook, inputs }: RollbackSuggestion,
  environment: string | null,
  incident: number | null,
): string {
  const parameters = new URLSearchParams({
    ...(incident === null ? {} : { incident: String(incident) }),
    ...(environment === null ? {} : { environment }),
  });
  for (const [name, value] of Object.entries(inputs)) parameters.set(`input.${name}`, value);
  const query = parameters.toString();
  return `/runbooks/${encodeURIComponent(runbook)}${query ? `?${query}` : ''}#run`;
}

function rollbackView(
  suggestion: RollbackSuggestion,
  environment: string | null,
  incident: number | null,
): ChangePageView['rollbacks'][number] {
  return {
    runbook: suggestion.runbook,
    href: rollbackHref(suggestion, environment, incident),
    reasons: suggestion.reasons.map(visible),
    values: Object.entries(suggestion.inputs).map(([name, value]) => ({ name, value: visible(value) })),
  };
}
