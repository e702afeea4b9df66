import { z } from 'zod';
import { identityProviders } from '../../db/user-identities.ts';
import { chatSettings } from '../../domain/chat/settings.ts';
import { pageOf, pageQuery } from '../endpoint.ts';

export const slackParams = z.object({
  id: z.uuid('write the id of a Slack channel, as its settings show it'),
});

/** Read raw, since the signature is over the bytes. */
export const slackBody = z
  .string()
  .meta({ description: "As Slack sends it: a form, with the interaction's JSON in `payload`" });

export const slackHeaders = z.object({
  'X-Slack-Signature': z.string().meta({ description: "v0=<hex HMAC-SHA256 of 'v0:timestamp:body'>" }),
  'X-Slack-Request-Timestamp': z.string().meta({ description: 'Unix seconds, at most five minutes ago' }),
});

export const slackAnswer = z.record(z.string(), z.unknown()).meta({
  description: 'A message or what a form is to show, as Slack takes it; empty where nothing is said',
});

const whose = z
  .enum(['mine', 'all'])
  .default('mine')
  .meta({ description: "'all': everybody's, for which it takes an Admin" });

export const chatMessagesQuery = z.object({
  ...pageQuery,
  whose,
  q: z
    .string()
    .max(200)
    .optional()
    .meta({ description: 'A part of what was asked, of the answer or of the person' }),
});
export const clearQuery = z.object({ whose });

export const chatMessageShown = z
  .object({
    id: z.int(),
    provider: z.string(),
    conversation: z.string(),
    person: z.string().meta({ description: 'Mail address of the user, else the name at the vendor' }),
    command: z.string().meta({ description: 'What was asked; values of inputs are left out' }),
    answer: z.string().meta({ description: "'' until it is known" }),
    at: z.iso.datetime(),
  })
  .meta({ id: 'ChatMessage' });
export const chatMessagePage = pageOf(chatMessageShown);
export const cleared = z.object({ cleared: z.int().meta({ description: 'How many there were' }) });

export const identityParams = z.object({
  provider: z.enum(identityProviders),
  externalId: z.string().min(1).max(100),
});
export const identityShown = identityParams
  .extend({
    name: z.string().meta({ description: 'How they are called there' }),
    linkedAt: z.iso.datetime(),
  })
  .meta({ id: 'ChatIdentity' });
export const identityList = z.object({ items: z.array(identityShown) });
export const linkBody = z.strictObject({
  code: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: "What stands after '/chat/link/' in the address that chat gave you" }),
});

export const chatSettingsBody = chatSettings.meta({
  id: 'ChatSettings',
  description: 'How people are known in chat, and which channels get summaries; what is absent is off',
});
