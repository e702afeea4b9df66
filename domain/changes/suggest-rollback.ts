import { matchesGlob } from '../glob.ts';
import type { RunbookDefinition, RunbookInput } from '../runbook/definition.ts';
import type { CandidateChange } from './score.ts';

/** A runbook that would take a change back. */
export interface RollbackSuggestion {
  runbook: string;
  /** By name, for the form that starts it; people see and may change them. */
  inputs: Record<string, string>;
  /** Sentences for people. */
  reasons: string[];
}

type TakenBack = Pick<CandidateChange, 'service' | 'environment' | 'version' | 'previousVersion'>;

const rollbackWords = /(?<![a-z])(roll(s|ed|ing)?[\s_-]?back|revert|un[\s_-]?deploy)/i;
const most = 3;

/** Names under which runbooks ask for what a change knows; compared without case, '-' and '_'. */
const askedFor: Record<keyof TakenBack, readonly string[]> = {
  service: [
    'service',
    'servicename',
    'app',
    'appname',
    'application',
    'deployment',
    'deploymentname',
    'component',
    'workload',
  ],
  environment: ['environment', 'env'],
  previousVersion: [
    'version',
    'toversion',
    'targetversion',
    'previousversion',
    'rollbackversion',
    'rollbackto',
    'goodversion',
    'tag',
    'imagetag',
    'revision',
    'torevision',
    'release',
  ],
  version: ['fromversion', 'currentversion', 'badversion', 'failedversion'],
};

/**
 * Runbooks whose name, tags or category say that they roll back and that may work on the change's service, best
 * first, at most three. The version that they are to bring back is the one before the change.
 */
export function suggestRollback(
  definitions: readonly RunbookDefinition[],
  change: TakenBack,
): RollbackSuggestion[] {
  return definitions
    .flatMap((definition) => {
      const words = [definition.name, definition.category ?? '', ...definition.tags];
      if (!words.some((word) => rollbackWords.test(word)) || !runsIn(definition, change.environment))
        return [];
      const inputs = inputsOf(definition.inputs, change);
      const fit = fitOf(definition, change.service, inputs);
      if (fit === undefined) return [];
      const version =
        change.previousVersion === null
          ? ['which version was there before is not known']
          : Object.values(inputs).includes(change.previousVersion)
            ? [`it brings ${change.previousVersion} back`]
            : [];
      return [{ runbook: definition.name, inputs, reasons: [fit.reason, ...version], weight: fit.weight }];
    })
    .sort((a, b) => b.weight - a.weight || (a.runbook < b.runbook ? -1 : 1))
    .slice(0, most)
    .map(({ weight: _, ...suggestion }) => suggestion);
}

/** How well the runbook fits the service; undefined where it is another's. */
function fitOf(
  { name, tags, triggers }: RunbookDefinition,
  service: string | null,
  inputs: Record<string, string>,
): { weight: number; reason: string } | undefined {
  const general = { weight: 1, reason: 'it rolls back, whatever the service' };
  if (service === null) return general;
  const own = [name, ...tags].some((word) => word.toLowerCase().includes(service.toLowerCase()));
  if (own) return { weight: 4, reason: `it is made for ${service}` };
  const globs = triggers.flatMap(({ labels }) => labels.service ?? []);
  if (globs.some((glob) => matchesGlob(glob, service))) {
    return { weight: 3, reason: `alerts of ${service} call it` };
  }
  if (Object.values(inputs).includes(service))
    return { weight: 2, reason: `it asks which service, ${service}` };
  return globs.length === 0 ? general : undefined;
}

function runsIn({ name, execution }: RunbookDefinition, environment: string | null): boolean {
  if (environment === null) return true;
  const own = name.includes(':') ? name.slice(0, name.indexOf(':')) : null;
  if (own !== null && own !== environment) return false;
  return (
    execution.environments.length === 0 ||
    execution.environments.some((glob) => matchesGlob(glob, environment))
  );
}

function inputsOf(inputs: Record<string, RunbookInput>, change: TakenBack): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, input]) => {
      const bare = name.toLowerCase().replaceAll(/[-_]/g, '');
      const known = (Object.keys(askedFor) as (keyof TakenBack)[]).find((key) =>
        askedFor[key].includes(bare),
      );
      const value = known === undefined ? null : change[known];
      if (value === null || input.secret || input.fromSecret !== undefined) return [];
      return input.options && !input.options.includes(value) ? [] : [[name, value]];
    }),
  );
}
