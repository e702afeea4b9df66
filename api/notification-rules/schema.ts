import { z } from 'zod';
import { notificationRule, notificationTriggers } from '../../domain/notification-rules/rule.ts';
import { templateFields } from '../../domain/notification-rules/template.ts';
import { readBack } from '../configuration.ts';
import { instant } from '../endpoint.ts';

export const notificationRuleShown = notificationRule;
export const notificationRuleBody = notificationRule.extend(readBack).meta({
  id: 'NotificationRule',
  description:
    `Whom to tell when something happens; every rule that matches tells its targets. \`template\` is a text of one's own ` +
    `above the message, with ${templateFields.map((field) => `\`{{${field}}}\``).join(', ')} filled in as plain text`,
});

export const previewBody = z.object({
  name: z.string().max(100).default('preview').meta({ description: 'What the rule is called' }),
  rule: notificationRule,
});

const trigger = z.enum(notificationTriggers);

export const previewShown = z
  .object({
    since: instant.meta({ description: '30 days ago' }),
    cut: z
      .boolean()
      .meta({ description: 'There were more than 5,000 of a trigger: older ones are left out' }),
    events: z.int().meta({ description: 'What happened of what the rule waits for' }),
    matched: z.int().meta({ description: 'And told' }),
    heldBack: z
      .int()
      .meta({ description: 'Matched, but silences that held then kept it from being told, then and since' }),
    messages: z.int().meta({ description: 'One for each target of each event that matched' }),
    targets: z.array(z.object({ target: z.string(), messages: z.int() })),
    triggers: z.array(z.object({ trigger, events: z.int(), matched: z.int() })),
    newest: z
      .array(
        z.object({
          trigger,
          at: instant,
          title: z.string(),
          incidentNumber: z.int().nullable(),
          reasons: z.array(z.string()).meta({ description: 'The conditions, each with what held' }),
          note: z.string().nullable().meta({ description: "The rule's own text, filled in" }),
        }),
      )
      .meta({ description: 'The latest 50 that matched' }),
    misses: z
      .array(z.object({ reason: z.string(), events: z.int() }))
      .meta({ description: 'Why others did not match, the most frequent first' }),
  })
  .meta({ id: 'NotificationRulePreview', description: 'What a rule would have made of the last 30 days' });
