import type { Request, RequestHandler } from 'express';
import { principalIfAny } from '../api/auth/authenticate.ts';
import { assertRole, type Principal, scopeOf } from '../api/auth/principal.ts';
import type { Scope } from '../db/database.ts';
import type { Role } from '../domain/roles.ts';

/** Who looks at the pages, by the session that `authenticate` found. */
export interface Visitor {
  principal: Principal;
  orgId: string;
  userId: string;
  /** Acts in this name. */
  email: string;
  name: string;
  sessionId: string;
  csrfToken: string;
  scope: Scope;
}

/** The visitor of this request. Throws where the page forgot to ask for one. */
export function visitorOf(request: Request): Visitor {
  const visitor = visitorIfAny(request);
  if (!visitor) throw new Error('this page has no visitor: mount it behind requireVisitor');
  return visitor;
}

export function visitorIfAny(request: Request): Visitor | undefined {
  const principal = principalIfAny(request);
  // an API token opens the API; pages and their forms go by session
  if (!principal?.session) return undefined;
  return {
    principal,
    orgId: principal.orgId,
    userId: principal.userId,
    email: principal.email,
    name: principal.name,
    sessionId: principal.session.id,
    csrfToken: principal.session.csrfToken,
    scope: scopeOf(principal),
  };
}

/** Sends who has no session to the sign-in page, which leads back. */
export const requireVisitor: RequestHandler = (request, response, next) => {
  if (visitorIfAny(request)) {
    next();
    return;
  }
  const back = request.method === 'GET' ? request.originalUrl : '/incidents';
  response.redirect(303, `/sign-in?back=${encodeURIComponent(back)}`);
};

/** Throws ForbiddenError unless the visitor has `needed` or more on what `teamId` owns. */
export function assertVisitorRole(request: Request, needed: Role, teamId: string | null): void {
  assertRole(visitorOf(request).principal, needed, teamId);
}

/** For what belongs to the whole organization, such as policies and members. */
export function requireRole(needed: Role): RequestHandler {
  return (request, _response, next) => {
    assertVisitorRole(request, needed, null);
    next();
  };
}

/** Aborted when the reader has gone: what takes long need not go on. */
export function whenLeft(request: Request): AbortSignal {
  const left = new AbortController();
  request.res?.once('close', () => left.abort());
  return left.signal;
}
