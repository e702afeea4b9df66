import type { Database } from '../../db/database.ts';
import { findChannelById } from '../../db/policies.ts';
import { HttpError, UnauthenticatedError } from '../auth/errors.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';
import { ConflictError, type ErrorLog, NotFoundError, parseOrRefuse } from '../errors.ts';
import { receiveWebhook, webhookPayload } from '../webhook.ts';
import { type PagerDutyDeps, performPagerDutyEvent } from './perform.ts';
import { pagerDutyAnswer, pagerDutyHeaders, pagerDutyParams, pagerDutyPayload } from './schema.ts';
import { verifyPagerDutySignature } from './signature.ts';

export interface PagerDutyEndpointDeps extends PagerDutyDeps {
  db: Pick<Database, 'read' | 'write' | 'unscoped'>;
  chat: {
    /** What a channel hides: the thing itself, or what is kept where it says. Throws where that cannot be read. */
    readHidden(orgId: string, hidden: string): Promise<string>;
  };
  log: ErrorLog;
}

/** What PagerDuty says that people did there. */
export function pagerDutyEndpoints(deps: PagerDutyEndpointDeps): Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/api/v1/pagerduty/{id}',
      tag: 'Notification channels',
      summary: 'Take a webhook (v3) of PagerDuty: acknowledged, resolved and noted there is so here',
      access: 'public',
      params: pagerDutyParams,
      alsoReads: { body: pagerDutyPayload, headers: pagerDutyHeaders, query: pagerDutyParams.pick({}) },
      status: 202,
      response: pagerDutyAnswer,
      errors: {
        401: 'No signature, or a wrong one',
        404: 'No PagerDuty channel of this id',
        409: 'The channel has no webhook secret',
        413: 'More than 1 MB',
        503: 'Not available now: PagerDuty sends it again',
      },
      handle: async ({ params: { id }, request }) => {
        const found = await deps.db.unscoped((tx) => findChannelById(tx, id));
        if (found?.definition.type !== 'pagerduty') throw new NotFoundError(`PagerDuty channel ${id}`);
        const { orgId, name, definition } = found;
        if (definition.webhookSecret === undefined) {
          throw new ConflictError(
            `the channel '${name}' has no webhookSecret: set that of the webhook subscription of PagerDuty`,
          );
        }
        const received = await receiveWebhook(request, 1);
        const secret = await readOrRefuse(deps, found, definition.webhookSecret);
        const verification = verifyPagerDutySignature(received, secret);
        if (verification !== 'valid') throw new UnauthenticatedError(unverified[verification]);
        const { event } = parseOrRefuse(pagerDutyPayload, webhookPayload(received));
        return await performPagerDutyEvent(deps, { orgId, name }, event);
      },
    }),
  ];
}

/** Why it cannot be read is for the log: whoever asks has not proved who they are. */
async function readOrRefuse(
  { chat, log }: PagerDutyEndpointDeps,
  { orgId, name }: { orgId: string; name: string },
  hidden: string,
): Promise<string> {
  try {
    return await chat.readHidden(orgId, hidden);
  } catch (error) {
    log.error({ err: error, channel: name }, 'the secret of a PagerDuty channel cannot be read');
    throw new HttpError(503, 'Not available now', `the secret of the channel '${name}' cannot be read`, {
      cause: error,
    });
  }
}

const unverified = {
  missing: 'send X-PagerDuty-Signature, as a webhook subscription (v3) of PagerDuty does',
  wrong: "the signature is not the one of this channel's webhook subscription: set its webhookSecret anew",
};
