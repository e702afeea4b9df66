export const changeSourceKinds = ['github', 'jenkins', 'argocd', 'generic', 'manual'] as const;
export type ChangeSourceKind = (typeof changeSourceKinds)[number];

export const changeTypes = [
  'deployment',
  'config',
  'code',
  'feature_flag',
  'infrastructure',
  'other',
] as const;
export type ChangeType = (typeof changeTypes)[number];

export const changeStatuses = ['started', 'succeeded', 'failed', 'rolled_back'] as const;
export type ChangeStatus = (typeof changeStatuses)[number];

/** What a person said of a change and an incident: it was behind it, or had nothing to do with it. */
export const changeVerdicts = ['confirmed', 'dismissed'] as const;
export type ChangeVerdict = (typeof changeVerdicts)[number];
