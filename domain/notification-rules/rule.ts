import { z } from 'zod';
import { weekdays } from '../oncall/schedule.ts';
import { type EscalationTarget, escalationTarget, glob } from '../policies.ts';
import { type Severity, severities } from '../severity.ts';
import { timeZone } from '../time-zone.ts';

/** What a rule can wait for. */
export const notificationTriggers = [
  'alert.received',
  'incident.opened',
  'incident.root_cause_found',
  'incident.acknowledged',
  'incident.resolved',
  'approval.needed',
  'execution.succeeded',
  'execution.failed',
  'execution.rolled_back',
  'sla.at_risk',
  'sla.breached',
  'forecast',
  'report.sla',
  'report.capacity',
] as const;
export type NotificationTrigger = (typeof notificationTriggers)[number];

export const notificationRule = z.strictObject({
  enabled: z.boolean().default(true),
  triggers: z.array(z.enum(notificationTriggers)).min(1, 'name at least one trigger'),
  /** All that is named must hold; `service`, `alert` and label values are globs. */
  when: z
    .strictObject({
      severities: z.array(z.enum(severities)).min(1).optional(),
      service: glob.optional(),
      alert: glob.optional(),
      /** Slug. */
      team: z.string().max(100).optional(),
      labels: z.record(z.string().max(200), glob).optional(),
      /** Only at these times of the week. */
      hours: z
        .strictObject({
          timeZone,
          days: z.array(z.enum(weekdays)).min(1),
          from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
          to: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
        })
        .optional(),
    })
    .default({}),
  targets: z.array(escalationTarget).min(1, 'name at least one target').max(20),
  /** A line of one's own above the message; `{{incident.number}}` and the like are filled in as text. */
  template: z.string().max(2000).optional(),
  order: z.int().min(0).max(10_000).default(100),
});
export type NotificationRule = z.infer<typeof notificationRule>;

/** What happened, as rules see it. */
export interface RuleEvent {
  trigger: NotificationTrigger;
  /** Epoch milliseconds. */
  at: number;
  severity: Severity | null;
  service: string | null;
  /** Slug. */
  team: string | null;
  alerts: string[];
  labels: Record<string, string>;
}

/** One rule's answer, with its reasons for people. */
export interface RuleVerdict {
  rule: string;
  matched: boolean;
  reasons: string[];
  targets: EscalationTarget[];
  template: string | null;
}
