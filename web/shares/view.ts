import type { IncidentAlert, IncidentHead, TimelineEntry } from '../../db/incident-detail.ts';
import type { IncidentChange } from '../../db/incident-evidence.ts';
import type { NotificationRecord } from '../../db/notifications-read.ts';
import type { ShareRecord } from '../../db/shares.ts';
import { changeWords } from '../../domain/changes/score.ts';
import type { Piece } from '../../domain/incident-sentence.ts';
import { nameOf, type People } from '../../domain/people.ts';
import { headView } from '../incidents/head-view.ts';
import { type TimelineView, timelineView } from '../incidents/timeline-view.ts';
import { alertMarks, type Mark, severityMarks } from '../layout/words.ts';
import { forStrangers, sharedSummary } from './story.ts';

/**
 * What people without an account see of an incident: what is wrong, where it comes from, what was done. No label, log
 * line, metric, mail address or reason of the machine, no title of another team's change, and no way on into Holdfast.
 */
export interface SharedView {
  number: number;
  title: string;
  sentence: Piece[];
  severity: Mark;
  state: Mark;
  openedAt: string;
  cause: { service: string; sure: string; isSaid: boolean } | null;
  services: string[];
  changes: { words: string; at: string; percent: string; confirmed: boolean }[];
  alerts: { name: string; severity: Mark; state: Mark; service: string | null; at: string }[];
  moreAlerts: number;
  timeline: Omit<TimelineView, 'why'>[];
  expiresAt: string;
  readAt: string;
}

export interface SharedInput {
  incident: IncidentHead;
  changes: IncidentChange[];
  alerts: IncidentAlert[];
  /** Newest first. */
  timeline: TimelineEntry[];
  notifications: NotificationRecord[];
  people: People;
  expiresAt: Date;
  now: number;
}

export function sharedView(input: SharedInput): SharedView {
  const { incident, people, now } = input;
  const masked = (text: string) => forStrangers(people, text);
  const head = headView(input, 'timeline');
  return {
    number: incident.number,
    title: masked(incident.title),
    sentence: head.sentence.map((piece) => pieceFor(piece, masked)),
    severity: head.severity,
    state: head.state,
    openedAt: head.openedAt,
    cause: causeOf(input, masked),
    services: incident.services.map(({ service }) => masked(service)),
    changes: input.changes
      .filter(({ verdict }) => verdict !== 'dismissed')
      .map((change) => ({
        words: masked(changeFor(change, incident.teamId)),
        at: change.at.toISOString(),
        percent: `${Math.round(change.score * 100)} %`,
        confirmed: change.verdict === 'confirmed',
      })),
    alerts: input.alerts.map((alert) => ({
      name: masked(alert.name),
      severity: severityMarks[alert.severity],
      state: alertMarks[alert.status],
      service: alert.service === null ? null : masked(alert.service),
      at: alert.receivedAt.toISOString(),
    })),
    moreAlerts: Math.max(0, incident.alertCount - input.alerts.length),
    timeline: input.timeline.flatMap((entry) => {
      const summary = sharedSummary(entry, people);
      if (summary === null) return [];
      const { why: _, ...view } = timelineView(entry, people);
      return [{ ...view, actor: masked(view.actor), summary }];
    }),
    expiresAt: input.expiresAt.toISOString(),
    readAt: new Date(now).toISOString(),
  };
}

/** A change of another team's is none of those that share the incident to tell of. */
function changeFor(change: IncidentChange, teamId: string | null): string {
  if (change.teamId === null || change.teamId === teamId) return changeWords(change);
  return change.service === null ? 'a change' : `a change of ${change.service}`;
}

function causeOf({ incident }: SharedInput, masked: (text: string) => string): SharedView['cause'] {
  const { causeService, causeConfidence, causeBy } = incident;
  if (causeService === null) return null;
  return {
    service: masked(causeService),
    sure: causeBy === null ? `${Math.round((causeConfidence ?? 0) * 100)} % sure` : `says ${masked(causeBy)}`,
    isSaid: causeBy !== null,
  };
}

/** A stranger is not led to pages that ask for an account. */
function pieceFor(piece: Piece, masked: (text: string) => string): Piece {
  if ('clock' in piece) return piece;
  if ('strong' in piece) return { strong: masked(piece.strong) };
  return { text: masked(piece.text) };
}

/** The links that work on an incident, for those who may revoke them. */
export interface ShareListView {
  number: number;
  title: string;
  path: string;
  shares: {
    id: string;
    createdBy: string;
    createdAt: string;
    expiresAt: string;
    revoked: boolean;
    opened: number;
    lastOpenedAt: string | null;
  }[];
  /** Of the link that was just made: shown once. */
  newLink: { url: string; expiresAt: string } | null;
  problem: string | null;
  choices: { value: string; label: string; selected: boolean }[];
}

export const shareLengths = [
  { value: '1d', label: '1 day' },
  { value: '7d', label: '7 days' },
  { value: '30d', label: '30 days' },
] as const;

export function shareListView(
  incident: { number: number; title: string },
  shares: readonly ShareRecord[],
  people: People,
  given: Pick<ShareListView, 'newLink' | 'problem'>,
): ShareListView {
  return {
    number: incident.number,
    title: incident.title,
    path: `/incidents/${incident.number}`,
    shares: shares.map((share) => ({
      id: share.id,
      createdBy: nameOf(people, share.createdBy),
      createdAt: share.createdAt.toISOString(),
      expiresAt: share.expiresAt.toISOString(),
      revoked: share.revokedAt !== null,
      opened: share.opened,
      lastOpenedAt: share.lastOpenedAt?.toISOString() ?? null,
    })),
    ...given,
    choices: shareLengths.map((length) => ({ ...length, selected: length.value === '7d' })),
  };
}
