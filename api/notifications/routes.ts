import type { Database } from '../../db/database.ts';
import { causeSeenBy, getMessage, listMessages, sentMessage } from '../../db/notification-log.ts';
import { why } from '../../domain/why.ts';
import { type FoundOrigin, findOrigin, type OriginReader } from '../../workflows/messages-origin.ts';
import { logReader, scopeOf } from '../auth/principal.ts';
import { type Endpoint, pageOf, personEndpoint, presentPage } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { presentNotification } from './presenter.ts';
import { explainedNotification, notificationParams, notificationQuery, notificationShown } from './schema.ts';

const tag = 'Notifications';
const base = '/api/v1/notifications';

export function notificationEndpoints(deps: {
  db: Pick<Database, 'read'>;
  readOrigin: OriginReader;
  workflowUrl(workflowId: string): string | null;
}): Endpoint[] {
  const { db } = deps;

  return [
    personEndpoint({
      method: 'get',
      path: base,
      tag,
      summary: 'The log of messages, the newest first, with their outcome and latency',
      access: 'viewer',
      query: notificationQuery,
      status: 200,
      response: pageOf(notificationShown),
      handle: async ({ principal, query }) => {
        const page = await db.read(scopeOf(principal), (tx) => listMessages(tx, logReader(principal), query));
        return presentPage(page, presentNotification);
      },
    }),
    personEndpoint({
      method: 'get',
      path: `${base}/{id}`,
      tag,
      summary: "One message, why it was sent, and the event in its workflow's history",
      access: 'viewer',
      params: notificationParams,
      status: 200,
      response: explainedNotification,
      errors: { 404: 'No message of this id' },
      handle: async ({ principal, params: { id } }) => {
        const message = await db.read(scopeOf(principal), (tx) =>
          getMessage(tx, logReader(principal), { id }),
        );
        if (!message) throw new NotFoundError(`notification ${id}`);
        const found = await findOrigin(deps.readOrigin, principal.orgId, message);
        const told = found?.origin?.cause ?? message.cause;
        const explained = { ...message, cause: causeSeenBy(logReader(principal), message, told) };
        return {
          ...presentNotification(message),
          why: why(sentMessage(explained), { email: principal.email, timeZone: 'UTC' }),
          cause: explained.cause && { ...explained.cause },
          workflow: found && presentOrigin(found, deps.workflowUrl),
        };
      },
    }),
  ];
}

function presentOrigin(
  { workflowId, origin, note }: FoundOrigin,
  workflowUrl: (workflowId: string) => string | null,
) {
  return {
    id: workflowId,
    url: workflowUrl(workflowId),
    event: origin && { runId: origin.runId, id: origin.eventId, at: origin.at },
    note,
  };
}
