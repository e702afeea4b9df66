import { type PostDeps, postJson } from './post-json.ts';

export interface TeamsMessage {
  webhookUrl: string;
  card: AdaptiveCard;
}

/** https://adaptivecards.io/explorer/, version 1.5, which Teams shows on every client. */
export interface AdaptiveCard {
  type: 'AdaptiveCard';
  $schema: string;
  version: '1.5';
  msteams: { width: 'Full' };
  /** What clients say that cannot show the card. */
  fallbackText: string;
  body: Record<string, unknown>[];
  actions: { type: 'Action.OpenUrl'; title: string; url: string }[];
}

const of = {
  noun: 'the workflow of Microsoft Teams',
  kind: 'Teams',
  remedy: "Check the channel's webhookUrl, and that the workflow is turned on.",
};

/**
 * A webhook of Workflows, 'Post to a channel when a webhook request is received'. Teams takes a message back that way
 * no more than it updates one. The workflow answers 202 before it posts, as any without a response of its own does
 * (https://learn.microsoft.com/azure/connectors/connectors-native-reqres): what Teams then refuses is seen there alone.
 * Throws as `postJson` does, with the names Teams….
 */
export function createTeamsChannel(deps: PostDeps) {
  return {
    async send({ webhookUrl, card }: TeamsMessage): Promise<{ response: string }> {
      const { status } = await postJson(deps, {
        ...of,
        url: webhookUrl,
        headers: { 'content-type': 'application/json' },
        body: bodyOf(card),
      });
      return { response: `HTTP ${status}` };
    },

    /** Whether something answers there; only a test message can tell more. Throws as `send` does. */
    async probe({ webhookUrl }: Pick<TeamsMessage, 'webhookUrl'>): Promise<{ response: string }> {
      const { status } = await postJson(deps, { ...of, url: webhookUrl, method: 'HEAD' });
      return { response: `HTTP ${status}: only a test message can tell whether it arrives` };
    },

    /** What would be sent, as text. */
    preview({ card }: Pick<TeamsMessage, 'card'>): string {
      return JSON.stringify(card, null, 2);
    },
  };
}

/** A message with the card as its one attachment, as Workflows takes it. */
export function bodyOf(card: AdaptiveCard): string {
  const contentType = 'application/vnd.microsoft.card.adaptive';
  return JSON.stringify({
    type: 'message',
    attachments: [{ contentType, contentUrl: null, content: card }],
  });
}
