import type { CommandForm, EffectAction, StepType } from '../runbook/definition.ts';
import type { LayoutScope, RunbookLayout } from '../runbook/layout.ts';
import { fillTemplate, placeholders } from '../runbook/template.ts';
import { shellCommands } from './shell-commands.ts';

/** What a step (or its undo) will do, as far as allow and deny lists look at it. */
export interface PlannedAction {
  /** For people. */
  step: string;
  /** The runbook that the step comes from: a nested one has rules of its own. */
  runbook: string;
  type: StepType;
  /** Whether it acts on something; `wait`, `approval` and `notify` don't. */
  hasEffect: boolean;
  commands: PlannedCommand[];
  hosts: string[];
}

export interface PlannedCommand {
  line: string;
  program: string;
  sudo: boolean;
}

/** The values of secrets are not known here, and those that are known are not shown in a refusal. */
const hidden = '***';

export function plannedActions(layout: RunbookLayout): PlannedAction[] {
  return layout.steps.flatMap(({ scope: index, name, definition }) => {
    const scope = layout.scopes[index];
    if (!scope) throw new RangeError(`the step '${name}' belongs to no runbook of the layout`);
    const { action, rollback } = definition;
    const planned = (step: string, type: StepType, effect: EffectAction | null): PlannedAction => ({
      step,
      runbook: scope.runbook,
      type,
      hasEffect: effect !== null,
      ...(effect ? reachOf(effect, scope) : { commands: [], hosts: [] }),
    });
    return [
      planned(name, definition.type, isEffect(action) ? action : null),
      ...(rollback ? [planned(`${name} (undo)`, rollback.action.kind, rollback.action)] : []),
    ];
  });
}

/** `text` without the values of secrets. */
export function withoutSecrets(text: string, layout: RunbookLayout): string {
  const secrets = layout.scopes.flatMap((scope) =>
    scope.secretInputs.flatMap((name) => (Object.hasOwn(scope.values, name) ? [scope.values[name]] : [])),
  );
  return secrets.reduce<string>((shown, secret) => (secret ? shown.replaceAll(secret, hidden) : shown), text);
}

function isEffect(action: RunbookLayout['steps'][number]['definition']['action']): action is EffectAction {
  return !['wait', 'approval', 'notify', 'runbook'].includes(action.kind);
}

function reachOf(action: EffectAction, scope: LayoutScope): Pick<PlannedAction, 'commands' | 'hosts'> {
  const fill = (template: string) => {
    const unknown = placeholders(template).map(({ name }) => [name, hidden]);
    return fillTemplate(template, { ...Object.fromEntries(unknown), ...scope.values });
  };
  switch (action.kind) {
    case 'command':
      return { commands: commandsOf(action.form, action.requiresSudo, fill), hosts: [] };
    case 'ssh':
      return {
        commands: commandsOf(action.form, action.requiresSudo, fill),
        hosts: [plainHost(fill(action.host))],
      };
    case 'http':
      return { commands: [], hosts: [hostOf(fill(action.url))] };
    case 'prometheus':
      return { commands: [], hosts: action.url === undefined ? [] : [hostOf(fill(action.url))] };
    case 'aws_ssm': {
      const lines = Object.entries(action.parameters).flatMap(([name, templates]) =>
        name.toLowerCase() === 'commands' ? templates : [],
      );
      return {
        commands: lines.flatMap((line) => shellCommands(line).map((command) => filled(command, false, fill))),
        hosts: action.instanceIds.map((id) => plainHost(fill(id))),
      };
    }
    case 'kubernetes':
    case 'sql':
      return { commands: [], hosts: [] };
  }
}

const shells = /^(?:.*\/)?(?:ba|da|a|z|k)?sh$/;

function commandsOf(form: CommandForm, sudo: boolean, fill: (template: string) => string): PlannedCommand[] {
  if ('shell' in form) {
    // a value is one word of its line whatever it holds, so the line is taken apart before they are filled in
    return shellCommands(form.shell).map((command) => filled(command, sudo, fill));
  }
  const argv = form.argv.map(fill);
  const [program = '', ...rest] = argv;
  const whole = { line: argv.join(' '), program, sudo };
  const option = rest.findIndex((word) => /^-[a-z]*c$/.test(word));
  if (!shells.test(program) || option < 0) return [whole];
  const script = rest[option + 1] ?? '';
  return [whole, ...shellCommands(script).map((command) => ({ ...command, sudo }))];
}

function filled(
  command: { line: string; program: string },
  sudo: boolean,
  fill: (template: string) => string,
): PlannedCommand {
  return { line: fill(command.line), program: fill(command.program), sudo };
}

function hostOf(url: string): string {
  try {
    return plainHost(new URL(url).hostname);
  } catch {
    // it will not be sent anywhere: what stands there is matched as it is
    return url;
  }
}

/** 'db-1.example.com.' and 'DB-1.example.com' are one host. */
function plainHost(host: string): string {
  return host.replace(/\.$/, '').toLowerCase();
}
