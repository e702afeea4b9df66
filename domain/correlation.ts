/** How alerts become incidents: the rules of an organization. */
export interface CorrelationRules {
  /** An alert joins an incident by service or label when the incident's latest alert is at most this old. */
  windowMs: number;
  /** Labels whose equal values mean 'the same trouble'. */
  labels: string[];
}

export const defaultCorrelationRules: CorrelationRules = {
  windowMs: 5 * 60_000,
  labels: ['host', 'pod', 'deployment'],
};

/** An incident that shares at least one key with the alert and is not closed. */
export interface CorrelationCandidate {
  incidentId: string;
  number: number;
  falsePositive: boolean;
  lastAlertAt: number;
  /** The keys that it shares with the alert. */
  sharedKeys: string[];
}

export type CorrelationDecision =
  | { action: 'join'; incidentId: string; number: number; reason: string }
  | { action: 'create'; reason: string };

/** Characters of a value that count: keys are indexed, and an index takes no text of any length. */
const valueLimit = 400;

/** What an alert is matched by, such as 'service=checkout'. An incident is found by the keys of all of its alerts. */
export function correlationKeys(
  alert: {
    integrationId: string;
    fingerprint: string;
    service: string | null;
    labels: Record<string, string>;
  },
  rules: CorrelationRules,
): string[] {
  const keys = [`fingerprint=${alert.integrationId}:${alert.fingerprint}`];
  if (alert.service) keys.push(`service=${alert.service}`);
  for (const name of rules.labels) {
    const value = alert.labels[name];
    if (value) keys.push(`label.${name}=${value.slice(0, valueLimit).toWellFormed()}`);
  }
  return keys;
}

/**
 * Which incident the alert belongs to. The same fingerprint always joins: it is the same alert again. An equal
 * service or label value joins within the time window. The most recently active candidate wins, then the older
 * number. An incident that a person called a false positive is joined by nothing.
 */
export function correlate(
  candidates: CorrelationCandidate[],
  rules: CorrelationRules,
  now: number,
): CorrelationDecision {
  const joinable = candidates
    .filter((candidate) => !candidate.falsePositive)
    .toSorted((a, b) => b.lastAlertAt - a.lastAlertAt || a.number - b.number);
  const same = joinable.find((candidate) =>
    candidate.sharedKeys.some((key) => key.startsWith('fingerprint=')),
  );
  if (same) {
    return {
      action: 'join',
      incidentId: same.incidentId,
      number: same.number,
      reason: 'the same alert again',
    };
  }
  const near = joinable.find((candidate) => now - candidate.lastAlertAt <= rules.windowMs);
  if (near) {
    const seconds = Math.max(0, Math.round((now - near.lastAlertAt) / 1000));
    const shared = near.sharedKeys.map((key) => key.replace(/^label\./, '').replace('=', ' ')).join(', ');
    return {
      action: 'join',
      incidentId: near.incidentId,
      number: near.number,
      reason: `same ${shared}, ${seconds} s after its latest alert`,
    };
  }
  return { action: 'create', reason: 'no open incident shares its fingerprint, service or labels' };
}
