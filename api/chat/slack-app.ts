import type { Database } from '../../db/database.ts';
import { findChannelById } from '../../db/policies.ts';
import { HttpError, UnauthenticatedError } from '../auth/errors.ts';
import { ConflictError, type ErrorLog, NotFoundError } from '../errors.ts';
import type { WebhookRequest } from '../webhook.ts';
import { verifySlackSignature } from './slack-signature.ts';

/** The Slack app that a channel belongs to, whose requests are answered. */
export interface SlackApp {
  orgId: string;
  /** Of the notification channel. */
  channel: string;
  /** Of the bot; without one there are no modals, and nobody is known by mail address. */
  token: string | null;
}

export interface SlackAppDeps {
  db: Pick<Database, 'unscoped'>;
  /** The thing itself, or what is kept where it says. Throws where that cannot be read. */
  readHidden(orgId: string, hidden: string): Promise<string>;
  log: ErrorLog;
}

/**
 * Who sent the request, by its signature. Throws NotFoundError for an address that is no Slack channel's, ConflictError
 * where the channel lacks its signing secret, UnauthenticatedError.
 */
export async function verifiedSlackApp(
  deps: SlackAppDeps,
  channelId: string,
  request: WebhookRequest,
  now: number,
): Promise<SlackApp> {
  const found = await deps.db.unscoped((tx) => findChannelById(tx, channelId));
  if (found?.definition.type !== 'slack') throw new NotFoundError(`Slack channel ${channelId}`);
  const { orgId, name, definition } = found;
  const { signingSecret, token } = definition;
  if (signingSecret === undefined) {
    throw new ConflictError(`the channel '${name}' has no signing secret: set that of the Slack app`);
  }
  const secret = await readOrRefuse(deps, orgId, name, signingSecret);
  const verification = verifySlackSignature(request, secret, now);
  if (verification !== 'valid') throw new UnauthenticatedError(unverified[verification]);
  return {
    orgId,
    channel: name,
    token: token === undefined ? null : await readOrRefuse(deps, orgId, name, token),
  };
}

/** Why it cannot be read is for the log: whoever asks has not proved who they are. */
async function readOrRefuse(
  { readHidden, log }: SlackAppDeps,
  orgId: string,
  channel: string,
  hidden: string,
): Promise<string> {
  try {
    return await readHidden(orgId, hidden);
  } catch (error) {
    log.error({ err: error, channel }, 'a secret of a Slack channel cannot be read');
    throw new HttpError(503, 'Not available now', `a secret of the channel '${channel}' cannot be read`, {
      cause: error,
    });
  }
}

const unverified = {
  missing: 'send X-Slack-Signature and X-Slack-Request-Timestamp, as Slack does',
  wrong:
    "the signature is not the one of this channel's Slack app, or more than five minutes old: set its signing secret anew",
};
