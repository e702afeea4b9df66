import type { FeedDigest } from '../incident/events.ts';
import type { IncidentPlan } from '../incident/state.ts';
import { findEscalation, type PolicySubject, selectEscalation, selectSla } from '../policy-match.ts';
import { severities } from '../severity.ts';
import { concerns, nextBeginning, silencedUntil } from '../silences/silence.ts';
import { addBusiness, pausesAfter } from '../sla/business-time.ts';
import { alwaysOpen, businessCalendar } from '../sla/calendar.ts';
import type { SlaTimes } from '../sla/clock.ts';
import type { Configuration, FeedEntry, RehearsedAlert, RehearsedIncident } from './situation.ts';

/** A calendar that is hardly ever open pauses the clocks so long, as for a real incident. */
const hardlyOpenMs = 366 * 86_400_000;

/** Alerts of one reading that are told one by one to rules that wait for each (db/incident-feed.ts). */
const receivedLimit = 50;

/**
 * What a reading of the incident's feed at `now` says since `afterSeq`: as db/incident-feed.ts reads it from the
 * database, here from what is made up. A sequence number is a place in the feed, from 1.
 */
export function readRehearsedFeed(
  incident: RehearsedIncident,
  configuration: Configuration,
  { afterSeq, now }: { afterSeq: number; now: number },
): FeedDigest {
  const seen = incident.feed.filter(({ at }) => at <= now);
  const standing = lastOfEachAlert(seen);
  const alerts = standing.map(({ alert }) => alert);
  const firing = standing.filter((entry) => entry.firing).map(({ alert }) => alert);
  const subject = subjectOf(incident, seen);
  const joined = lastOfEachAlert(seen.slice(afterSeq)).filter((entry) => entry.firing);
  const known = new Set(seen.slice(0, afterSeq).map(({ alert }) => alert.id));
  const received = joined.map(({ alert }) => alert.id).filter((id) => !known.has(id));
  const silence = silencedUntil(
    configuration.silences,
    (firing.length > 0 ? firing : alerts).map((alert) => silenceable(alert, incident)),
    now,
  );
  return {
    seq: seen.length,
    title: titleOf(seen),
    service: subject.service,
    severity: subject.severity,
    openedAt: incident.openedAt,
    alertCount: standing.length,
    firingCount: firing.length,
    firingJoined: joined.length > 0,
    plan: planFor(subject, incident.openedAt, configuration),
    matches: [],
    ...(silence ? { silence } : {}),
    ...(waitsFor(configuration, 'alert.received') ? { received: received.slice(0, receivedLimit) } : {}),
  };
}

/**
 * When the feed can be read, from `now` on: without a policy for the incident a real reading fails, and is tried again
 * until there is one. Infinity: never.
 */
export function readableFrom(
  { team, feed }: RehearsedIncident,
  { policies }: Pick<Configuration, 'policies'>,
  now: number,
): number {
  const times = [now, ...feed.map(({ at }) => at).filter((at) => at > now)];
  const readable = times.find((time) => {
    const seen = feed.filter(({ at }) => at <= time);
    return findEscalation(policies, subjectOf({ team }, seen)) !== undefined;
  });
  return readable ?? Infinity;
}

/**
 * When silences that are for its alerts begin after its opening and up to `until`, in order: a real incident is told of
 * that, too, and reads its feed again (db/silences.ts, beginSilences).
 */
export function silenceBeginnings(
  incident: RehearsedIncident,
  { silences }: Pick<Configuration, 'silences'>,
  until: number,
): number[] {
  const alerts = lastOfEachAlert(incident.feed).map(({ alert }) => silenceable(alert, incident));
  const own = silences.filter((silence) => alerts.some((alert) => concerns(silence, alert)));
  const beginnings = own.flatMap((silence) => {
    const found: number[] = [];
    let at = nextBeginning(silence, incident.openedAt);
    while (at !== null && at <= until) {
      found.push(at);
      at = nextBeginning(silence, at);
    }
    return found;
  });
  return beginnings.sort((a, b) => a - b);
}

function silenceable({ name, service, labels }: RehearsedAlert, { team }: RehearsedIncident) {
  return { name, service, labels, team };
}

/** What policies and rules see of the incident once `seen` has arrived: it gets worse, and never better. */
export function subjectOf(
  incident: Pick<RehearsedIncident, 'team'>,
  seen: readonly FeedEntry[],
): PolicySubject {
  const alerts = seen.map(({ alert }) => alert);
  const first = alerts[0];
  return {
    severity: severities.find((severity) => alerts.some((alert) => alert.severity === severity)) ?? 'info',
    service: first?.service ?? null,
    alerts: [...new Set(alerts.map(({ name }) => name))],
    team: incident.team,
    labels: first?.labels ?? {},
  };
}

function planFor(subject: PolicySubject, openedAt: number, configuration: Configuration): IncidentPlan {
  const announced = new Set(
    configuration.rules.flatMap(({ definition }) => (definition.enabled ? definition.triggers : [])),
  );
  return {
    escalation: selectEscalation(configuration.policies, subject),
    sla: slaTimes(subject, openedAt, configuration),
    reopenWindowMs: configuration.reopenWindowMs,
    resolves: true,
    pattern: `${subject.alerts[0] ?? ''} ${subject.service ?? ''}`,
    announces: [...announced],
  };
}

function slaTimes(
  subject: PolicySubject,
  openedAt: number,
  { slaPolicies, calendars }: Configuration,
): SlaTimes | null {
  const selected = selectSla(slaPolicies, subject);
  if (!selected) return null;
  const { calendar: name, ...times } = selected;
  const definition = calendars.get(name);
  if (name === alwaysOpen || !definition) return times;
  const calendar = businessCalendar(definition);
  const longestMs = Math.max(times.acknowledgeMs, times.resolveMs);
  const end = addBusiness(calendar, openedAt, longestMs) ?? openedAt + hardlyOpenMs;
  return { ...times, pauses: pausesAfter(calendar, openedAt, end) };
}

function waitsFor({ rules }: Configuration, trigger: 'alert.received'): boolean {
  return rules.some(({ definition }) => definition.enabled && definition.triggers.includes(trigger));
}

function lastOfEachAlert(entries: readonly FeedEntry[]): FeedEntry[] {
  return [...new Map(entries.map((entry) => [entry.alert.id, entry])).values()];
}

function titleOf(seen: readonly FeedEntry[]): string {
  const first = seen[0]?.alert;
  if (!first) return '';
  return first.service === null ? first.name : `${first.name} on ${first.service}`;
}
