import type { NotificationType } from '../notification.ts';
import type { FeedDigest, IncidentEvent } from './events.ts';
import type { AnnouncedTrigger, Announcement, IncidentState, Notice, TimelineEntry } from './state.ts';
import { holdfast, tell } from './story.ts';

/**
 * What rules of notification are asked about: what the story tells of, where a rule waits for it. Each line of the
 * story is one occurrence, so that the keys of the messages follow from it.
 */

const triggers: Readonly<Record<string, AnnouncedTrigger>> = {
  reopened: 'incident.opened',
  root_cause: 'incident.root_cause_found',
  acknowledged: 'incident.acknowledged',
  resolved: 'incident.resolved',
  false_positive: 'incident.resolved',
  merged: 'incident.resolved',
  sla_at_risk: 'sla.at_risk',
  sla_breached: 'sla.breached',
};

function triggerOf({ kind, data }: TimelineEntry): AnnouncedTrigger | undefined {
  // what was noted there stands there
  if (kind === 'note')
    return data.via === undefined || data.via === 'pagerduty' ? undefined : 'incident.noted';
  return triggers[kind];
}

/** No silence keeps it from where the incident was told of. */
export const wakesNobody = (type: NotificationType): boolean => type === 'incident.noted';

export const announceKey = ({ trigger, occurrence }: Announcement): string =>
  `announce:${trigger}:${occurrence}`;

/**
 * Of what has been told since `before`. What comes and goes while it is silenced is not announced; of what people were told
 * of before, the end is.
 */
export function announceTold(before: IncidentState, after: IncidentState): IncidentState {
  const awaited = after.plan?.announces;
  if (awaited === undefined || awaited.length === 0 || after.seq === before.seq) return after;
  const endsSilenced = after.resolved !== null && before.silence !== null;
  const notes = after.announcements.filter(({ trigger }) => wakesNobody(trigger));
  if (endsSilenced && before.silence?.fromTheStart) return { ...after, announcements: notes };
  const told = after.outbox.flatMap((entry): Announcement[] => {
    const { seq, at } = entry;
    const trigger = seq > before.seq ? triggerOf(entry) : undefined;
    return trigger !== undefined && awaited.includes(trigger)
      ? [{ trigger, occurrence: String(seq), at }]
      : [];
  });
  if (endsSilenced) {
    const ends = told.filter(({ trigger }) => trigger === 'incident.resolved');
    return { ...after, announcements: [...notes, ...ends] };
  }
  return told.length === 0 ? after : { ...after, announcements: [...after.announcements, ...told] };
}

/** So many alerts wait to be announced at most: a silence of hours must not end in a flood of what came meanwhile. */
const mostReceived = 100;
/** Rules are asked about so many at once: Temporal stops a workflow with thousands of activities under way. */
const mostAtOnce = 50;

/** Of what rules are to be asked about, what may be begun beside what is under way; in a silence, what wakes nobody. */
export function announcementsToBegin({ announcements, inFlight, silence }: IncidentState): Announcement[] {
  const underWay = announcements.filter((each) => inFlight.includes(announceKey(each)));
  const waiting = announcements.filter(
    (each) => !underWay.includes(each) && (silence === null || wakesNobody(each.trigger)),
  );
  return waiting.slice(0, Math.max(0, mostAtOnce - underWay.length));
}

/** What a reading of the feed brings that is no line of the story. */
export function announceRead(
  state: IncidentState,
  { received = [] }: Pick<FeedDigest, 'received'>,
  { opened, at }: { opened: boolean; at: number },
): IncidentState {
  const awaited = state.plan?.announces ?? [];
  const found: Announcement[] = [];
  if (opened && awaited.includes('incident.opened')) {
    found.push({ trigger: 'incident.opened', occurrence: '0', at: state.openedAt });
  }
  if (awaited.includes('alert.received')) {
    const waiting = state.announcements.filter(({ trigger }) => trigger === 'alert.received').length;
    for (const id of received.slice(0, Math.max(0, mostReceived - waiting))) {
      found.push({ trigger: 'alert.received', occurrence: String(id), at });
    }
  }
  return found.length === 0 ? state : { ...state, announcements: [...state.announcements, ...found] };
}

/** Rules have answered: what they call for is owed to people now. */
export function applyAnnounced(
  state: IncidentState,
  { key, notices }: Extract<IncidentEvent, { type: 'announced' }>,
): IncidentState {
  const answered = state.announcements.find((each) => announceKey(each) === key);
  if (!answered) return state;
  const owed = notices.map<Notice>((notice) => ({ ...notice, type: answered.trigger, dueAt: answered.at }));
  return { ...withoutAnnouncement(state, key), notices: [...state.notices, ...owed] };
}

export function applyAnnounceFailed(
  state: IncidentState,
  { key, at, reason }: { key: string; at: number; reason: string },
): IncidentState {
  const summary = `The rules of notification could not be asked: ${reason}`;
  return tell(withoutAnnouncement(state, key), at, 'notification_failed', holdfast, summary);
}

function withoutAnnouncement(state: IncidentState, key: string): IncidentState {
  return { ...state, announcements: state.announcements.filter((each) => announceKey(each) !== key) };
}
