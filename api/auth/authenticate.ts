import { timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import type { Database } from '../../db/database.ts';
import { findApiToken, findSession, getPerson, touchApiToken, touchSession } from '../../db/identity.ts';
import { secretPrefixes } from '../../db/secrets.ts';
import type { Role } from '../../domain/roles.ts';
import { readSessionCookie } from './cookies.ts';
import { ForeignRequestError, UnauthenticatedError } from './errors.ts';
import { assertRole, type Principal } from './principal.ts';

export interface AuthenticateDeps {
  db: Pick<Database, 'unscoped' | 'read' | 'write'>;
  /** PUBLIC_URL is https: cookies travel over https only. */
  secureCookies: boolean;
}

const principals = new WeakMap<Request, Principal>();

/** The person who sent the request. Throws UnauthenticatedError when nobody is signed in. */
export function principalOf(request: Request): Principal {
  const principal = principals.get(request);
  if (!principal) throw new UnauthenticatedError('sign in, or send an API token as Bearer');
  return principal;
}

/** As `principalOf`, or undefined for what may also be seen without signing in. */
export function principalIfAny(request: Request): Principal | undefined {
  return principals.get(request);
}

/**
 * Finds out who asks: by the Bearer token where there is one, else by the session's cookie. A wrong token is
 * refused at once; no token, or a session that has ended, is nobody. A request by cookie that may change
 * something must carry the session's token (header X-CSRF-Token or form field _csrf): mount it behind the
 * parser of forms.
 */
export function authenticate(deps: AuthenticateDeps): RequestHandler {
  return async (request, _response, next) => {
    const bearer = bearerOf(request);
    if (bearer !== undefined) {
      principals.set(request, await byToken(deps, bearer));
    } else {
      const principal = await byCookie(deps, request);
      if (principal) {
        if (principal.session && !isSafe(request)) assertOwnForm(request, principal.session.csrfToken);
        principals.set(request, principal);
      }
    }
    next();
  };
}

/** Refuses whoever has less than `needed` in the organization; on rows of a team use `assertRole`. */
export function requireRole(needed: Role): RequestHandler {
  return (request, _response, next) => {
    assertRole(principalOf(request), needed, null);
    next();
  };
}

/** The token of `Authorization: Bearer …`. Throws UnauthenticatedError on any other scheme. */
export function bearerOf(request: Request): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const token = /^Bearer +([\w.~+/=-]{1,512}) *$/i.exec(header)?.[1];
  if (token === undefined)
    throw new UnauthenticatedError("write the header as 'Authorization: Bearer <token>'");
  return token;
}

/** Refuses what a page of another site sent: for forms that stand before a session, such as signing in. */
export const requireSameSite: RequestHandler = (request, _response, next) => {
  if (!isSafe(request)) assertSameSite(request);
  next();
};

async function byToken(deps: AuthenticateDeps, token: string): Promise<Principal> {
  const found = await findApiToken(deps.db, token);
  if (!found) {
    throw new UnauthenticatedError(
      token.startsWith(secretPrefixes.ingestKey)
        ? 'this is an ingest key, which opens the intake endpoints only: send an API token'
        : 'the API token is unknown or was revoked',
    );
  }
  const principal = await load(deps, found);
  if (!principal) throw new UnauthenticatedError('the API token is unknown or was revoked');
  if (isTimeToTouch(found.tokenId)) await deps.db.write(found, (tx) => touchApiToken(tx, found.tokenId));
  return principal;
}

/** Who is signed in, for what acts by other means and only asks whether that is the same person. */
export async function signedInPerson(
  deps: AuthenticateDeps,
  request: Request,
): Promise<Principal | undefined> {
  return await byCookie(deps, request);
}

async function byCookie(deps: AuthenticateDeps, request: Request): Promise<Principal | undefined> {
  const token = readSessionCookie(request.headers, deps.secureCookies);
  if (token === undefined) return undefined;
  const found = await findSession(deps.db, token);
  if (!found) return undefined;
  const principal = await load(deps, found);
  if (!principal) return undefined;
  if (isTimeToTouch(found.sessionId)) await deps.db.write(found, (tx) => touchSession(tx, found.sessionId));
  return { ...principal, session: { id: found.sessionId, csrfToken: found.csrfToken } };
}

async function load(
  deps: AuthenticateDeps,
  found: { orgId: string; userId: string },
): Promise<Principal | undefined> {
  const person = await deps.db.read({ orgId: found.orgId }, (tx) => getPerson(tx, found.userId));
  if (!person) return undefined;
  const { userId, email, name, memberships } = person;
  return { orgId: found.orgId, userId, email, name, memberships };
}

const touched = new Map<string, number>();

/** 'Last used' is exact to a minute, so that a reading request seldom writes. */
function isTimeToTouch(id: string): boolean {
  const now = Date.now();
  if (now - (touched.get(id) ?? 0) < 60_000) return false;
  if (touched.size > 10_000) touched.clear();
  touched.set(id, now);
  return true;
}

const isSafe = (request: Request) => ['GET', 'HEAD', 'OPTIONS'].includes(request.method);

function assertOwnForm(request: Request, csrfToken: string): void {
  assertSameSite(request);
  const body: unknown = request.body;
  const field = typeof body === 'object' && body !== null && '_csrf' in body ? body._csrf : undefined;
  const given = request.get('x-csrf-token') ?? field;
  if (typeof given !== 'string' || !equalInConstantTime(given, csrfToken)) {
    throw new ForeignRequestError(
      'the form is not one of this session: reload the page and send it again (scripts: X-CSRF-Token)',
    );
  }
}

/** Throws ForeignRequestError. Browsers say where a request comes from; other clients say nothing and are not tricked into it either. */
export function assertSameSite(request: Request): void {
  const site = request.get('sec-fetch-site');
  const origin = request.get('origin');
  const foreign =
    site === 'cross-site' ||
    site === 'same-site' ||
    (site === undefined && origin !== undefined && hostOf(origin) !== request.get('host'));
  if (foreign) throw new ForeignRequestError('the request comes from another site');
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function equalInConstantTime(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
