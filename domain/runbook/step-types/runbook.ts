import { z } from 'zod';
import type { RunbookAction } from '../definition.ts';
import { shellWord } from '../shown-text.ts';
import { fillTemplate } from '../template.ts';
import { scalar } from '../written.ts';
import type { StepTypeShape } from './step-type.ts';

export const runbookName = z
  .string('write name as text')
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,99}$/,
    'name must begin with a lower-case letter or digit and hold those, ., _ and - alone (at most 100)',
  );
export const variableName = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]*$/;

const keys = {
  runbook: runbookName.describe('Name of the runbook whose steps run here, with their own rollback.'),
  inputs: z
    .record(z.string().regex(variableName, 'an input name holds letters, digits and _ alone'), scalar)
    .default({})
    .describe('Input of that runbook → its value; may hold {{variables}}. Others are found as ever.'),
};

export const runbookType: StepTypeShape<RunbookAction, typeof keys> = {
  kind: 'runbook',
  keys,
  templates: ['inputs'],
  defaultTimeoutMs: 60_000,
  read: (written) => ({
    kind: 'runbook',
    runbook: written.runbook,
    inputs: Object.fromEntries(Object.entries(written.inputs).map(([name, value]) => [name, String(value)])),
  }),
  validate: () => [],
  describe: (action, values) =>
    [
      `run '${action.runbook}'`,
      ...Object.entries(action.inputs).map(
        ([name, template]) => `${name} = ${shellWord(fillTemplate(template, values))}`,
      ),
    ].join('\n'),
};
