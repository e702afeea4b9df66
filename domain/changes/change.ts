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

/** What is known of a change wherever it is told of. */
export interface ChangeFacts {
  type: ChangeType;
  status: ChangeStatus;
  service: string | null;
  environment: string | null;
  title: string;
  version: string | null;
  previousVersion: string | null;
  author: string | null;
  url: string | null;
}
