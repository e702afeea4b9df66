/** How bad it is, worst first. The words are fixed across the product (docs/architecture.md, 'Words'). */
export const severities = ['critical', 'high', 'warning', 'low', 'info'] as const;
export type Severity = (typeof severities)[number];

const synonyms: Record<string, Severity> = {
  page: 'critical',
  error: 'high',
  major: 'high',
  warn: 'warning',
  medium: 'warning',
  minor: 'low',
  normal: 'info',
  none: 'info',
};

/** The severity that a `severity` label means; an absent or unknown word is `info`. */
export function severityFromLabel(label: string | undefined): Severity {
  const word = label?.trim().toLowerCase() ?? '';
  return severities.find((severity) => severity === word) ?? synonyms[word] ?? 'info';
}

/** 0 for critical to 4 for info: sorts worst first. */
export function severityRank(severity: Severity): number {
  return severities.indexOf(severity);
}
