import { sql } from 'kysely';
import { type ChatSettings, chatSettings, chatSettingsKey } from '../domain/chat/settings.ts';
import type { Tx } from './database.ts';
import { UnknownReferenceError } from './policies.ts';
import { putSetting, readSetting } from './settings.ts';

/** Throws ZodError if the stored setting is none. */
export async function readChatSettings(tx: Tx): Promise<ChatSettings> {
  return chatSettings.parse((await readSetting(tx, chatSettingsKey)) ?? {});
}

/** A channel that people talk in; `id` stands in the addresses to which Slack sends what they do there. */
export interface ChatChannel {
  id: string;
  name: string;
  type: 'slack' | 'teams';
}

/** By name. */
export async function listChatChannels(tx: Tx): Promise<ChatChannel[]> {
  const { rows } = await sql<ChatChannel>`
    select id, name, definition ->> 'type' as type from notification_channels
    where definition ->> 'type' in ('slack', 'teams') order by name`.execute(tx);
  return rows;
}

/**
 * Replaces the whole setting; what is absent of it is off. Throws UnknownReferenceError for a summary to what is no
 * channel of Slack or Teams.
 */
export async function putChatSettings(
  tx: Tx,
  change: { orgId: string; settings: ChatSettings; actor: string },
): Promise<void> {
  const channels = (await listChatChannels(tx)).map(({ name }) => name);
  for (const name of Object.keys(change.settings.summaries ?? {})) {
    if (channels.includes(name)) continue;
    const known = channels.length === 0 ? 'there is none yet' : `there are ${channels.join(', ')}`;
    throw new UnknownReferenceError(
      `summaries.${name}`,
      `'${name}' is no notification channel of Slack or Teams: ${known}`,
    );
  }
  const before = await readChatSettings(tx);
  await putSetting(tx, { ...change, key: chatSettingsKey, before });
}
