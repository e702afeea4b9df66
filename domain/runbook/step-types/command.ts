import type { CommandAction } from '../definition.ts';
import { describeForm, formKeys, formProblems, formTemplates, readForm, renderForm } from './command-form.ts';
import type { EffectTypeShape } from './step-type.ts';

const keys = formKeys;

export const commandType: EffectTypeShape<CommandAction, typeof keys> = {
  kind: 'command',
  keys,
  templates: formTemplates,
  inherited: ['requires_sudo'],
  defaultTimeoutMs: 300_000,
  read: (written) => ({
    kind: 'command',
    form: readForm(written),
    requiresSudo: written.requires_sudo ?? false,
  }),
  validate: (written, action) => formProblems(written, action.form),
  render: (action, values) => ({
    kind: 'command',
    argv: renderForm(action.form, values),
    requiresSudo: action.requiresSudo,
  }),
  describe: (action, values) => describeForm(action.form, action.requiresSudo, values),
};
