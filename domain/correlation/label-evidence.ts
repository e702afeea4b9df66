import type { CorrelationRules } from './rules.ts';
import type { CandidateIncident, NewAlert } from './snapshot.ts';
import { timeFactor } from './time.ts';

/** Values of labels that an alert shares with an incident. */
export interface LabelEvidence {
  /** 0 to 1. */
  weight: number;
  /** For people: 'same host node-7'; the weightiest one. */
  reason: string;
  gapMs: number;
}

/** Where the call graph knows both services and no way between them, a shared label says less… */
const unrelatedFactor = 0.6;
/** …unless they failed at the same moment, as what stands on a broken machine does. */
const sameMomentMs = 30_000;

/**
 * @param unrelated whether the topology knows the services and sees no way between them
 * A label of which the incident's services have many values says little about it: its outage is not theirs.
 */
export function labelEvidence(
  alert: NewAlert,
  incident: CandidateIncident,
  rules: CorrelationRules,
  unrelated: boolean,
): LabelEvidence | null {
  const otherService =
    alert.service !== null && !incident.services.some(({ service }) => service === alert.service);
  const shared = incident.labels.flatMap(({ name, value, lastAt }) => {
    const weight = rules.labelWeights[name] ?? 0;
    if (weight === 0 || !Object.hasOwn(alert.labels, name) || alert.labels[name] !== value) return [];
    const gapMs = Math.abs(alert.at - lastAt);
    const values = otherService ? incident.labels.filter((label) => label.name === name).length : 1;
    const trusted = unrelated ? trustOfUnrelated(gapMs) : 1;
    const counted = (weight * trusted * timeFactor(gapMs, rules)) / values;
    return [{ weight: counted, reason: `same ${name} ${value}`, gapMs }];
  });
  const [weightiest] = shared.toSorted((a, b) => b.weight - a.weight);
  if (!weightiest) return null;
  return { ...weightiest, weight: together(shared.map(({ weight }) => weight)) };
}

function trustOfUnrelated(gapMs: number): number {
  return unrelatedFactor + (1 - unrelatedFactor) * Math.max(0, 1 - gapMs / sameMomentMs);
}

/** Several pieces of evidence, none of which takes from the others. */
export function together(weights: number[]): number {
  return 1 - weights.reduce((doubt, weight) => doubt * (1 - weight), 1);
}
