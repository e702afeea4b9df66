import { matchesGlob } from '../glob.ts';
import type { Severity } from '../severity.ts';
import type { RunbookDefinition, RunbookMode, RunbookTrigger } from './definition.ts';

export interface AlertFacts {
  alertName: string;
  severity: Severity;
  labels: Readonly<Record<string, string>>;
}

export interface RunbookMatch {
  name: string;
  /** How long the alert has to fire before the runbook is proposed or run: the shortest of its matching triggers. */
  minDurationMs: number;
  mode: RunbookMode;
}

/** Where an alert comes from, as its labels say. */
export function environmentOf(labels: Readonly<Record<string, string>>): string | undefined {
  return labels.environment ?? labels.env;
}

/** The runbooks that this alert calls, by name. Those of mode `manual` are there too, for people to start. */
export function matchRunbooks(definitions: readonly RunbookDefinition[], alert: AlertFacts): RunbookMatch[] {
  return definitions
    .flatMap((definition) => {
      if (!runsIn(definition, environmentOf(alert.labels))) return [];
      const matching = definition.triggers.filter((trigger) => triggerMatches(trigger, alert));
      if (matching.length === 0) return [];
      const minDurationMs = Math.min(...matching.map((trigger) => trigger.minDurationMs));
      return [{ name: definition.name, minDurationMs, mode: definition.execution.mode }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Runbooks of an environment's Git source are called 'environment:name', and are for its alerts alone. */
function runsIn({ name, execution }: RunbookDefinition, environment: string | undefined): boolean {
  const own = name.includes(':') ? name.slice(0, name.indexOf(':')) : undefined;
  if (own !== undefined && own !== environment) return false;
  if (execution.environments.length === 0) return true;
  return environment !== undefined && execution.environments.some((glob) => matchesGlob(glob, environment));
}

function triggerMatches(trigger: RunbookTrigger, alert: AlertFacts): boolean {
  return (
    matchesGlob(trigger.alertPattern, alert.alertName) &&
    (trigger.severity?.includes(alert.severity) ?? true) &&
    Object.entries(trigger.labels).every(
      ([name, glob]) => Object.hasOwn(alert.labels, name) && matchesGlob(glob, alert.labels[name] ?? ''),
    )
  );
}
