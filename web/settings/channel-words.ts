import type { ChannelKind, NotificationChannel } from '../../domain/notification-channel.ts';
import type { Mark } from '../layout/words.ts';

/** Where messages of the channel end, as far as it may be shown. */
export function goesTo(channel: NotificationChannel): string {
  switch (channel.type) {
    case 'email':
      return channel.addresses.join(', ');
    case 'webhook':
      // the rest of the address is a secret as often as not
      return new URL(channel.url).host;
    case 'slack':
      return channel.channel ?? 'the channel of its incoming webhook';
    case 'pagerduty':
      return 'the service of its integration key';
    case 'teams':
      return 'the channel of its workflow';
  }
}

export interface ChannelHealth {
  checkedAt: Date | null;
  health: string | null;
  error: string | null;
}

export function healthMark({ checkedAt, error }: ChannelHealth): Mark {
  if (checkedAt === null) return { word: 'Nothing sent yet', tone: 'quiet', icon: 'clock' };
  if (error !== null) return { word: 'Fails', tone: 'warning', icon: 'warning' };
  return { word: 'Works', tone: 'good', icon: 'done' };
}

/** How the vendor's side is set up, step by step; `paste` is what is copied into it. */
export interface SetUp {
  steps: string[];
  paste: { label: string; text: string }[];
}

/** @param id of the channel, which the addresses name; null before it is saved */
export function setUpOf(kind: ChannelKind, publicUrl: string, id: string | null): SetUp | null {
  switch (kind) {
    case 'email':
      return null;
    case 'webhook':
      return {
        steps: [
          'Each message is a POST of JSON with type, incident, alerts and the link to the page; the key of the message is in Idempotency-Key, so that a repeated delivery can be told.',
          'With a signing secret the header X-Holdfast-Signature holds t=<seconds> and v1=<hex>: the HMAC-SHA256 of “<seconds>.<body>”. Refuse what is older than five minutes.',
          'Answer 2xx once it is taken. 429 with Retry-After and 5xx are tried again; other answers are not.',
        ],
        paste: [],
      };
    case 'slack':
      return {
        steps: [
          'At api.slack.com/apps make an app for your workspace, under OAuth & Permissions give its bot the scopes chat:write, im:write and commands, install it, and copy the Bot User OAuth Token here.',
          'Invite the bot to the channel: /invite @your-app.',
          'For buttons: under Interactivity & Shortcuts switch interactivity on with the request URL below. For /holdfast: under Slash Commands make one with the other. Copy the Signing Secret from Basic Information here.',
          'Without a bot an incoming webhook is enough to send: under Incoming Webhooks add one to the channel, and copy its address here.',
        ],
        paste: pasted(id, [
          ['Request URL for interactivity', `${publicUrl}/api/v1/chat/slack/${id}/interactions`],
          ['Request URL of the slash command', `${publicUrl}/api/v1/chat/slack/${id}/commands`],
        ]),
      };
    case 'pagerduty':
      return {
        steps: [
          'In PagerDuty open the service, Integrations, Add an integration, Events API V2, and copy its Integration Key here.',
          'For acknowledging and resolving there to count here: Integrations, Generic Webhooks (v3), New Webhook, with the address below, scope the service, and the events incident.acknowledged, incident.resolved and incident.annotated. Copy the secret that PagerDuty shows once here.',
          'For notes that people write here to stand there too: Integrations, API Access Keys, Create New API Key, not read-only. Copy the key here, with the mail address of the user in whose name they are written.',
        ],
        paste: pasted(id, [['Webhook URL', `${publicUrl}/api/v1/pagerduty/${id}`]]),
      };
    case 'teams':
      return {
        steps: [
          'In Teams open the channel, Workflows, and choose “Send webhook alerts to a channel” (Post to a channel when a webhook request is received).',
          'Choose team and channel, add the workflow, and copy the address that it shows here.',
          'The buttons of a card open Holdfast by a signed link, so nothing has to be allowed the other way.',
        ],
        paste: [],
      };
  }
}

function pasted(id: string | null, addresses: [label: string, text: string][]): SetUp['paste'] {
  return id === null ? [] : addresses.map(([label, text]) => ({ label, text }));
}
