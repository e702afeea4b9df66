import { z } from 'zod';
import { severities } from '../severity.ts';
import { httpMethods, type JsonValue, runbookModes } from './definition.ts';

/**
 * A runbook's YAML as people write it. This validates it, and runbooks/runbook.schema.json is made from it, so
 * that an editor completes what the loader accepts. Each rule's message says what to write instead.
 */

const seconds = (least: number, what: string) =>
  z
    .number(`write ${what} as a number of seconds`)
    .min(least, `${what} must be at least ${least} seconds`)
    .max(86_400, `${what} must be at most 86400 seconds (a day)`);
const text = (what: string, longest: number) =>
  z
    .string(`write ${what} as text`)
    .min(1, `${what} must not be empty`)
    .max(longest, `${what} must be at most ${longest} characters`);
const flag = (what: string) => z.boolean(`write ${what} as true or false`);
/** YAML reads `8080` and `true` as a number and a boolean; as a value of a variable they are text. */
const scalar = z.union(
  [z.string(), z.number(), z.boolean()],
  'write a text, a number, or true or false (no list, no mapping)',
);

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
      .record(z.string(), scalar)
      .optional()
      .describe('Label name → glob that its value must match, all of them.'),
  })
  .describe('Which alerts call this runbook. All of a trigger must hold; any trigger suffices.');

const input = z
  .strictObject({
    description: text('description', 500).optional(),
    required: flag('required').optional().describe('Default: true, unless there is a default value.'),
    default: scalar.optional(),
    from_label: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'write from_label as the name of an alert label')
      .optional()
      .describe("The alert label that gives the value; absent: the label of the input's own name."),
    allow_leading_dash: flag('allow_leading_dash')
      .default(false)
      .describe("A value such as '-rf' reads as an option to most commands and is refused otherwise."),
    secret: flag('secret').default(false).describe('Masked wherever the step and its output are shown.'),
  })
  .describe('A variable of the steps.');

/** A name, '*.name', an address (IPv6 in brackets where a port follows), each with ':port' or not, or a network. */
const host = z
  .string('write a host as text')
  .max(300, 'a host must be at most 300 characters')
  .regex(
    /^(?:(?:\*\.)?[A-Za-z0-9_][A-Za-z0-9_.-]*(?::\d{1,5})?|\[?[0-9A-Fa-f:.]+\]?(?::\d{1,5}|\/\d{1,3})?)$/,
    "write a host as a name, '*.example.com', an address, a network such as 10.0.0.0/8, with ':port' where only one is meant",
  );

const mode = z.enum(runbookModes, `write mode as one of: ${runbookModes.join(', ')}`);
const execution = z
  .strictObject({
    mode: mode
      .default('semi_auto')
      .describe(
        'manual: people start it; semi_auto: an alert proposes it and people approve; auto: it runs.',
      ),
    approvals: z
      .int('write approvals as a whole number')
      .min(1, 'approvals must be at least 1')
      .max(10, 'approvals must be at most 10')
      .default(1)
      .describe('How many different people have to approve.'),
    approval_timeout: z
      .number('write approval_timeout as a number of minutes')
      .min(0.05, 'approval_timeout must be at least 0.05 minutes')
      .max(10_080, 'approval_timeout must be at most 10080 minutes (a week)')
      .default(30)
      .describe('Minutes until an unanswered approval expires.'),
    max_per_hour: z
      .int('write max_per_hour as a whole number')
      .min(1, 'max_per_hour must be at least 1')
      .max(1000, 'max_per_hour must be at most 1000')
      .default(10)
      .describe('Executions in an hour at most.'),
    cooldown: seconds(0, 'cooldown').default(300).describe('Seconds between two executions on one target.'),
    target: text('target', 300)
      .optional()
      .describe(
        'What only one execution at a time may work on; may hold {{variables}}. Default: the service.',
      ),
    allowed_hosts: z
      .array(host, 'write allowed_hosts as a list')
      .max(100)
      .default([])
      .describe(
        "Hosts that a URL may have whose host is a variable: names, '*.example.com', addresses, networks.",
      ),
  })
  .describe('When and how it may run.');

const command = z
  .union(
    [text('command', 20_000), z.array(scalar).min(1, 'a command needs at least the program').max(200)],
    'write command as one shell line, or as a list of a program and its arguments',
  )
  .describe(
    'Text: a line for /bin/sh, {{variables}} quote themselves. List: a program and its arguments, no shell.',
  );

const commandKeys = {
  command,
  requires_sudo: flag('requires_sudo').optional().describe('Run it with sudo -n.'),
};

const method = z.preprocess(
  (value) => (typeof value === 'string' ? value.toUpperCase() : value),
  z.enum(httpMethods, `write method as one of: ${httpMethods.join(', ')}`),
);
const status = z
  .int('write a status as a whole number')
  .min(100, 'a status lies between 100 and 599')
  .max(599, 'a status lies between 100 and 599');
export const jsonValue: z.ZodType<JsonValue> = z.json() as z.ZodType<JsonValue>;
const httpKeys = {
  url: text('url', 4000).describe(
    'http or https. {{variables}} are encoded; a host that is one must be allowed.',
  ),
  method: method.default('GET'),
  headers: z
    .record(
      z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header name holds letters, digits and - alone'),
      scalar,
    )
    .optional(),
  body: z
    .union([z.string(), z.record(z.string(), jsonValue), z.array(jsonValue)])
    .optional()
    .describe('Text is sent as it is; a mapping or list as JSON.'),
  expected_status: z
    .union(
      [status, z.array(status).min(1)],
      'write expected_status as a status such as 200, or a list of them',
    )
    .optional()
    .describe('Default: any from 200 to 299.'),
  expect_json: z
    .record(z.string().min(1), jsonValue)
    .optional()
    .describe("Dotted path in the JSON answer → the value that must stand there: 'checks.0.state': up."),
  expect_body: text('expect_body', 4000).optional().describe('Text that the answer must contain.'),
};

const rollbackTimeout = { timeout: seconds(0.1, 'timeout').optional() };
export const commandRollback = z.strictObject({ ...commandKeys, ...rollbackTimeout });
export const httpRollback = z.strictObject({ ...httpKeys, ...rollbackTimeout });
const rollback = z
  .union([command, commandRollback, httpRollback])
  .describe('Undoes the step. It may run more than once, so it must do no harm when repeated.');

const stepKeys = {
  name: text('name', 200),
  timeout: seconds(0.1, 'timeout').optional().describe('Seconds for one attempt. Default: 300; http: 30.'),
  retries: z
    .int('write retries as a whole number')
    .min(0, 'retries must not be negative')
    .max(100, 'retries must be at most 100')
    .default(0)
    .describe('Attempts after the first.'),
  retry_delay: seconds(0, 'retry_delay').default(5),
  continue_on_fail: flag('continue_on_fail')
    .default(false)
    .describe('Go on with the next step when it failed.'),
  idempotent: flag('idempotent')
    .default(false)
    .describe('May be run again when a crash left its outcome unknown; otherwise it counts as failed.'),
};
const stepRollback = { rollback: rollback.optional() };

/** `rollback` is validated by itself, so that a problem names the form that was meant. */
const unread = { rollback: z.unknown().optional() };
export const commandStep = z.strictObject({
  ...stepKeys,
  type: z.literal('command').default('command'),
  ...commandKeys,
  ...unread,
});
const httpType = z.enum(['http', 'api']);
export const httpStep = z.strictObject({
  ...stepKeys,
  type: httpType.default('http'),
  ...httpKeys,
  ...unread,
});
export { command as commandText };

const runbookKeys = {
  name: z
    .string('write name as text')
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,99}$/,
      'name must begin with a lower-case letter or digit and hold those, ., _ and - alone (at most 100)',
    ),
  description: text('description', 2000).default(''),
  category: text('category', 100).optional(),
  tags: z.array(text('a tag', 50), 'write tags as a list').max(50).default([]),
  triggers: z.array(trigger, 'write triggers as a list').max(50).default([]),
  inputs: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'an input name holds letters, digits and _ alone'),
      input.nullable(),
    )
    .default({}),
  execution: execution.prefault({}),
};

/** The runbook around its steps; each step is validated by its type (parse.ts). */
export const runbookFrame = z.strictObject({
  ...runbookKeys,
  steps: z
    .array(z.unknown(), 'write steps as a list')
    .min(1, 'a runbook needs at least one step')
    .max(50, 'a runbook may have at most 50 steps'),
});
export type RunbookFrame = z.infer<typeof runbookFrame>;
export type CommandStep = z.infer<typeof commandStep>;
export type HttpStep = z.infer<typeof httpStep>;

/** The whole file in one schema: what the published JSON Schema is made from. */
const runbookFile = z.strictObject({
  ...runbookKeys,
  steps: z
    .array(
      z.union([
        z.strictObject({
          ...stepKeys,
          type: z.literal('command').optional(),
          ...commandKeys,
          ...stepRollback,
        }),
        z.strictObject({ ...stepKeys, type: httpType, ...httpKeys, ...stepRollback }),
      ]),
    )
    .min(1)
    .max(50),
});

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
