import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { recordAudit } from '../../db/audit.ts';
import { answerChatMessage, beginChatMessage } from '../../db/chat-history.ts';
import type { Database } from '../../db/database.ts';
import { helpAnswer, plainAnswer } from '../../domain/chat/answers.ts';
import { type ChatCommand, readCommand } from '../../domain/chat/command.ts';
import { type SlackMessage, unescapeSlack } from '../../domain/chat/slack-blocks.ts';
import { noticeModal } from '../../domain/chat/slack-modals.ts';
import type { MessageClient } from '../../workflows/messages-client.ts';
import type { Principal } from '../auth/principal.ts';
import type { ErrorLog } from '../errors.ts';
import type { WebhookRequest } from '../webhook.ts';
import { type Answered, answerCommand } from './answer-command.ts';
import { chatPerson, linkOffer } from './chat-person.ts';
import { answerPress, type Pressed, pressedText, readPressed } from './pressed.ts';
import { refusalAnswer } from './refusal.ts';
import { type SlackApi, SlackCallError, type SlackReply } from './slack-api.ts';
import type { SlackApp } from './slack-app.ts';
import {
  type BlockActions,
  readSlackCommand,
  readSlackInteraction,
  type SlackCommand,
  type SlackSpeaker,
  speakerOf,
  type ViewSubmission,
} from './slack-request.ts';
import { answerSubmission, readSubject, type SubmitAnswer, submittedText } from './submitted.ts';

export interface SlackDeskDeps {
  db: Pick<Database, 'read' | 'write'>;
  messages: MessageClient;
  slack: SlackApi;
  publicUrl: string;
  log: ErrorLog;
  /** Epoch milliseconds. */
  clock(): number;
  /** Milliseconds after which an answer follows instead of standing in Slack's request; it waits for three seconds. */
  patienceMs?: number;
}

/** What Slack's request is answered with; '' for nothing. */
export type SlackAnswer = '' | (SlackMessage & { response_type: 'ephemeral' }) | SubmitAnswer;

/** A request whose sender is known to be the app. */
export interface SlackRequest extends WebhookRequest {
  app: SlackApp;
  /** Epoch milliseconds: Slack counts its three seconds from about then. */
  arrivedAt: number;
}

/** What came of a request, and whose it was. */
interface Done extends Answered {
  user?: { userId: string; email: string };
}

const defaultPatienceMs = 2000;
const secondTryMs = 1000;

/** Does what people ask in Slack. A request that is delivered again is done once, and answered with nothing. */
export function createSlackDesk(deps: SlackDeskDeps) {
  const patienceMs = deps.patienceMs ?? defaultPatienceMs;

  /** Throws InvalidRequestError, DatabaseUnavailableError. */
  async function command(request: SlackRequest): Promise<SlackAnswer> {
    const { app } = request;
    const asked = readSlackCommand(request);
    const speaker: SlackSpeaker = { id: asked.user_id, name: asked.user_name, foreign: false };
    const read = readCommand(asked.text);
    const id = await begin(request, speaker, {
      conversation: asked.channel_name || asked.channel_id,
      command: 'command' in read ? commandText(read.command, asked.text) : withoutValues(asked.text),
    });
    if (id === undefined) return '';
    const work = answered(app, speaker, id, () => commandAnswer(app, speaker, asked, read));
    const inTime = await within(leftOf(request), work);
    if (inTime) return { response_type: 'ephemeral', ...inTime };
    void work.then((message) => reply(asked.response_url, message));
    return { response_type: 'ephemeral', ...plainAnswer('On it: the answer follows.') };
  }

  async function commandAnswer(
    app: SlackApp,
    speaker: SlackSpeaker,
    asked: SlackCommand,
    read: ReturnType<typeof readCommand>,
  ): Promise<Done> {
    if ('problem' in read) return { message: plainAnswer(read.problem) };
    const { command } = read;
    if (command.name === 'help') return { message: helpAnswer(asked.command) };
    if (command.name === 'link') {
      return { message: await linkOffer(deps, app, speaker, 'Say who you are in Holdfast.') };
    }
    return await asPerson(app, speaker, (principal) =>
      answerCommand(deps, principal, command, asked.command),
    );
  }

  /** Throws InvalidRequestError, DatabaseUnavailableError. */
  async function interaction(request: SlackRequest): Promise<SlackAnswer> {
    const received = readSlackInteraction(request);
    switch (received.type) {
      case 'block_actions':
        return await press(request, received);
      case 'view_submission':
        return await submission(request, received);
      case 'other':
        return '';
    }
  }

  /** Slack is answered at once: what came of the press follows, to whoever pressed alone. */
  async function press(request: SlackRequest, received: BlockActions): Promise<SlackAnswer> {
    const { app } = request;
    const pressed = readPressed(received);
    // a link opens by itself
    if (!pressed || pressed.action === 'holdfast.view') return '';
    const speaker = speakerOf(received);
    const id = await begin(request, speaker, {
      conversation: received.channel?.name ?? received.channel?.id ?? '',
      command: pressedText(pressed),
    });
    if (id === undefined) return '';
    const { response_url: responseUrl } = received;
    let standing: SlackMessage | undefined;
    const work = answered(app, speaker, id, () =>
      asPerson(app, speaker, async (principal) => {
        const outcome = await pressOutcome(app, principal, pressed, received.trigger_id);
        standing = outcome?.standing;
        return outcome;
      }),
    );
    void work.then(async (message) => {
      if (responseUrl === undefined) return;
      if (standing) await reply(responseUrl, standing, { replace: true });
      if (message.blocks.length > 0) await reply(responseUrl, message);
    });
    return '';
  }

  /** A form is opened where the app has a bot; otherwise the answer leads to the page. */
  async function pressOutcome(
    app: SlackApp,
    principal: Principal,
    pressed: Pressed,
    triggerId: string,
  ): Promise<Done & { standing?: SlackMessage }> {
    const outcome = await answerPress(deps, principal, pressed);
    if (!('modal' in outcome)) return outcome;
    if (app.token === null) return { message: outcome.instead };
    try {
      await deps.slack.openModal(app.token, triggerId, outcome.modal);
      return { message: { text: 'A form was opened.', blocks: [] } };
    } catch (error) {
      if (!(error instanceof SlackCallError)) throw error;
      deps.log.error({ err: error }, 'Slack did not open a form');
      return { message: outcome.instead };
    }
  }

  async function submission(request: SlackRequest, received: ViewSubmission): Promise<SlackAnswer> {
    const { app } = request;
    const subject = readSubject(received);
    if (!subject) return '';
    const speaker = speakerOf(received);
    const id = await begin(request, speaker, {
      conversation: 'a form',
      command: submittedText(subject),
    });
    if (id === undefined) return '';
    let answer: SubmitAnswer | undefined;
    const work = answered(app, speaker, id, () =>
      asPerson(app, speaker, async (principal) => {
        const submitted = await answerSubmission(deps, principal, subject, received);
        answer = submitted.answer;
        return { ...submitted, message: plainAnswer(submitted.message) };
      }),
    );
    const inTime = await within(leftOf(request), work);
    // Slack gives a form no address for what comes later: it stays on the page of what was decided
    if (!inTime) {
      const view = noticeModal(
        'On its way',
        'It takes longer than Slack waits. How it went stands in Holdfast.',
      );
      return { response_action: 'update', view };
    }
    return (
      answer ?? { response_action: 'update', view: { ...noticeModal('Not done', ''), blocks: inTime.blocks } }
    );
  }

  const leftOf = ({ arrivedAt }: SlackRequest) => Math.max(0, arrivedAt + patienceMs - deps.clock());

  /** Undefined when this very request was delivered before. */
  async function begin(
    { app, body }: SlackRequest,
    speaker: SlackSpeaker,
    what: { conversation: string; command: string },
  ): Promise<number | undefined> {
    return await deps.db.write({ orgId: app.orgId }, (tx) =>
      beginChatMessage(tx, {
        orgId: app.orgId,
        provider: 'slack',
        // the trigger in the body is another one for each command and press
        delivery: createHash('sha256').update(body).digest('base64url'),
        person: speaker.name || speaker.id,
        ...what,
      }),
    );
  }

  async function asPerson(
    app: SlackApp,
    speaker: SlackSpeaker,
    act: (principal: Principal) => Promise<Done>,
  ): Promise<Done> {
    const person = await chatPerson(deps, app, speaker);
    if ('refusal' in person) return { message: person.refusal };
    const { userId, email } = person.principal;
    const user = { userId, email };
    try {
      return { ...(await act(person.principal)), user };
    } catch (error) {
      return { message: refusalAnswer(error, deps.log), user };
    }
  }

  /** Never rejects: what fails is an answer, too. What was done stands in the audit log with how it came. */
  async function answered(
    app: SlackApp,
    speaker: SlackSpeaker,
    id: number,
    work: () => Promise<Done>,
  ): Promise<SlackMessage> {
    const done = await work().catch((error: unknown): Done => ({ message: refusalAnswer(error, deps.log) }));
    const { orgId } = app;
    const { acted, user } = done;
    try {
      await deps.db.write({ orgId }, async (tx) => {
        await answerChatMessage(tx, { id, answer: unescapeSlack(done.message.text), user: user ?? null });
        if (!acted || !user) return;
        await recordAudit(tx, {
          orgId,
          actor: user.email,
          action: `chat.${acted.what.split(' ')[0]}`,
          subject: acted.subject,
          data: { via: 'slack', what: acted.what, channel: app.channel, slackUser: speaker.id },
        });
      });
    } catch (error) {
      deps.log.error({ err: error }, 'what was done in chat could not be written down');
    }
    return done.message;
  }

  /** A message that is lost would leave somebody waiting: it is sent once more. Never rejects. */
  async function reply(url: string, message: SlackMessage, { replace = false } = {}): Promise<void> {
    const body: SlackReply = replace
      ? { ...message, replace_original: true }
      : { ...message, response_type: 'ephemeral', replace_original: false };
    for (const waitMs of [0, secondTryMs]) {
      await delay(waitMs);
      try {
        await deps.slack.respond(url, body);
        return;
      } catch (error) {
        deps.log.error({ err: error }, 'an answer did not reach Slack');
      }
    }
  }

  return { command, interaction };
}

/** Undefined when the work takes longer; it goes on. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const waiting = new AbortController();
  const late = delay(ms, undefined, { signal: waiting.signal }).catch(() => undefined);
  const first = await Promise.race([work, late]);
  waiting.abort();
  return first;
}

/** As it was asked, without the values of inputs: they stand with the execution, where secret ones are masked. */
function commandText(command: ChatCommand, text: string): string {
  return command.name === 'run' ? withoutValues(text) : unescapeSlack(text);
}

function withoutValues(text: string): string {
  return unescapeSlack(text).replace(/=(["“”][^"“”]*["“”]|\S+)/gu, '=…');
}
