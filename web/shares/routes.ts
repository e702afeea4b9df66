import { type Request, type Response, Router } from 'express';
import { createAttempts } from '../../api/auth/attempts.ts';
import { listPeople } from '../../db/identity.ts';
import { getIncidentHead, listIncidentAlerts, listTimeline } from '../../db/incident-detail.ts';
import { listIncidentChanges } from '../../db/incident-evidence.ts';
import { listIncidentNotifications } from '../../db/notifications-read.ts';
import {
  createShare,
  listShares,
  noteShareOpened,
  openShare,
  revokeShare,
  TooManySharesError,
} from '../../db/shares.ts';
import { durationMs } from '../../domain/duration.ts';
import type { WebDeps } from '../deps.ts';
import { commandedIncident } from '../incidents/commanded.ts';
import { numberOf } from '../incidents/number.ts';
import { posted } from '../layout/fields.ts';
import { setFlash } from '../layout/flash.ts';
import type { Pages } from '../layout/pages.ts';
import { uuidOf } from '../layout/uuid.ts';
import { visitorOf } from '../visitor.ts';
import { type ShareListView, sharedView, shareLengths, shareListView } from './view.ts';

const alertsShown = 20;
const timelineShown = 200;
/** Of one address: enough for an office that watches an outage, too few to guess by or to keep the database busy. */
const asksPerMinute = 120;

/** The page that a shared link opens: for anybody who has the link, and nothing on it acts. */
export function sharedIncidentRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();
  const attempts = createAttempts(asksPerMinute, 60_000);

  router.get('/shared/:token', async (request, response) => {
    attempts.take([`address ${request.ip ?? ''}`], Date.now());
    const share = await openShare(deps.db, request.params.token);
    response.set({ 'Referrer-Policy': 'no-referrer', 'X-Robots-Tag': 'noindex, nofollow' });
    const found = share && (await read(share.orgId, share.incidentNumber));
    if (!share || !found) {
      pages.alone(request, response, {
        template: 'shares/gone',
        view: {},
        title: 'Link',
        status: 410,
        secret: true,
      });
      return;
    }
    // what looks at links before people do, as mail filters and chats, asks for the head alone
    if (request.method === 'GET') {
      await deps.db.write({ orgId: share.orgId }, (tx) => noteShareOpened(tx, share.shareId));
    }
    const view = sharedView({ ...found, expiresAt: share.expiresAt, now: pages.now() });
    pages.alone(request, response, {
      template: 'shares/show',
      view,
      title: `#${view.number} ${view.title}`,
      wide: true,
      secret: true,
    });
  });

  async function read(orgId: string, number: number) {
    return await deps.db.read({ orgId }, async (tx) => {
      const incident = await getIncidentHead(tx, number);
      if (!incident) return undefined;
      const incidentId = incident.id;
      return {
        incident,
        changes: await listIncidentChanges(tx, incidentId),
        alerts: (await listIncidentAlerts(tx, { incidentId, limit: alertsShown })).items,
        timeline: (await listTimeline(tx, { incidentId, limit: timelineShown, newestFirst: true })).items,
        notifications: (await listIncidentNotifications(tx, { incidentId, limit: 50 })).items,
        people: await listPeople(tx),
      };
    });
  }

  return router;
}

/** Making and revoking such links. */
export function shareRoutes(deps: WebDeps, pages: Pages): Router {
  const router = Router();

  router.get('/incidents/:number/shares', async (request, response) => {
    await show(request, response, { newLink: null, problem: null });
  });

  router.post('/incidents/:number/shares', async (request, response) => {
    const incident = await commandedIncident(deps, request, numberOf(request));
    const { scope, orgId, email } = visitorOf(request);
    const length = shareLengths.find(({ value }) => value === posted(request.body, 'for'))?.value ?? '7d';
    try {
      const { share, token } = await deps.db.write(scope, (tx) =>
        createShare(tx, { orgId, incident, actor: email, forMs: durationMs(length) }),
      );
      const url = `${deps.publicUrl}/shared/${token}`;
      await show(request, response, {
        newLink: { url, expiresAt: share.expiresAt.toISOString() },
        problem: null,
      });
    } catch (error) {
      if (!(error instanceof TooManySharesError)) throw error;
      await show(request, response, { newLink: null, problem: error.message });
    }
  });

  router.post('/incidents/:number/shares/:share/revoke', async (request, response) => {
    const incident = await commandedIncident(deps, request, numberOf(request));
    const { scope, orgId, email } = visitorOf(request);
    const shareId = uuidOf(request.params.share, 'link');
    const done = await deps.db.write(scope, (tx) =>
      revokeShare(tx, { orgId, incident, shareId, actor: email }),
    );
    setFlash(response, done ? 'good' : 'plain', done ? 'The link is revoked.' : 'It was revoked already.');
    response.redirect(303, `/incidents/${incident.number}/shares`);
  });

  async function show(
    request: Request,
    response: Response,
    given: Pick<ShareListView, 'newLink' | 'problem'>,
  ): Promise<void> {
    const incident = await commandedIncident(deps, request, numberOf(request));
    const view = await deps.db.read(visitorOf(request).scope, async (tx) =>
      shareListView(incident, await listShares(tx, incident.id), await listPeople(tx), given),
    );
    await pages.show(request, response, {
      template: 'shares/list',
      view,
      title: `Share #${incident.number}`,
      section: 'incidents',
      teamId: incident.teamId,
      narrow: true,
      secret: given.newLink !== null,
    });
  }

  return router;
}
