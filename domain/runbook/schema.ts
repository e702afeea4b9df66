import { z } from 'zod';
import { severities } from '../severity.ts';
import { inputTypes } from './definition.ts';
import { execution, hours } from './execution-rules.ts';
import type { KnownKeys } from './problems.ts';
import { knownStepKeys, publishedStep, publishedVerifyStep } from './step-schema.ts';
import { runbookName, variableName } from './step-types/runbook.ts';
import { flag, scalar, seconds, secretReference, text } from './written.ts';

/**
 * A runbook's YAML as people write it. This validates it, and runbooks/runbook.schema.json is made from it, so
 * that an editor completes what the loader accepts. Each rule's message says what to write instead.
 */

const trigger = z
  .strictObject({
    alert_pattern: text('alert_pattern', 200).describe(
      "Name of the alert (its label alertname) as a glob: 'ServiceDown*'.",
    ),
    severity: z
      .union(
        [z.enum(severities), z.array(z.enum(severities)).min(1)],
        `write severity as one or a list of: ${severities.join(', ')}`,
      )
      .optional()
      .describe('Only alerts of these severities; absent: any.'),
    min_duration_seconds: seconds(0, 'min_duration_seconds')
      .default(0)
      .describe('How long the alert has to fire first.'),
    labels: z
      .record(
        z.string(),
        z.union(
          [z.string().max(300, 'write a glob of at most 300 characters'), z.number(), z.boolean()],
          'write a glob as a text, a number, or true or false',
        ),
      )
      .optional()
      .describe('Label name → glob that its value must match, all of them.'),
  })
  .describe('Which alerts call this runbook. All of a trigger must hold; any trigger suffices.');

const input = z
  .strictObject({
    description: text('description', 500).optional(),
    type: z
      .enum(inputTypes, `write type as one of: ${inputTypes.join(', ')}`)
      .default('text')
      .describe('text takes anything; values of the others are checked before anything runs.'),
    options: z
      .array(scalar, 'write options as a list')
      .min(1, 'options needs at least one value')
      .max(200)
      .optional()
      .describe('The values that it may have.'),
    pattern: text('pattern', 500)
      .optional()
      .describe('A regular expression that the whole value must match.'),
    required: flag('required').optional().describe('Default: true, unless there is a default value.'),
    default: scalar.optional(),
    from_label: z
      .string()
      .regex(variableName, 'write from_label as the name of an alert label')
      .optional()
      .describe("The alert label that gives the value; absent: the label of the input's own name."),
    from_secret: secretReference('from_secret')
      .optional()
      .describe(
        'Where the value is read when a step needs it: env:NAME, file:NAME or ssm:/path. Nobody gives it.',
      ),
    allow_leading_dash: flag('allow_leading_dash')
      .default(false)
      .describe("A value such as '-rf' reads as an option to most commands and is refused otherwise."),
    secret: flag('secret').default(false).describe('Masked wherever the step and its output are shown.'),
  })
  .describe('A variable of the steps.');

export type WrittenInput = z.output<typeof input> | null;

const runbookKeys = {
  name: runbookName,
  description: text('description', 2000).default(''),
  category: text('category', 100).optional(),
  tags: z.array(text('a tag', 50), 'write tags as a list').max(50).default([]),
  triggers: z.array(trigger, 'write triggers as a list').max(50).default([]),
  inputs: z
    .record(
      z.string().regex(variableName, 'an input name holds letters, digits and _ alone'),
      input.nullable(),
    )
    .default({}),
  execution: execution.prefault({}),
};

const stepList = <S extends z.ZodType>(step: S) =>
  z
    .array(step, 'write steps as a list')
    .min(1, 'a runbook needs at least one step')
    .max(50, 'a runbook may have at most 50 steps');
const verifyList = <S extends z.ZodType>(step: S) =>
  z
    .array(step, 'write verify as a list of steps')
    .max(20, 'a runbook may have at most 20 verification steps')
    .default([])
    .describe('Steps after the last one, without rollback; when one fails, everything is undone.');

/** The runbook around its steps; each step is validated by its type (steps.ts). */
export const runbookFrame = z.strictObject({
  ...runbookKeys,
  steps: stepList(z.unknown()),
  verify: verifyList(z.unknown()),
});
export type RunbookFrame = z.infer<typeof runbookFrame>;

/** The whole file in one schema: what the published JSON Schema is made from. */
const runbookFile = z.strictObject({
  ...runbookKeys,
  steps: stepList(publishedStep),
  verify: verifyList(publishedVerifyStep),
});

const frameKeys = Object.keys(runbookFrame.shape);
const innerKeys: Record<string, readonly string[]> = {
  triggers: Object.keys(trigger.shape),
  inputs: Object.keys(input.shape),
  execution: Object.keys(execution.shape),
};
const hoursKeys = Object.keys(hours.shape);
export const knownKeys: KnownKeys = {
  here: (place) =>
    place.includes('hours') ? hoursKeys : place.length === 0 ? frameKeys : (innerKeys[place[0] ?? ''] ?? []),
  anywhere: [...frameKeys, ...Object.values(innerKeys).flat(), ...hoursKeys, ...knownStepKeys],
};

/** The JSON Schema (2020-12) of a runbook file. */
export function runbookJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(runbookFile, {
    target: 'draft-2020-12',
    io: 'input',
    reused: 'inline',
    unrepresentable: 'any',
  });
  return { ...schema, $id: '/schemas/runbook.json', title: 'Holdfast runbook' };
}
