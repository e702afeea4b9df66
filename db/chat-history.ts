import { recordAudit } from './audit.ts';
import type { Page } from './cursor.ts';
import type { Tx } from './database.ts';
import { newestById } from './newest-page.ts';
import type { IdentityProvider } from './user-identities.ts';

/** What people asked in chat, and what they were answered; kept for 90 days. */
export interface ChatMessage {
  id: number;
  provider: string;
  /** As the vendor names it: a channel, or a direct conversation. */
  conversation: string;
  /** Null: somebody who is not linked, or is no user any more. */
  userId: string | null;
  /** Mail address of the user, else the name at the vendor. */
  person: string;
  command: string;
  /** '' until it is known. */
  answer: string;
  at: Date;
}

/** As much of an answer as the history keeps. */
const longestText = 4000;

/**
 * Writes down that a request of the vendor is being done. Undefined when it was delivered before: then it is not
 * done again.
 */
export async function beginChatMessage(
  tx: Tx,
  message: {
    orgId: string;
    provider: IdentityProvider;
    /** The same for each delivery of one request. */
    delivery: string;
    conversation: string;
    person: string;
    command: string;
  },
): Promise<number | undefined> {
  const row = await tx
    .insertInto('chat_messages')
    .values({
      org_id: message.orgId,
      provider: message.provider,
      delivery: message.delivery,
      conversation: message.conversation.slice(0, 200),
      person: message.person.slice(0, 200),
      command: message.command.slice(0, longestText),
      answer: '',
    })
    .onConflict((conflict) => conflict.columns(['org_id', 'provider', 'delivery']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

/** What came of it, and whose it was where that is known. */
export async function answerChatMessage(
  tx: Tx,
  given: { id: number; answer: string; user: { userId: string; email: string } | null },
): Promise<void> {
  await tx
    .updateTable('chat_messages')
    .set({
      answer: given.answer.slice(0, longestText),
      ...(given.user ? { user_id: given.user.userId, person: given.user.email } : {}),
    })
    .where('id', '=', given.id)
    .execute();
}

/** Whose: one user's, or everybody's (null). */
export interface ChatHistoryFilter {
  userId: string | null;
  /** A part of the person, the command or the answer; capital letters are all the same. */
  q?: string;
}

/** Newest first. Throws InvalidCursorError. */
export async function listChatMessages(
  tx: Tx,
  args: ChatHistoryFilter & { cursor?: string; limit: number },
): Promise<Page<ChatMessage>> {
  let query = tx
    .selectFrom('chat_messages')
    .select(['id', 'provider', 'conversation', 'user_id as userId', 'person', 'command', 'answer', 'at']);
  if (args.userId !== null) query = query.where('user_id', '=', args.userId);
  if (args.q !== undefined && args.q !== '') {
    const pattern = `%${args.q.replace(/[\\%_]/g, '\\$&')}%`;
    query = query.where((eb) =>
      eb.or([
        eb('command', 'ilike', pattern),
        eb('answer', 'ilike', pattern),
        eb('person', 'ilike', pattern),
      ]),
    );
  }
  return await newestById(query, 'id', args);
}

/** Forgets one user's, or everybody's (null), and says how many there were. */
export async function clearChatMessages(
  tx: Tx,
  args: { orgId: string; userId: string | null; actor: string },
): Promise<number> {
  let query = tx.deleteFrom('chat_messages');
  if (args.userId !== null) query = query.where('user_id', '=', args.userId);
  const { numDeletedRows } = await query.executeTakeFirst();
  const cleared = Number(numDeletedRows);
  await recordAudit(tx, {
    orgId: args.orgId,
    actor: args.actor,
    action: 'chat_history.cleared',
    subject: args.userId === null ? 'chat-history' : `user:${args.userId}`,
    data: { messages: cleared },
  });
  return cleared;
}
