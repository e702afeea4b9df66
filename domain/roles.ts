/** Least first. Viewer sees; Operator also acknowledges, runs and approves; Admin also edits runbooks, policies
 * and channels; Owner also members and tokens. */
export const roles = ['viewer', 'operator', 'admin', 'owner'] as const;
export type Role = (typeof roles)[number];

export function roleAtLeast(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}
