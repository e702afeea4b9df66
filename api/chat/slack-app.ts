import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { notificationChannel } from '../../domain/notification-channel.ts';
import { UnauthenticatedError } from '../auth/errors.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
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
  const { rows } = await deps.db.unscoped((tx) =>
    sql<{ orgId: string; name: string; definition: unknown }>`
      select org_id as "orgId", name, definition from find_notification_channel(${channelId}::uuid)`.execute(
      tx,
    ),
  );
  const parsed = notificationChannel.safeParse(rows[0]?.definition);
  if (!rows[0] || !parsed.success || parsed.data.type !== 'slack') {
    throw new NotFoundError(`Slack channel ${channelId}`);
  }
  const { orgId, name } = rows[0];
  const { signingSecret, token } = parsed.data;
  if (signingSecret === undefined) {
    throw new ConflictError(`the channel '${name}' has no signing secret: set that of the Slack app`);
  }
  const secret = await deps.readHidden(orgId, signingSecret);
  const verification = verifySlackSignature(request, secret, now);
  if (verification !== 'valid') throw new UnauthenticatedError(unverified[verification]);
  return {
    orgId,
    channel: name,
    token: token === undefined ? null : await deps.readHidden(orgId, token),
  };
}

const unverified = {
  missing: 'send X-Slack-Signature and X-Slack-Request-Timestamp, as Slack does',
  wrong:
    "the signature is not the one of this channel's Slack app, or more than five minutes old: set its signing secret anew",
};
