import type { Scope } from '../../db/database.ts';
import { type Role, roleAtLeast, roleBy } from '../../domain/roles.ts';
import type { Actor } from '../../workflows/messages.ts';
import { ForbiddenError } from './errors.ts';

/** The person who asks, and by what: a session's cookie, an API token, or a vendor that says who it is. */
export interface Principal {
  orgId: string;
  userId: string;
  email: string;
  name: string;
  /** `teamId` null: the role in the whole organization. */
  memberships: { teamId: string | null; teamName: string | null; teamSlug: string | null; role: Role }[];
  /** By cookie: the session and the token that its forms carry. */
  session?: { id: string; csrfToken: string };
  /** What they speak through, where it is neither the pages nor the API. */
  via?: Actor['via'];
}

/** What the person sees: everything with a role in the organization, else own teams' and what is shared. */
export function scopeOf(principal: Principal): Scope {
  const teamIds = principal.memberships.flatMap((membership) => membership.teamId ?? []);
  const wholeOrganization = principal.memberships.some((membership) => membership.teamId === null);
  return { orgId: principal.orgId, teamIds: wholeOrganization ? '*' : teamIds };
}

/** The role on what `teamId` owns, or on what is shared (null). */
export function roleOn(principal: Principal, teamId: string | null): Role | undefined {
  return roleBy(principal.memberships, teamId);
}

export function mayOn(principal: Principal, needed: Role, teamId: string | null): boolean {
  const role = roleOn(principal, teamId);
  return role !== undefined && roleAtLeast(role, needed);
}

/** Throws ForbiddenError unless the person has `needed` or more on what `teamId` owns. */
export function assertRole(principal: Principal, needed: Role, teamId: string | null): void {
  if (mayOn(principal, needed, teamId)) return;
  const role = roleOn(principal, teamId);
  throw new ForbiddenError(`this needs the role ${needed}; ${principal.email} has ${role ?? 'none'} here`);
}

/** As `mayOn`, but a role in a team does not count: for what reaches into every team. */
export function mayInOrganization({ memberships }: Principal, needed: Role): boolean {
  return memberships.some(({ teamId, role }) => teamId === null && roleAtLeast(role, needed));
}

/** Who reads the log of messages: like contact rules, addresses of others are for the organization's Admins. */
export function logReader(principal: Principal): { email: string; seesAddresses: boolean } {
  return { email: principal.email, seesAddresses: mayOn(principal, 'admin', null) };
}

export function actorOf(principal: Principal): Actor {
  return { name: principal.email, via: principal.via ?? (principal.session ? 'page' : 'api') };
}

/** Who votes on what `teamId` owns (null: shared), with what an approval may ask for. */
export function voterOf(
  principal: Principal,
  teamId: string | null,
  via: Actor['via'] = actorOf(principal).via,
): Actor {
  const role = roleOn(principal, teamId);
  return {
    name: principal.email,
    via,
    ...(role === undefined ? {} : { role }),
    teams: principal.memberships.flatMap(({ teamSlug }) => teamSlug ?? []),
  };
}
