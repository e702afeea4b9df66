import { type Request, type Response, Router } from 'express';
import { hashPassword } from '../../api/auth/passwords.ts';
import { createCalendarFeed, listCalendarFeeds, revokeCalendarFeed } from '../../db/calendar-feeds.ts';
import { getContactSettings, lastContactTests } from '../../db/contact-rules.ts';
import {
  createApiToken,
  endSession,
  listApiTokens,
  listSessions,
  revokeApiToken,
  setPassword,
} from '../../db/identity.ts';
import { listIdentities } from '../../db/user-identities.ts';
import type { WebDeps } from '../deps.ts';
import { field, type Problems, posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import type { Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { calendarLinksView, calendarUrl } from '../on-call/calendar-links.ts';
import { visitorOf } from '../visitor.ts';
import { contactView } from './contact-view.ts';

const shortestPassword = 12;
const base = '/settings/account';

/** What a person has: ways to be reached, tokens, sessions, a password. */
export function accountRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, async (request, response) => {
    await show(request, response, {});
  });

  router.post(`${base}/tokens`, async (request, response) => {
    const { scope, orgId, userId, email } = visitorOf(request);
    const name = posted(request.body, 'name').slice(0, 100);
    if (name === '') {
      await show(request, response, { problems: { name: 'Say what it is for, such as deploy script.' } });
      return;
    }
    const { token } = await deps.db.write(scope, (tx) =>
      createApiToken(tx, { orgId, userId, name, actor: email }),
    );
    await show(request, response, { newToken: { name, token } });
  });

  router.post(`${base}/tokens/:id/revoke`, async (request, response) => {
    const { scope, orgId, userId, email } = visitorOf(request);
    const tokenId = uuidOf(request.params.id, 'token');
    const done = await deps.db.write(scope, (tx) =>
      revokeApiToken(tx, { orgId, userId, tokenId, actor: email }),
    );
    setFlash(response, done ? 'good' : 'plain', done ? 'The token is revoked.' : 'It was revoked already.');
    response.redirect(303, base);
  });

  router.post(`${base}/calendar-feeds`, async (request, response) => {
    const { scope, orgId, userId, email: actor } = visitorOf(request);
    const { token } = await deps.db.write(scope, (tx) =>
      createCalendarFeed(tx, { orgId, of: { userId }, actor }),
    );
    await show(request, response, { newCalendar: calendarUrl(deps.publicUrl, token) });
  });

  router.post(`${base}/calendar-feeds/:id/revoke`, async (request, response) => {
    const { scope, orgId, userId, email: actor } = visitorOf(request);
    const id = uuidOf(request.params.id, 'link');
    const done = await deps.db.write(scope, (tx) =>
      revokeCalendarFeed(tx, { orgId, of: { userId }, id, actor }),
    );
    setFlash(response, done ? 'good' : 'plain', done ? 'The link is revoked.' : 'It was revoked already.');
    response.redirect(303, base);
  });

  router.post(`${base}/sessions/:id/end`, async (request, response) => {
    const { scope, orgId, userId, email } = visitorOf(request);
    const sessionId = uuidOf(request.params.id, 'session');
    const done = await deps.db.write(scope, (tx) =>
      endSession(tx, { orgId, userId, sessionId, actor: email }),
    );
    setFlash(response, done ? 'good' : 'plain', done ? 'The session is ended.' : 'It had ended already.');
    response.redirect(303, base);
  });

  router.post(`${base}/password`, async (request, response) => {
    const { scope, orgId, userId, email, sessionId } = visitorOf(request);
    // spaces around a password are part of it
    const raw: unknown = request.body?.password;
    const password = typeof raw === 'string' ? raw : '';
    if (password.length < shortestPassword || password.length > 1000) {
      await show(request, response, {
        problems: { password: `Use at least ${shortestPassword} characters.` },
      });
      return;
    }
    const passwordHash = await hashPassword(password);
    await deps.db.write(scope, (tx) =>
      setPassword(tx, { orgId, userId, passwordHash, keepSessionId: sessionId, actor: email }),
    );
    setFlash(response, 'good', 'The password is set, and your other sessions are ended.');
    response.redirect(303, base);
  });

  async function show(
    request: Request,
    response: Response,
    given: { problems?: Problems; newToken?: { name: string; token: string }; newCalendar?: string },
  ): Promise<void> {
    const { scope, userId, sessionId, email, name } = visitorOf(request);
    const { tokens, sessions, contact, feeds } = await deps.db.read(scope, async (tx) => {
      const settings = await getContactSettings(tx, userId);
      return {
        tokens: await listApiTokens(tx, userId),
        sessions: await listSessions(tx, userId),
        feeds: await listCalendarFeeds(tx, { userId }),
        contact: contactView({
          email,
          rules: settings?.rules ?? [],
          timeZone: settings?.timeZone ?? null,
          tests: await lastContactTests(tx, email),
          identities: await listIdentities(tx, userId),
        }),
      };
    });
    await pages.show(request, response, {
      template: 'settings/account',
      view: {
        email,
        name,
        newToken: given.newToken ?? null,
        contact,
        calendar: calendarLinksView(feeds, `${base}/calendar-feeds`, given.newCalendar ?? null),
        tokens: tokens.map((token) => ({
          id: token.id,
          name: token.name,
          createdAt: token.createdAt.toISOString(),
          lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
        })),
        sessions: sessions.map((session) => ({
          id: session.id,
          userAgent: browserName(session.userAgent),
          createdAt: session.createdAt.toISOString(),
          lastSeenAt: session.lastSeenAt.toISOString(),
          current: session.id === sessionId,
        })),
        tokenForm: { name: field('name', 'What is it for?', { ...given, id: 'token-name' }) },
        passwordForm: {
          password: field('password', 'New password', {
            ...given,
            type: 'password',
            hint: `At least ${shortestPassword} characters`,
          }),
        },
      },
      title: 'Your account',
      section: 'settings',
      narrow: true,
      status: given.problems ? 422 : 200,
      secret: given.newToken !== undefined || given.newCalendar !== undefined,
    });
  }

  return router;
}

/** 'Firefox on Linux' of a user agent; what it says itself where it is none of the usual. */
export function browserName(userAgent: string): string {
  const browser = [
    [/Edg\//, 'Edge'],
    [/Firefox\//, 'Firefox'],
    [/Chrome\//, 'Chrome'],
    [/Safari\//, 'Safari'],
  ].find(([pattern]) => (pattern as RegExp).test(userAgent))?.[1];
  const system = [
    [/iPhone|iPad/, 'iOS'],
    [/Android/, 'Android'],
    [/Windows/, 'Windows'],
    [/Mac OS X/, 'macOS'],
    [/Linux/, 'Linux'],
  ].find(([pattern]) => (pattern as RegExp).test(userAgent))?.[1];
  if (!browser) return userAgent.slice(0, 80) || 'Unknown';
  return system ? `${String(browser)} on ${String(system)}` : String(browser);
}
