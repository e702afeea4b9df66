import { ApplicationFailure } from '@temporalio/common';
import type { Tx } from '../../db/database.ts';
import { newestIncidentId, readNotificationFacts } from '../../db/notification-facts.ts';
import { readOrganizationZone } from '../../db/report-audience.ts';
import type { NotificationType } from '../../domain/notification.ts';
import type { ChannelPreviewInput } from '../../workflows/messages.ts';
import { slackMessage } from '../messages/slack-message.ts';
import type { Adapters } from './deliver.ts';
import { resolveDestination } from './destination.ts';
import { type Content, deliveriesOf } from './outgoing.ts';

export interface ChannelPreview {
  type: NotificationType;
  /** What would be sent: the text of a mail, else JSON. */
  text: string;
}

/** What would be sent through a channel. Sends nothing, keeps nothing; links that act are left out. */
export async function previewMessage(
  tx: Tx,
  input: ChannelPreviewInput,
  context: { adapters: Adapters; publicUrl: string; timeZone: string; now: number },
): Promise<ChannelPreview> {
  const { orgId } = input;
  const { adapters, publicUrl, now } = context;
  const incidentId = input.type === 'channel.test' ? undefined : await newestIncidentId(tx);
  const type = incidentId === undefined ? 'channel.test' : input.type;
  const target = { type: 'channel', name: input.channel } as const;
  const facts = await readNotificationFacts(tx, { ...(incidentId !== undefined && { incidentId }) });
  const destination = await resolveDestination(tx, target, { at: now, severity: 'critical' });
  if (destination instanceof ApplicationFailure) throw destination;
  const timeZone = await readOrganizationZone(tx, context.timeZone);
  const content: Content = { type, facts, detail: {}, publicUrl, now, timeZone };
  const [delivery] = await deliveriesOf(
    { orgId, key: 'preview', type, target, detail: {} },
    content,
    destination,
    {
      begun: { createdAt: new Date(now), delivered: [] },
      zones: new Map(),
      linksFor: async () => ({ links: {} }),
    },
  );
  if (!delivery) return { type, text: '' };
  const { outgoing } = delivery;
  switch (outgoing.kind) {
    case 'email':
      return { type, text: adapters.email.preview(outgoing.message) };
    case 'webhook':
      return { type, text: adapters.webhook.preview(outgoing) };
    case 'slack':
      return { type, text: adapters.slack.preview(slackMessage(outgoing.message, outgoing.to)) };
    case 'pagerduty':
      return { type, text: adapters.pagerduty.preview(outgoing) };
    case 'pagerduty_note':
      return { type, text: outgoing.note.content };
    case 'teams':
      return { type, text: adapters.teams.preview(outgoing) };
  }
}
