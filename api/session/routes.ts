import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import {
  createApiToken,
  endSession,
  listApiTokens,
  listSessions,
  revokeApiToken,
  setPassword,
} from '../../db/identity.ts';
import { assertSameSite } from '../auth/authenticate.ts';
import { clearSessionCookie, setSessionCookie } from '../auth/cookies.ts';
import { hashPassword } from '../auth/passwords.ts';
import { scopeOf } from '../auth/principal.ts';
import type { SignIn } from '../auth/sign-in.ts';
import { type Endpoint, endpoint, iso, isoOrNull, personEndpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import {
  apiToken,
  idParams,
  me,
  newToken,
  passwordBody,
  session,
  signedIn,
  signInBody,
  tokenBody,
} from './schema.ts';

const tag = 'Session';

export function sessionEndpoints(deps: {
  db: Pick<Database, 'read' | 'write'>;
  signIn: SignIn;
  secureCookies: boolean;
}): Endpoint[] {
  const { db, signIn, secureCookies } = deps;
  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/me',
      tag,
      summary: 'Who is asking, and what they may',
      access: 'viewer',
      status: 200,
      response: me,
      handle: async ({ principal }) => ({
        email: principal.email,
        name: principal.name,
        memberships: principal.memberships,
        csrfToken: principal.session?.csrfToken ?? null,
      }),
    }),
    endpoint({
      method: 'post',
      path: '/api/v1/session',
      tag,
      summary: 'Sign in by password: the session comes as a cookie',
      access: 'public',
      body: signInBody,
      status: 201,
      response: signedIn,
      errors: { 401: 'Wrong mail address or password', 429: 'Too many attempts' },
      handle: async ({ body, request }) => {
        assertSameSite(request);
        const visitor = { address: request.ip ?? '', userAgent: request.get('user-agent') ?? '' };
        const { token, csrfToken, expiresAt } = await signIn.byPassword(body, visitor);
        if (request.res) setSessionCookie(request.res, token, expiresAt, secureCookies);
        return { csrfToken, expiresAt: iso(expiresAt) };
      },
    }),
    personEndpoint({
      method: 'delete',
      path: '/api/v1/session',
      tag,
      summary: 'Sign out',
      access: 'viewer',
      status: 204,
      handle: async ({ principal, request }) => {
        await signIn.signOut(principal);
        if (request.res) clearSessionCookie(request.res, secureCookies);
        return undefined;
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/sessions',
      tag,
      summary: 'Where one is signed in',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(session) }),
      handle: async ({ principal }) => {
        const sessions = await db.read(scopeOf(principal), (tx) => listSessions(tx, principal.userId));
        return {
          items: sessions.map((item) => ({
            id: item.id,
            userAgent: item.userAgent,
            createdAt: iso(item.createdAt),
            lastSeenAt: iso(item.lastSeenAt),
            expiresAt: iso(item.expiresAt),
            isThis: item.id === principal.session?.id,
          })),
        };
      },
    }),
    personEndpoint({
      method: 'delete',
      path: '/api/v1/sessions/{id}',
      tag,
      summary: 'End one of them',
      access: 'viewer',
      params: idParams,
      status: 204,
      errors: { 404: 'No session of this id' },
      handle: async ({ principal, params }) => {
        const { orgId, userId, email: actor } = principal;
        const ended = await db.write(scopeOf(principal), (tx) =>
          endSession(tx, { orgId, userId, sessionId: params.id, actor }),
        );
        if (!ended) throw new NotFoundError(`session ${params.id}`);
        return undefined;
      },
    }),
    personEndpoint({
      method: 'put',
      path: '/api/v1/password',
      tag,
      summary: 'Set the own password: the other sessions end',
      access: 'viewer',
      body: passwordBody,
      status: 204,
      handle: async ({ principal, body }) => {
        const { orgId, userId, email: actor, session: current } = principal;
        const passwordHash = await hashPassword(body.password);
        await db.write(scopeOf(principal), (tx) =>
          setPassword(tx, {
            orgId,
            userId,
            actor,
            passwordHash,
            ...(current ? { keepSessionId: current.id } : {}),
          }),
        );
        return undefined;
      },
    }),
    personEndpoint({
      method: 'get',
      path: '/api/v1/tokens',
      tag,
      summary: 'The own API tokens',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(apiToken) }),
      handle: async ({ principal }) => {
        const tokens = await db.read(scopeOf(principal), (tx) => listApiTokens(tx, principal.userId));
        return {
          items: tokens.map((token) => ({
            id: token.id,
            name: token.name,
            createdAt: iso(token.createdAt),
            lastUsedAt: isoOrNull(token.lastUsedAt),
          })),
        };
      },
    }),
    personEndpoint({
      method: 'post',
      path: '/api/v1/tokens',
      tag,
      summary: 'Make an API token, which may what its user may',
      access: 'viewer',
      body: tokenBody,
      status: 201,
      response: newToken,
      handle: async ({ principal, body }) => {
        const { orgId, userId, email: actor } = principal;
        return await db.write(scopeOf(principal), (tx) =>
          createApiToken(tx, { orgId, userId, name: body.name, actor }),
        );
      },
    }),
    personEndpoint({
      method: 'delete',
      path: '/api/v1/tokens/{id}',
      tag,
      summary: 'Revoke an API token',
      access: 'viewer',
      params: idParams,
      status: 204,
      errors: { 404: 'No token of this id' },
      handle: async ({ principal, params }) => {
        const { orgId, userId, email: actor } = principal;
        const revoked = await db.write(scopeOf(principal), (tx) =>
          revokeApiToken(tx, { orgId, userId, tokenId: params.id, actor }),
        );
        if (!revoked) throw new NotFoundError(`token ${params.id}`);
        return undefined;
      },
    }),
  ];
}
