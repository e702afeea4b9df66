/** The rules in the order in which they are asked: the first that says no is the one that is told. */
export const safetyRuleNames = [
  'kill switch',
  'environments',
  'maintenance',
  'business hours',
  'deny list',
  'allow list',
  'circuit breaker',
  'actions per hour',
  'cooldown',
] as const;
export type SafetyRuleName = (typeof safetyRuleNames)[number];

/** Why an execution may not act now. */
export interface Refusal {
  rule: SafetyRuleName;
  /** For people: which rule of which scope, with figures, and until when. Begins with `rule`. */
  reason: string;
  /** When this rule will not stand in the way any more (ISO 8601); null: not before somebody changes something. */
  until: string | null;
}

/** `remedy`: what lets it run again when no clock does. */
export function refusal(
  rule: SafetyRuleName,
  what: string,
  ending: { until: number } | { remedy: string },
): Refusal {
  if ('remedy' in ending) return { rule, reason: `${rule}: ${what}; ${ending.remedy}`, until: null };
  const until = new Date(ending.until).toISOString();
  return { rule, reason: `${rule}: ${what}; possible again at ${until}`, until };
}
