import { Router } from 'express';
import { mayOn } from '../../api/auth/principal.ts';
import { clearChatMessages, listChatMessages } from '../../db/chat-history.ts';
import { InvalidCursorError } from '../../db/cursor.ts';
import {
  findLinkCode,
  identityProviders,
  linkIdentity,
  listIdentities,
  unlinkIdentity,
  useLinkCode,
} from '../../db/user-identities.ts';
import type { WebDeps } from '../deps.ts';
import { posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import type { Pages } from '../layout/pages.ts';
import { assertVisitorRole, visitorOf } from '../visitor.ts';
import { historyView, linkView, providerNames } from './view.ts';

const base = '/chat';
const pageSize = 50;

/** What was asked in chat, who one is there, and the address that says so. */
export function chatRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get(base, async (request, response) => {
    const { scope, userId, principal } = visitorOf(request);
    const everybody = posted(request.query, 'whose') === 'all' && mayOn(principal, 'admin', null);
    const q = posted(request.query, 'q').slice(0, 200);
    const cursor = posted(request.query, 'cursor');
    const found = await deps.db.read(scope, async (tx) => ({
      page: await listChatMessages(tx, {
        userId: everybody ? null : userId,
        q,
        limit: pageSize,
        ...(cursor === '' ? {} : { cursor }),
      }).catch((error: unknown) => {
        // an address that was cut short shows the first page
        if (!(error instanceof InvalidCursorError)) throw error;
        return { items: [] };
      }),
      identities: await listIdentities(tx, userId),
    }));
    await pages.show(request, response, {
      template: 'chat/history',
      view: historyView({ ...found, everybody, q, paged: cursor !== '' }),
      title: 'Chat',
      section: 'notifications',
    });
  });

  router.post(`${base}/clear`, async (request, response) => {
    const { scope, orgId, userId, email } = visitorOf(request);
    const everybody = posted(request.body, 'whose') === 'all';
    if (everybody) assertVisitorRole(request, 'admin', null);
    const cleared = await deps.db.write(scope, (tx) =>
      clearChatMessages(tx, { orgId, userId: everybody ? null : userId, actor: email }),
    );
    setFlash(response, 'good', `${cleared} ${cleared === 1 ? 'message is' : 'messages are'} forgotten.`);
    response.redirect(303, everybody ? `${base}?whose=all` : base);
  });

  router.post(`${base}/unlink`, async (request, response) => {
    const { scope, orgId, userId, email } = visitorOf(request);
    const externalId = posted(request.body, 'externalId');
    const provider = identityProviders.find((known) => known === posted(request.body, 'provider'));
    const done =
      provider !== undefined &&
      (await deps.db.write(scope, (tx) =>
        unlinkIdentity(tx, { orgId, userId, provider, externalId, actor: email }),
      ));
    if (done)
      setFlash(response, 'good', 'Disconnected: what is pressed there is not done in your name any more.');
    else setFlash(response, 'plain', 'It was disconnected already.');
    response.redirect(303, base);
  });

  router.get(`${base}/link/:code`, async (request, response) => {
    const { scope, email, name } = visitorOf(request);
    const person = await deps.db.read(scope, (tx) => findLinkCode(tx, String(request.params.code)));
    await pages.show(request, response, {
      template: 'chat/link',
      view: linkView({ code: String(request.params.code), person, email, name }),
      title: 'Connect your account',
      section: 'notifications',
      narrow: true,
      status: person ? 200 : 410,
      secret: true,
    });
  });

  router.post(`${base}/link/:code`, async (request, response) => {
    const { scope, orgId, userId, email, name } = visitorOf(request);
    const code = String(request.params.code);
    const linked = await deps.db.write(scope, async (tx) => {
      const person = await useLinkCode(tx, code);
      if (person) await linkIdentity(tx, { ...person, orgId, userId, actor: email, how: 'code' });
      return person;
    });
    if (!linked) {
      await pages.show(request, response, {
        template: 'chat/link',
        view: linkView({ code, person: undefined, email, name }),
        title: 'Connect your account',
        section: 'notifications',
        narrow: true,
        status: 410,
      });
      return;
    }
    const where = providerNames[linked.provider];
    setFlash(response, 'good', `Connected: ${linked.name} of ${where} acts in your name from now on.`);
    response.redirect(303, base);
  });

  return router;
}
