import { z } from 'zod';
import { parseOrRefuse } from '../errors.ts';
import type { WebhookRequest } from '../webhook.ts';

/** https://docs.slack.dev/interactivity/implementing-slash-commands#app_command_handling */
const commandForm = z.object({
  command: z.string().max(100),
  text: z.string().max(20_000).default(''),
  user_id: z.string().min(1).max(100),
  user_name: z.string().max(200).default(''),
  channel_id: z.string().max(100).default(''),
  channel_name: z.string().max(200).default(''),
  response_url: z.string().max(2000),
  trigger_id: z.string().max(500).optional(),
});

const user = z.object({
  id: z.string().min(1).max(100),
  username: z.string().max(200).optional(),
  name: z.string().max(200).optional(),
  team_id: z.string().max(100).optional(),
});
const team = z.object({ id: z.string().max(100) }).nullish();

/** https://docs.slack.dev/reference/interaction-payloads/block_actions-payload */
const blockActions = z.object({
  type: z.literal('block_actions'),
  user,
  team,
  trigger_id: z.string().max(500),
  response_url: z.string().max(2000).optional(),
  channel: z.object({ id: z.string().max(100), name: z.string().max(200).optional() }).nullish(),
  actions: z
    .array(
      z.object({
        action_id: z.string().max(255),
        value: z.string().max(2000).optional(),
        selected_option: z.object({ value: z.string().max(2000) }).nullish(),
      }),
    )
    .min(1)
    .max(25),
});

/** https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload */
const viewSubmission = z.object({
  type: z.literal('view_submission'),
  user,
  team,
  view: z.object({
    callback_id: z.string().max(255),
    private_metadata: z.string().max(3000),
    state: z.object({
      values: z.record(
        z.string(),
        z.record(
          z.string(),
          z.object({
            value: z.string().max(3000).nullish(),
            selected_option: z.object({ value: z.string().max(2000) }).nullish(),
          }),
        ),
      ),
    }),
  }),
});

export type SlackCommand = z.output<typeof commandForm>;
export type BlockActions = z.output<typeof blockActions>;
export type ViewSubmission = z.output<typeof viewSubmission>;
/** What else Slack sends there, such as a modal that was closed, needs nothing but an answer. */
export type SlackInteraction = BlockActions | ViewSubmission | { type: 'other' };

/** Who speaks, as Slack names them. */
export interface SlackSpeaker {
  id: string;
  name: string;
  /** In a conversation shared with another workspace, one of those there. */
  foreign: boolean;
}

/** Throws InvalidRequestError. */
export function readSlackCommand(request: WebhookRequest): SlackCommand {
  return parseOrRefuse(commandForm, Object.fromEntries(formOf(request)));
}

/** Throws InvalidRequestError. */
export function readSlackInteraction(request: WebhookRequest): SlackInteraction {
  const payload = jsonOf(formOf(request).get('payload') ?? '');
  const { type } = parseOrRefuse(z.object({ type: z.string() }), payload, 'payload');
  if (type === 'block_actions') return parseOrRefuse(blockActions, payload, 'payload');
  if (type === 'view_submission') return parseOrRefuse(viewSubmission, payload, 'payload');
  return { type: 'other' };
}

export function speakerOf(interaction: BlockActions | ViewSubmission): SlackSpeaker {
  const { user, team } = interaction;
  return {
    id: user.id,
    name: user.name ?? user.username ?? user.id,
    foreign: Boolean(team && user.team_id !== undefined && user.team_id !== team.id),
  };
}

function formOf(request: WebhookRequest): URLSearchParams {
  return new URLSearchParams(request.body.toString('utf8'));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
