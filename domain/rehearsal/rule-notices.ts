import { targetName } from '../escalation/pages.ts';
import { resolveTargets } from '../escalation/resolve.ts';
import type { Announcement, Notice } from '../incident/state.ts';
import type { NotificationCause } from '../notification.ts';
import { evaluateRules } from '../notification-rules/evaluate.ts';
import type { RuleEvent } from '../notification-rules/rule.ts';
import { subjectOf } from './feed.ts';
import type { Configuration, RehearsedIncident } from './situation.ts';

/**
 * The messages that rules call for when something has happened, as activities/announce.ts answers them: one for each
 * target, told by the first rule that names it; whoever a schedule names is told as a person.
 */
export function ruleNotices(
  incident: RehearsedIncident,
  { rules, directory }: Configuration,
  { trigger, occurrence, at }: Announcement,
): Omit<Notice, 'type'>[] {
  const event: RuleEvent = { ...ruleSubject(incident, { trigger, occurrence, at }), trigger, at };
  const told = new Set<string>();
  const notices: Omit<Notice, 'type'>[] = [];
  for (const { rule, matched, reasons, targets } of evaluateRules(rules, event)) {
    if (!matched) continue;
    for (const [index, target] of targets.entries()) {
      const key = `rule:${trigger}:${occurrence}:${rule}:${index}`;
      const cause: NotificationCause = {
        event: trigger,
        at: new Date(at).toISOString(),
        rule: { name: rule, reasons },
      };
      const [resolved] = resolveTargets(directory, [target], event.severity ?? 'info', at);
      const found =
        target.type === 'schedule'
          ? (resolved?.people ?? []).map(({ email, entry }, n) => ({
              key: `${key}.${n}`,
              target: { type: 'user' as const, email },
              cause: entry ? { ...cause, entry } : cause,
            }))
          : [{ key, target, cause }];
      for (const notice of found) {
        const name = targetName(notice.target).toLowerCase();
        if (told.has(name)) continue;
        told.add(name);
        notices.push({ ...notice, detail: { rule } });
      }
    }
  }
  return notices;
}

/** Of an alert that has been received it is that alert, of everything else the incident as it stands then. */
function ruleSubject(incident: RehearsedIncident, { trigger, occurrence, at }: Announcement) {
  const seen = incident.feed.filter((entry) => entry.at <= at);
  const received =
    trigger === 'alert.received' ? seen.find(({ alert }) => String(alert.id) === occurrence) : undefined;
  const { severity, service, team, labels, alerts } = subjectOf(incident, received ? [received] : seen);
  return { severity, service, team, labels, alerts };
}
