import { lines, oneLine } from '../../domain/markup.ts';
import { type AdaptiveCard, bodyOf } from '../channels/teams.ts';
import type { ChatAction } from './chat-actions.ts';
import { type Block, type Cell, tones } from './mail-layout.ts';
import type { Message, MessageSource } from './message.ts';

/** A run of text, which unlike a TextBlock knows no Markdown: nothing from outside becomes a link or a mention. */
interface TextRun {
  type: 'TextRun';
  text: string;
  weight?: 'Bolder';
  isSubtle?: true;
  fontType?: 'Monospace';
  color?: 'Attention' | 'Warning' | 'Good';
}
type Element = Record<string, unknown>;

const colours: Partial<Record<Message['mail']['tone'], TextRun['color']>> = {
  critical: 'Attention',
  high: 'Attention',
  warning: 'Warning',
  ok: 'Good',
};

/** Teams shows no more. */
const actionsAtMost = 6;

/**
 * Teams takes about 28 KB of what it makes of a card (https://learn.microsoft.com/connectors/teams), which need not be what
 * is sent: by Incoming Webhooks some had no more than 21 KB taken (https://rubydoc.info/gems/msteams_hermes). A workflow has
 * answered by then, so a page that is too large would be lost unseen.
 */
export const cardLimitBytes = 20 * 1024;

/** A message as an adaptive card, cut block by block from the end until it is within `cardLimitBytes`. */
export function teamsCard({ mail, actions = [] }: Message, links: MessageSource['links'] = {}): AdaptiveCard {
  const colour = colours[mail.tone];
  const sentence = oneLine(mail.sentence, 1000);
  const top: Element[] = [
    rich([
      run(`${tones[mail.tone].shape} ${sentence}`, { weight: 'Bolder', ...(colour && { color: colour }) }),
    ]),
    rich([run(mail.meta.join(' · '), { isSubtle: true })]),
  ];
  const blocks = mail.blocks.flatMap(elementsOf);
  const footer = rich([run(oneLine(mail.footer, 500), { isSubtle: true })]);
  for (let count = blocks.length; ; count--) {
    const left = blocks.length - count;
    const note = left === 0 ? [] : [rich([run('More on the page of Holdfast.', { isSubtle: true })])];
    const card: AdaptiveCard = {
      type: 'AdaptiveCard',
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      version: '1.5',
      msteams: { width: 'Full' },
      fallbackText: sentence,
      body: [...top, ...blocks.slice(0, count), ...note, footer],
      actions: [...mail.buttons, ...actions.flatMap((action) => linkOf(action, links, mail.publicUrl))]
        .slice(0, actionsAtMost)
        .map(({ label, url }) => ({ type: 'Action.OpenUrl', title: oneLine(label, 75), url })),
    };
    if (count === 0 || Buffer.byteLength(bodyOf(card)) <= cardLimitBytes) return card;
  }
}

/** Beside the mail's own buttons. In a preview, which signs nothing, it leads to the page that does the same. */
function linkOf(
  { action, label, value: { number } }: ChatAction,
  links: MessageSource['links'],
  publicUrl: string,
): { label: string; url: string }[] {
  if (number === undefined) return [];
  if (action === 'holdfast.run') {
    return [{ label, url: links.run?.url ?? `${publicUrl}/runbooks?incident=${number}` }];
  }
  if (action === 'holdfast.false_positive') {
    return [{ label, url: links.false_positive?.url ?? `${publicUrl}/incidents/${number}#do-resolve` }];
  }
  return [];
}

function elementsOf(block: Block): Element[] {
  const heading = block.heading === undefined ? [] : [rich([run(block.heading, { weight: 'Bolder' })])];
  switch (block.kind) {
    case 'paragraph':
      return [...heading, rich([run(lines(block.text, 2500))])];
    case 'custom':
    case 'code':
      return [...heading, rich([run(lines(block.text, 2500), { fontType: 'Monospace' })])];
    case 'facts':
      return [
        ...heading,
        ...block.rows.map(({ label, value }) =>
          rich([run(`${label}: `, { isSubtle: true }), run(cell(value))]),
        ),
      ];
    case 'table':
      return [
        ...heading,
        ...block.rows.map((row) => rich([run(`• ${row.map(cell).filter(Boolean).join(' · ')}`)])),
        ...noteOf(block.note),
      ];
    case 'list':
      return [
        ...heading,
        ...block.items.map(({ text, code, note, tone }, index) => {
          const mark = tone === undefined ? (block.ordered ? `${index + 1}.` : '•') : tones[tone].shape;
          return rich([
            run(`${mark} ${text}`),
            ...(code === undefined ? [] : [run(`\n${code}`, { fontType: 'Monospace' })]),
            ...(note === undefined ? [] : [run(`\n${note}`, { isSubtle: true })]),
          ]);
        }),
        ...noteOf(block.note),
      ];
  }
}

const noteOf = (note: string | undefined): Element[] =>
  note === undefined ? [] : [rich([run(note, { isSubtle: true })])];
const run = (text: string, style: Omit<TextRun, 'type' | 'text'> = {}): TextRun => ({
  type: 'TextRun',
  text,
  ...style,
});
const rich = (inlines: TextRun[]): Element => ({ type: 'RichTextBlock', inlines });

function cell(value: Cell): string {
  if (typeof value === 'string') return value;
  return value.tone === undefined ? value.text : `${tones[value.tone].shape} ${value.text}`;
}
