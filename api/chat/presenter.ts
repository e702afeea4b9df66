import type { z } from 'zod';
import type { ChatMessage } from '../../db/chat-history.ts';
import type { UserIdentity } from '../../db/user-identities.ts';
import { iso } from '../endpoint.ts';
import type { chatMessageShown, identityShown } from './schema.ts';

export function presentChatMessage(message: ChatMessage): z.input<typeof chatMessageShown> {
  return {
    id: message.id,
    provider: message.provider,
    conversation: message.conversation,
    person: message.person,
    command: message.command,
    answer: message.answer,
    at: iso(message.at),
  };
}

export function presentIdentity({
  provider,
  externalId,
  name,
  linkedAt,
}: UserIdentity): z.input<typeof identityShown> {
  return { provider, externalId, name, linkedAt: iso(linkedAt) };
}
