import { type PastEvent, previewRule, type RulePreview } from '../domain/notification-rules/preview.ts';
import type { NotificationRule } from '../domain/notification-rules/rule.ts';

/** A rule to try, and what it is tried on, newest first. */
export interface RuleToTry {
  name: string;
  rule: NotificationRule;
  events: PastEvent[];
}

/** What a thread of notification-rule-preview.ts runs. */
export default function tryRule({ name, rule, events }: RuleToTry): RulePreview {
  return previewRule(name, rule, events);
}
