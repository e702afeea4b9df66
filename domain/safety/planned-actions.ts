import type { CommandForm, EffectAction, StepType } from '../runbook/definition.ts';
import type { LayoutScope, RunbookLayout } from '../runbook/layout.ts';
import { fillTemplate, placeholders } from '../runbook/template.ts';
import { plainHost } from './host-pattern.ts';
import { argvCommands, type ShellCommand, shellCommands } from './shell-commands.ts';

/** What a step (or its undo) will do, as far as allow and deny lists look at it. */
export interface PlannedAction {
  /** For people. */
  step: string;
  /** The runbook that the step comes from: a nested one has rules of its own. */
  runbook: string;
  type: StepType;
  /** Whether it acts on something; `wait`, `approval` and `notify` don't. */
  hasEffect: boolean;
  commands: ShellCommand[];
  hosts: string[];
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
        commands: scriptsOf(lines).flatMap((script) =>
          shellCommands(script).map((command) => filled(command, fill)),
        ),
        hosts: action.instanceIds.map((id) => plainHost(fill(id))),
      };
    }
    case 'kubernetes':
    case 'sql':
      return { commands: [], hosts: [] };
  }
}

/** Lines of AWS SSM are one script, but each that holds a variable has a shell of its own. */
function scriptsOf(lines: readonly string[]): string[] {
  const scripts: string[] = [];
  let script: string[] = [];
  for (const line of lines) {
    if (placeholders(line).length === 0) {
      script.push(line);
      continue;
    }
    scripts.push(script.join('\n'), line);
    script = [];
  }
  return [...scripts, script.join('\n')];
}

function commandsOf(form: CommandForm, sudo: boolean, fill: (template: string) => string): ShellCommand[] {
  // a value is one word of its line whatever it holds, so the line is taken apart before they are filled in
  const commands =
    'shell' in form
      ? shellCommands(form.shell).map((command) => filled(command, fill))
      : argvCommands(form.argv.map(fill));
  return sudo ? commands.map((command) => ({ ...command, words: ['sudo', ...command.words] })) : commands;
}

function filled(command: ShellCommand, fill: (template: string) => string): ShellCommand {
  return {
    line: fill(command.line),
    core: fill(command.core),
    program: fill(command.program),
    words: command.words.map(fill),
    named: command.named.map(fill),
    allowance: command.allowance,
  };
}

function hostOf(url: string): string {
  try {
    return plainHost(new URL(url).hostname);
  } catch {
    // it will not be sent anywhere: what stands there is matched as it is
    return url;
  }
}
