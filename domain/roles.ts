/** Least first. Viewer sees; Operator also acknowledges, runs and approves; Admin also edits runbooks, policies
 * and channels; Owner also members and tokens. */
export const roles = ['viewer', 'operator', 'admin', 'owner'] as const;
export type Role = (typeof roles)[number];

export function roleAtLeast(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

export interface Membership {
  /** Null: in the whole organization. */
  teamId: string | null;
  role: Role;
}

/**
 * The role on something that `teamId` owns, or that is shared (null). On what is shared, a role in a team counts
 * up to Operator: whoever may act for a team may act on an incident that no team owns, but what the whole
 * organization works by is changed by the organization's Admins.
 */
export function roleBy(memberships: readonly Membership[], teamId: string | null): Role | undefined {
  const held = memberships.flatMap((membership) => {
    if (membership.teamId === null || membership.teamId === teamId) return [membership.role];
    if (teamId !== null) return [];
    return [roleAtLeast(membership.role, 'operator') ? 'operator' : membership.role] satisfies Role[];
  });
  return roles.findLast((role) => held.includes(role));
}
