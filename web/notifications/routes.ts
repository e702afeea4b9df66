import { Router } from 'express';
import { logReader } from '../../api/auth/principal.ts';
import { InvalidCursorError } from '../../db/cursor.ts';
import { getMessage, listMessages, readDeliveryFigures } from '../../db/notification-log.ts';
import { findOrigin } from '../../workflows/messages-origin.ts';
import type { WebDeps } from '../deps.ts';
import { NotFoundError, type Pages } from '../layout/pages.ts';
import { readerZone } from '../on-call/reader-zone.ts';
import { visitorOf } from '../visitor.ts';
import { filterOf, logView, notificationsPath, pageSize, parseLogQuery } from './list-view.ts';
import { messageView } from './show-view.ts';

const dayMs = 86_400_000;

/** The log of messages, and of each why it was sent. */
export function notificationRoutes(
  deps: Pick<WebDeps, 'db' | 'readOrigin' | 'timeZone' | 'workflowUrl'>,
  pages: Pages,
): Router {
  const { db } = deps;
  const router = Router();

  router.get(notificationsPath, async (request, response) => {
    const { scope, principal } = visitorOf(request);
    const asked = parseLogQuery(request.query);
    const read = (cursor: string) =>
      db.read(scope, async (tx) => ({
        page: await listMessages(tx, logReader(principal), {
          ...filterOf(asked),
          limit: pageSize,
          cursor: cursor || undefined,
        }),
        figures: await readDeliveryFigures(tx, new Date(pages.now() - dayMs)),
      }));
    const found = await read(asked.cursor).catch((error: unknown) => {
      // an address that was cut: from the newest again
      if (error instanceof InvalidCursorError) return read('');
      throw error;
    });
    await pages.show(request, response, {
      template: 'notifications/list',
      view: logView(asked, found),
      title: 'Notifications',
      section: 'notifications',
    });
  });

  // what a message itself links to: it knows its key before it has a number
  router.get(`${notificationsPath}/find`, async (request, response) => {
    const key = typeof request.query.key === 'string' ? request.query.key : '';
    const message = await db.read(visitorOf(request).scope, (tx) =>
      getMessage(tx, logReader(visitorOf(request).principal), { key }),
    );
    if (!message) throw notThere();
    response.redirect(303, `${notificationsPath}/${message.id}`);
  });

  router.get(`${notificationsPath}/:id`, async (request, response) => {
    const { principal, scope, orgId, userId } = visitorOf(request);
    const id = Number(request.params.id);
    if (!Number.isSafeInteger(id) || id < 1) throw notThere();
    const { message, timeZone } = await db.read(scope, async (tx) => ({
      message: await getMessage(tx, logReader(principal), { id }),
      timeZone: await readerZone(tx, userId, deps.timeZone),
    }));
    if (!message) throw notThere();
    const found = await findOrigin(deps.readOrigin, orgId, message);
    await pages.show(request, response, {
      template: 'notifications/show',
      view: messageView(message, found, {
        reader: { ...logReader(principal), timeZone },
        workflowUrl: deps.workflowUrl,
      }),
      title: 'Why was this sent?',
      section: 'notifications',
    });
  });

  return router;
}

function notThere(): NotFoundError {
  return new NotFoundError('There is no such message, or it is about an incident of another team.');
}
