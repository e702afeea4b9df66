import { lines } from '../markup.ts';
import type { SlackAction, SlackActionValue } from './slack-actions.ts';

/**
 * Block Kit as Holdfast uses it, made here and nowhere else so that its limits hold:
 * https://docs.slack.dev/reference/block-kit/blocks, https://docs.slack.dev/reference/block-kit/block-elements
 */
export type SlackBlock =
  | { type: 'section'; text: SlackText }
  | { type: 'context'; elements: SlackText[] }
  | { type: 'actions'; elements: SlackElement[] }
  | {
      type: 'input';
      block_id: string;
      label: PlainText;
      hint?: PlainText;
      optional: boolean;
      element: SlackElement;
    };

export interface PlainText {
  type: 'plain_text';
  text: string;
}
export type SlackText =
  | PlainText
  /** `verbatim`: Slack makes no links or mentions of what looks like some. */
  | { type: 'mrkdwn'; text: string; verbatim: true };

export interface SlackOption {
  text: PlainText;
  value: string;
}

export type SlackElement =
  | {
      type: 'button';
      action_id: string;
      text: PlainText;
      value?: string;
      url?: string;
      style?: 'primary' | 'danger';
    }
  | {
      type: 'plain_text_input';
      action_id: string;
      multiline: boolean;
      max_length: number;
    }
  | {
      type: 'static_select';
      action_id: string;
      placeholder: PlainText;
      options: SlackOption[];
    };

/** What a message says: blocks, and the same as text for notifications and screen readers. */
export interface SlackMessage {
  text: string;
  blocks: SlackBlock[];
}

/** What Slack takes at most: blocks of a message (a modal takes 100), characters of the texts. */
export const slackLimits = {
  blocks: 50,
  section: 3000,
  plain: 75,
  hint: 2000,
  option: 75,
  optionValue: 150,
  options: 100,
  text: 3000,
  title: 24,
} as const;

/**
 * Text from outside as Slack's markup: nothing in it is a link, a mention or a call of the whole channel.
 * https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
export function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What Slack sends, and shows, as entities is these characters. */
export function unescapeSlack(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** `text` is markup: what is from outside in it has gone through `escapeSlack`. */
export function section(text: string): SlackBlock {
  return { type: 'section', text: markup(text) };
}

export function context(text: string): SlackBlock {
  return { type: 'context', elements: [markup(text)] };
}

/** None where there is no button: Slack refuses an empty row. */
export function actions(elements: readonly SlackElement[]): SlackBlock[] {
  return elements.length === 0 ? [] : [{ type: 'actions', elements: elements.slice(0, 25) }];
}

export function button(
  action: SlackAction,
  label: string,
  given: { value?: SlackActionValue; url?: string; style?: 'primary' | 'danger' },
): SlackElement {
  return {
    type: 'button',
    action_id: action,
    text: plain(label),
    ...(given.value ? { value: JSON.stringify(given.value) } : {}),
    ...(given.url === undefined ? {} : { url: given.url }),
    ...(given.style === undefined ? {} : { style: given.style }),
  };
}

export function option(label: string, value: string): SlackOption {
  return { text: plain(label, slackLimits.option), value };
}

export function plain(text: string, limit: number = slackLimits.plain): PlainText {
  return { type: 'plain_text', text: lines(text, limit) };
}

/** A link that Slack shows with these words. `url` is Holdfast's own. */
export function link(url: string, words: string): string {
  return `<${escapeSlack(url)}|${escapeSlack(words).replaceAll('|', '¦')}>`;
}

/** A moment in the zone of each reader: https://docs.slack.dev/messaging/formatting-message-text#date-formatting */
export function moment(at: Date): string {
  const fallback = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `<!date^${Math.floor(at.getTime() / 1000)}^{date_short_pretty} {time}|${fallback}>`;
}

/** `text` is no markup. As many of the blocks as Slack takes, and a line that says so where some are left out. */
export function message(text: string, blocks: readonly SlackBlock[]): SlackMessage {
  const kept =
    blocks.length <= slackLimits.blocks
      ? [...blocks]
      : [
          ...blocks.slice(0, slackLimits.blocks - 1),
          context('There is more than Slack shows in one message.'),
        ];
  return { text: escapeSlack(lines(text, slackLimits.text)), blocks: kept };
}

function markup(text: string): SlackText {
  return { type: 'mrkdwn', text: cut(text, slackLimits.section), verbatim: true };
}

/** Never in the middle of an entity, a link or a date, which would show as what it is made of. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const short = lines(text, limit).slice(0, -1);
  const open = short.lastIndexOf('<');
  const whole = open > short.lastIndexOf('>') ? short.slice(0, open) : short;
  return `${whole.replace(/&[a-z]{0,3}$/, '')}…`;
}
