import { listChatChannels, readChatSettings } from '../db/chat-settings.ts';
import type { Database } from '../db/database.ts';
import type { SummarySpan } from '../domain/chat/settings.ts';

export interface ChatActivityDeps {
  db: Pick<Database, 'read'>;
}

export type ChatActivities = ReturnType<typeof createChatActivities>;

export function createChatActivities({ db }: ChatActivityDeps) {
  return {
    /** Names of the channels that want a summary of this span; those that are gone are left out. */
    async planSummaries({ orgId, span }: { orgId: string; span: SummarySpan }): Promise<string[]> {
      return await db.read({ orgId }, async (tx) => {
        const { summaries = {} } = await readChatSettings(tx);
        const channels = await listChatChannels(tx);
        return channels.map(({ name }) => name).filter((name) => summaries[name]?.includes(span));
      });
    },
  };
}
