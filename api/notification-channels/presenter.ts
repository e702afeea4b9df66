import { type NotificationChannelRow, withoutSecret } from '../../db/policies.ts';
import { isoOrNull } from '../endpoint.ts';
import type { ChannelShown } from './schema.ts';

/** Says that there is a secret, never which. `addresses`: whether that of a webhook, which may hold one, is shown whole. */
export function presentChannel(
  row: NotificationChannelRow,
  publicUrl: string,
  { addresses }: { addresses: boolean },
): ChannelShown {
  const { checkedAt, health, error, definition } = row;
  const hidesPath = definition.type === 'webhook' && !addresses;
  return {
    ...withoutSecret(definition),
    ...(hidesPath && { url: `${new URL(definition.url).origin}/…` }),
    checkedAt: isoOrNull(checkedAt),
    health,
    error,
    inbound: inboundOf(row, `${publicUrl.replace(/\/+$/, '')}/api/v1`),
  };
}

function inboundOf({ id, definition }: NotificationChannelRow, api: string): ChannelShown['inbound'] {
  switch (definition.type) {
    case 'slack':
      return definition.token === undefined && definition.signingSecret === undefined
        ? []
        : [
            { what: 'slash command', url: `${api}/chat/slack/${id}/commands` },
            { what: 'interactivity', url: `${api}/chat/slack/${id}/interactions` },
          ];
    case 'pagerduty':
      return [{ what: 'webhook subscription (v3)', url: `${api}/pagerduty/${id}` }];
    case 'email':
    case 'webhook':
    case 'teams':
      return [];
  }
}
