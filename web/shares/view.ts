import type { IncidentAlert, IncidentHead, TimelineEntry } from '../../db/incident-detail.ts';
import type { IncidentAnalysis, IncidentChange } from '../../db/incident-evidence.ts';
import type { NotificationRecord } from '../../db/notifications-read.ts';
import type { ShareRecord } from '../../db/shares.ts';
import { changeWords } from '../../domain/changes/score.ts';
import type { Piece } from '../../domain/incident-sentence.ts';
import { nameOf, type People, withNames } from '../../domain/people.ts';
import { headView } from '../incidents/head-view.ts';
import { type TimelineView, timelineView } from '../incidents/timeline-view.ts';
import { alertMarks, type Mark, severityMarks } from '../layout/words.ts';

/**
 * What people without an account see of an incident: what is wrong, why, what was done. No label, log line, metric
 * or mail address, and no way on into Holdfast.
 */
export interface SharedView {
  number: number;
  title: string;
  sentence: Piece[];
  severity: Mark;
  state: Mark;
  openedAt: string;
  cause: { service: string; sure: string; reasons: string[] } | null;
  services: string[];
  changes: { words: string; at: string; percent: string; confirmed: boolean }[];
  alerts: { name: string; severity: Mark; state: Mark; service: string | null; at: string }[];
  moreAlerts: number;
  timeline: TimelineView[];
  expiresAt: string;
  readAt: string;
}

export interface SharedInput {
  incident: IncidentHead;
  analysis: IncidentAnalysis;
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
  const head = headView(input, 'timeline');
  return {
    number: incident.number,
    title: incident.title,
    sentence: head.sentence.map(forStrangers),
    severity: head.severity,
    state: head.state,
    openedAt: head.openedAt,
    cause: causeOf(input),
    services: incident.services.map(({ service }) => service),
    changes: input.changes
      .filter(({ verdict }) => verdict !== 'dismissed')
      .map((change) => ({
        words: withoutAddresses(changeWords(change)),
        at: change.at.toISOString(),
        percent: `${Math.round(change.score * 100)} %`,
        confirmed: change.verdict === 'confirmed',
      })),
    alerts: input.alerts.map((alert) => ({
      name: alert.name,
      severity: severityMarks[alert.severity],
      state: alertMarks[alert.status],
      service: alert.service,
      at: alert.receivedAt.toISOString(),
    })),
    moreAlerts: Math.max(0, incident.alertCount - input.alerts.length),
    timeline: input.timeline.map((entry) => timelineOf(entry, people)),
    expiresAt: input.expiresAt.toISOString(),
    readAt: new Date(now).toISOString(),
  };
}

function causeOf({ incident, analysis, people }: SharedInput): SharedView['cause'] {
  const { causeService, causeConfidence, causeBy } = incident;
  if (causeService === null) return null;
  return {
    service: causeService,
    sure:
      causeBy === null
        ? `${Math.round((causeConfidence ?? 0) * 100)} % sure`
        : `says ${withoutAddresses(nameOf(people, causeBy))}`,
    reasons: analysis.causes.find(({ service }) => service === causeService)?.reasons ?? [],
  };
}

function timelineOf(entry: TimelineEntry, people: People): TimelineView {
  const view = timelineView(entry, people);
  return {
    ...view,
    actor: withoutAddresses(view.actor),
    summary: withoutAddresses(withNames(people, view.summary)),
    why: view.why === null ? null : withoutAddresses(withNames(people, view.why)),
  };
}

/** A stranger is not led to pages that ask for an account. */
function forStrangers(piece: Piece): Piece {
  if ('clock' in piece) return piece;
  if ('strong' in piece) return { strong: withoutAddresses(piece.strong) };
  return { text: withoutAddresses(piece.text) };
}

/** 'ana@example.com' reads 'ana@…'. */
const withoutAddresses = (text: string): string => text.replace(/([^\s,()<>]+)@[^\s,()<>]+/g, '$1@…');

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
