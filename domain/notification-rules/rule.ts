import { z } from 'zod';
import { type EscalationTarget, escalationTarget, glob } from '../policies.ts';
import { type Severity, severities } from '../severity.ts';
import { weeklyWindow } from '../weekly-window.ts';
import { templateFields, unknownFields } from './template.ts';

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
      hours: weeklyWindow.optional(),
    })
    .default({}),
  targets: z.array(escalationTarget).min(1, 'name at least one target').max(20),
  /** A line of one's own above the message; `{{incident.number}}` and the like are filled in as text. */
  template: z
    .string()
    .max(2000)
    .superRefine((text, context) => {
      const unknown = unknownFields(text);
      if (unknown.length === 0) return;
      const named = unknown.map((field) => `'${field}'`).join(', ');
      context.addIssue({
        code: 'custom',
        message: `there is no field ${named}: write one of ${templateFields.join(', ')}`,
      });
    })
    .optional(),
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
