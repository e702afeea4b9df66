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

/** The runbooks that this alert calls, by name. Those of mode `manual` are there too, for people to start. */
export function matchRunbooks(definitions: readonly RunbookDefinition[], alert: AlertFacts): RunbookMatch[] {
  return definitions
    .flatMap((definition) => {
      const matching = definition.triggers.filter((trigger) => triggerMatches(trigger, alert));
      if (matching.length === 0) return [];
      const minDurationMs = Math.min(...matching.map((trigger) => trigger.minDurationMs));
      return [{ name: definition.name, minDurationMs, mode: definition.execution.mode }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
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
