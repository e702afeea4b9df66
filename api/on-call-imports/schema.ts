import { z } from 'zod';
import { onCallSchedule } from '../../domain/oncall/schedule.ts';
import { importSources } from '../../domain/oncall-import/plan.ts';
import { escalationPolicy } from '../../domain/policies.ts';

const given = {
  source: z.enum(importSources),
  export: z.unknown().meta({
    description:
      'The answers of the other API in one object: grafana-oncall: `users`, `schedules`, `on_call_shifts`, `escalation_chains`, `escalation_policies`; pagerduty: `users`, `schedules`, `escalation_policies`; opsgenie: `users`, `schedules`, `escalations`',
  }),
};

export const importPlanBody = z.strictObject(given);

export const importBody = z.strictObject({
  ...given,
  hash: z.string().max(100).meta({ description: 'Of the plan that you saw' }),
  createPeople: z
    .boolean()
    .default(false)
    .meta({ description: 'Add whoever is no user here yet, as an Operator; needs an Owner' }),
});

const change = z.enum(['create', 'replace', 'same']);
const planned = {
  name: z.string(),
  title: z.string().meta({ description: 'As it is called there' }),
  change,
};

export const importPlanShown = z
  .object({
    hash: z.string().meta({ description: 'Give it to apply just this plan' }),
    source: z.enum(importSources),
    schedules: z.array(z.object({ ...planned, definition: onCallSchedule })),
    policies: z.array(z.object({ ...planned, definition: escalationPolicy })),
    people: z.array(z.object({ email: z.string(), name: z.string(), change: z.enum(['create', 'same']) })),
    problems: z
      .array(z.object({ where: z.string(), message: z.string() }))
      .meta({ description: 'What cannot be carried over, or only in part' }),
  })
  .meta({ id: 'OnCallImportPlan', description: 'What importing an export would do' });
