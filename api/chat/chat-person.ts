import { readChatSettings } from '../../db/chat-settings.ts';
import type { Database } from '../../db/database.ts';
import { getPerson, listPeople, type Person } from '../../db/identity.ts';
import { createLinkCode, findIdentity, linkCodeMs, linkIdentity } from '../../db/user-identities.ts';
import { linkAnswer, plainAnswer } from '../../domain/chat/answers.ts';
import type { SlackMessage } from '../../domain/chat/slack-blocks.ts';
import type { Principal } from '../auth/principal.ts';
import { type SlackApi, SlackCallError } from './slack-api.ts';
import type { SlackApp } from './slack-app.ts';
import type { SlackSpeaker } from './slack-request.ts';

export interface ChatPersonDeps {
  db: Pick<Database, 'read' | 'write'>;
  slack: SlackApi;
  publicUrl: string;
  log: { error(detail: object, message: string): void };
}

export type ChatPerson = { principal: Principal } | { refusal: SlackMessage };

/**
 * Who a Slack user is here, with their role and teams: as they were linked, or, where an Admin allows it, by the mail
 * address that Slack has confirmed. Whoever is nobody here is told how to change that.
 */
export async function chatPerson(
  deps: ChatPersonDeps,
  app: SlackApp,
  speaker: SlackSpeaker,
): Promise<ChatPerson> {
  const scope = { orgId: app.orgId };
  if (speaker.foreign) {
    return { refusal: plainAnswer('People of other workspaces cannot act here: use the pages of Holdfast.') };
  }
  const found = await deps.db.read(scope, async (tx) => {
    const identity = await findIdentity(tx, { provider: 'slack', externalId: speaker.id });
    return {
      person: identity && (await getPerson(tx, identity.userId)),
      linkByEmail: (await readChatSettings(tx)).linkByEmail ?? false,
    };
  });
  const person = found.person ?? (found.linkByEmail ? await byEmail(deps, app, speaker) : undefined);
  if (!person) {
    return { refusal: await linkOffer(deps, app, speaker, 'Holdfast does not know yet who you are here.') };
  }
  if (person.disabledAt) {
    return {
      refusal: plainAnswer(
        `Your account ${person.email} is disabled. Ask an Owner of Holdfast to enable it.`,
      ),
    };
  }
  const { userId, email, name, memberships } = person;
  return { principal: { orgId: app.orgId, userId, email, name, memberships, via: 'slack' } };
}

/** A way to connect the account, made anew each time that it is asked for. */
export async function linkOffer(
  deps: Pick<ChatPersonDeps, 'db' | 'publicUrl'>,
  app: SlackApp,
  speaker: SlackSpeaker,
  reason: string,
): Promise<SlackMessage> {
  const code = await deps.db.write({ orgId: app.orgId }, (tx) =>
    createLinkCode(tx, app.orgId, { provider: 'slack', externalId: speaker.id, name: speaker.name }),
  );
  return linkAnswer(reason, `${deps.publicUrl}/chat/link/${code}`, linkCodeMs / 60_000);
}

async function byEmail(
  deps: ChatPersonDeps,
  app: SlackApp,
  speaker: SlackSpeaker,
): Promise<Person | undefined> {
  const email = app.token === null ? null : await confirmedEmail(deps, app.token, speaker);
  if (email === null) return undefined;
  const { orgId } = app;
  return await deps.db.write({ orgId }, async (tx) => {
    const person = (await listPeople(tx)).find((each) => each.email.toLowerCase() === email);
    if (!person || person.disabledAt) return person;
    await linkIdentity(tx, {
      orgId,
      userId: person.userId,
      provider: 'slack',
      externalId: speaker.id,
      name: speaker.name,
      actor: person.email,
      how: 'mail address',
    });
    return person;
  });
}

/** Slack that does not say it leaves the other way open, by a code. */
async function confirmedEmail(
  deps: ChatPersonDeps,
  token: string,
  speaker: SlackSpeaker,
): Promise<string | null> {
  try {
    return (await deps.slack.profileOf(token, speaker.id)).email;
  } catch (error) {
    if (!(error instanceof SlackCallError)) throw error;
    deps.log.error({ err: error }, 'Slack does not say the mail address of somebody');
    return null;
  }
}
