import type { Announcement, Notice } from '../incident/state.ts';
import { evaluateRules } from '../notification-rules/evaluate.ts';
import { noticesCalledFor } from '../notification-rules/notices.ts';
import { subjectOf } from './feed.ts';
import type { Configuration, RehearsedIncident } from './situation.ts';

/** The messages that rules call for when something has happened, as activities/announce.ts answers them. */
export function ruleNotices(
  incident: RehearsedIncident,
  { rules, directory }: Configuration,
  { trigger, occurrence, at }: Announcement,
): Omit<Notice, 'type'>[] {
  // no rule can wait for it
  if (trigger === 'incident.noted') return [];
  const event = { ...ruleSubject(incident, { trigger, occurrence, at }), trigger, at };
  const matched = evaluateRules(rules, event).filter((verdict) => verdict.matched);
  return noticesCalledFor(matched, directory, event, occurrence).called.map(({ verdict, ...notice }) => ({
    ...notice,
    detail: { rule: verdict.rule },
  }));
}

/** Of an alert that has been received it is that alert, of everything else the incident as it stands then. */
function ruleSubject(incident: RehearsedIncident, { trigger, occurrence, at }: Announcement) {
  const seen = incident.feed.filter((entry) => entry.at <= at);
  const received =
    trigger === 'alert.received' ? seen.find(({ alert }) => String(alert.id) === occurrence) : undefined;
  const { severity, service, team, labels, alerts } = subjectOf(incident, received ? [received] : seen);
  return { severity, service, team, labels, alerts };
}
