/** Why a promise was not kept, as reports count it. */
export const breachReasons = ['not_available', 'complex_cause', 'runbook_failure', 'other'] as const;
export type BreachReason = (typeof breachReasons)[number];

/** For people. */
export const breachReasonNames: Record<BreachReason, string> = {
  not_available: 'Nobody was available',
  complex_cause: 'The cause was complex',
  runbook_failure: 'A runbook failed',
  other: 'Another reason',
};
