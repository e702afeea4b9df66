import { matchesWildcard } from '../glob.ts';
import type { RunbookLayout } from '../runbook/layout.ts';
import {
  type PlannedAction,
  type PlannedCommand,
  plannedActions,
  withoutSecrets,
} from './planned-actions.ts';
import { type Refusal, refusal } from './refusal.ts';
import { type ScopedRules, scopeText } from './rules.ts';

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
    if (action.hosts.some((host) => matchesWildcard(plainHostPattern(pattern), host))) {
      return saying(`the host '${pattern}'`);
    }
  }
  for (const pattern of deny.commands ?? []) {
    if (action.commands.some((command) => reaches(pattern, command))) {
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
  const host = action.hosts.find(
    (given) => allow.hosts?.every((pattern) => !matchesWildcard(plainHostPattern(pattern), given)) ?? false,
  );
  if (host !== undefined) return saying(`the host '${host}'`);
  const command = action.commands.find(
    (given) => allow.commands?.every((pattern) => !permits(pattern, given)) ?? false,
  );
  return command ? saying(`the command '${command.program}' as it is called there`) : null;
}

/** Wide: also a program by its name alone, wherever it stands. */
function reaches(pattern: string, { line, program, sudo }: PlannedCommand): boolean {
  const names = [program, program.slice(program.lastIndexOf('/') + 1), ...(sudo ? ['sudo'] : [])];
  return matchesWildcard(pattern, line) || names.some((name) => matchesWildcard(pattern, name));
}

/** Narrow: '/tmp/systemctl' is not 'systemctl'. */
function permits(pattern: string, { line, program }: PlannedCommand): boolean {
  return matchesWildcard(pattern, line) || matchesWildcard(pattern, program);
}

function plainHostPattern(pattern: string): string {
  return pattern.replace(/\.$/, '');
}
