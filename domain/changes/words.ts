import type { ChangeSourceKind, ChangeType } from './change.ts';

export const changeTypeNames: Record<ChangeType, string> = {
  deployment: 'Deployment',
  config: 'Configuration',
  code: 'Code',
  feature_flag: 'Feature flag',
  infrastructure: 'Infrastructure',
  other: 'Change',
};

/** Who told of it. */
export const changeSourceNames: Record<ChangeSourceKind, string> = {
  github: 'GitHub',
  jenkins: 'Jenkins',
  argocd: 'Argo CD',
  generic: 'webhook',
  manual: 'by hand',
};
