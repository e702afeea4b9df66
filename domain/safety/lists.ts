import type { RunbookLayout } from '../runbook/layout.ts';
import { forbids, permits } from './command-pattern.ts';
import { hostForms, matchesHost } from './host-pattern.ts';
import { type PlannedAction, plannedActions, withoutSecrets } from './planned-actions.ts';
import { type Refusal, refusal } from './refusal.ts';
import { type ScopedRules, scopeText } from './rules.ts';
import type { ShellCommand } from './shell-commands.ts';

const remedy = 'an Admin can change the list';

/** Asks every list of every scope about every step: a command that one of them denies is not run. */
export function refuseByLists(sets: readonly ScopedRules[], layout: RunbookLayout): Refusal | null {
  const withLists = sets.filter(({ rules }) => rules.deny || rules.allow);
  if (withLists.length === 0) return null;
  const actions = plannedActions(layout);
  const root = layout.scopes[0]?.runbook;
  for (const verdict of [denied, notAllowed]) {
    for (const set of withLists) {
      // the rules of a nested runbook are for its own steps; those of the one that was asked for, for all
      const own = set.scope === 'runbook' && set.name !== root;
      for (const action of actions) {
        const refused = own && action.runbook !== set.name ? null : verdict(set, action);
        if (refused) return { ...refused, reason: withoutSecrets(refused.reason, layout) };
      }
    }
  }
  return null;
}

function denied({ scope, name, rules: { deny } }: ScopedRules, action: PlannedAction): Refusal | null {
  const saying = (what: string) =>
    refusal('deny list', `${scopeText(scope, name)} forbids ${what} (step '${action.step}')`, { remedy });
  if (!deny) return null;
  if (deny.stepTypes?.includes(action.type)) return saying(`steps of type ${action.type}`);
  for (const pattern of deny.hosts ?? []) {
    if (action.hosts.flatMap(hostForms).some((form) => matchesHost(pattern, form))) {
      return saying(`the host '${pattern}'`);
    }
  }
  for (const pattern of deny.commands ?? []) {
    if (action.commands.some((command) => forbids(pattern, command))) {
      return saying(`the command '${pattern}'`);
    }
  }
  return null;
}

function notAllowed({ scope, name, rules: { allow } }: ScopedRules, action: PlannedAction): Refusal | null {
  const saying = (what: string) =>
    refusal('allow list', `${scopeText(scope, name)} does not name ${what} (step '${action.step}')`, {
      remedy,
    });
  if (!allow || !action.hasEffect) return null;
  if (allow.stepTypes && !allow.stepTypes.includes(action.type))
    return saying(`steps of type ${action.type}`);
  const { hosts } = allow;
  const host = hosts && action.hosts.find((given) => !hostAllowed(hosts, given));
  if (host !== undefined) return saying(`the host '${host}'`);
  const command = action.commands.find(
    (given) => allow.commands?.every((pattern) => !permits(pattern, given)) ?? false,
  );
  return command ? saying(shownCommand(command)) : null;
}

/** However it can be read. */
function hostAllowed(patterns: readonly string[], host: string): boolean {
  return hostForms(host).every((form) => patterns.some((pattern) => matchesHost(pattern, form)));
}

function shownCommand({ allowance, program, named }: ShellCommand): string {
  if (allowance === 'never') return 'what stands behind a quote or bracket that is not closed';
  const command = program === '' ? '' : `the command '${program}' as it is called there`;
  const parts = named.map((part) => `'${part}'`).join(' and ');
  return [command, parts].filter((part) => part !== '').join(', with ');
}
