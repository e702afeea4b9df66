import { durationMs } from './duration.ts';
import { matchesGlob } from './glob.ts';
import type { EscalationPolicy, IncidentMatch, SlaPolicy } from './policies.ts';
import type { Severity } from './severity.ts';
import type { SlaTimes } from './sla/clock.ts';

/** What policies are matched against. */
export interface PolicySubject {
  severity: Severity;
  service: string | null;
  /** Names of the incident's alerts. */
  alerts: string[];
  /** Slug of the team that owns it; null: shared. */
  team: string | null;
  labels: Record<string, string>;
}

/** Whether an incident is one of those that `match` names. */
export function holds(match: IncidentMatch, subject: PolicySubject): boolean {
  const { severity, service, alert, team, labels = {} } = match;
  if (severity && severity !== subject.severity) return false;
  if (service && !(subject.service !== null && matchesGlob(service, subject.service))) return false;
  if (team !== undefined && team !== subject.team) return false;
  for (const [name, pattern] of Object.entries(labels)) {
    const value = subject.labels[name];
    if (value === undefined || !matchesGlob(pattern, value)) return false;
  }
  return !alert || subject.alerts.some((name) => matchesGlob(alert, name));
}

/** The first policy whose match holds, in the order given (by `order`, then name); null when none does. */
export function selectSla(
  policies: { name: string; definition: SlaPolicy }[],
  subject: PolicySubject,
): (SlaTimes & { calendar: string }) | null {
  const policy = policies.find(({ definition }) => holds(definition.match, subject));
  if (!policy) return null;
  const { acknowledgeWithin, resolveWithin, atRiskPercent, calendar } = policy.definition;
  return {
    policy: policy.name,
    acknowledgeMs: durationMs(acknowledgeWithin),
    resolveMs: durationMs(resolveWithin),
    atRiskShare: atRiskPercent / 100,
    calendar,
  };
}

/** As findEscalation; throws where there is none. */
export function selectEscalation(...given: Parameters<typeof findEscalation>): SelectedEscalation {
  const selected = findEscalation(...given);
  if (!selected)
    throw new Error(
      "there is no escalation policy 'default': put one at /api/v1/escalation-policies/default",
    );
  return selected;
}

interface SelectedEscalation {
  name: string;
  policy: EscalationPolicy;
}

/** The first policy by name with a match that holds, else `default`. */
export function findEscalation(
  policies: { name: string; definition: EscalationPolicy }[],
  subject: PolicySubject,
): SelectedEscalation | undefined {
  const selected =
    policies.find(
      ({ name, definition }) => name !== 'default' && definition.match && holds(definition.match, subject),
    ) ?? policies.find(({ name }) => name === 'default');
  return selected && { name: selected.name, policy: selected.definition };
}
