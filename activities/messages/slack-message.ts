import {
  actions,
  button,
  context,
  escapeSlack,
  message as fitting,
  link,
  type SlackBlock,
  type SlackMessage,
  section,
  slackLimits,
} from '../../domain/chat/slack-blocks.ts';
import { lines, oneLine } from '../../domain/markup.ts';
import { type Block, type Cell, type Mail, tones } from './mail-layout.ts';
import type { Message } from './message.ts';

/**
 * A message as Slack shows it. `presses`: its buttons act by themselves; where they do not, there are only links.
 * `brief`: without what the message above it in the thread says already.
 */
export function slackMessage(
  { subject, mail, actions: pressed = [] }: Message,
  { presses, brief = false }: { presses: boolean; brief?: boolean },
): SlackMessage {
  const [open] = mail.buttons;
  const buttons = [
    ...(presses
      ? pressed.map(({ action, label, value, style }) =>
          button(action, label, { value, ...(style && { style }) }),
        )
      : []),
    ...(open ? [button('holdfast.view', open.label, { url: open.url })] : []),
  ];
  const top = [
    section(`${tones[mail.tone].shape} *${escapeSlack(oneLine(mail.sentence, 2000))}*`),
    context(escapeSlack(oneLine(mail.meta.join(' · '), 1500))),
  ];
  const bottom = [...actions(buttons), context(`${escapeSlack(oneLine(mail.footer, 1500))}${whyLink(mail)}`)];
  const between = brief ? [] : mail.blocks.flatMap(blocksOf);
  return fitting(subject, [
    ...top,
    ...between.slice(0, slackLimits.blocks - top.length - bottom.length),
    ...bottom,
  ]);
}

/** The address is encoded: it holds nothing that ends a link. */
function whyLink({ whyUrl }: Mail): string {
  return whyUrl === undefined ? '' : ` <${whyUrl}|Why did I get this?>`;
}

function blocksOf(block: Block): SlackBlock[] {
  const heading = block.heading === undefined ? [] : [`*${escapeSlack(block.heading)}*`];
  switch (block.kind) {
    case 'paragraph':
      return [section([...heading, escapeSlack(lines(block.text, 2000))].join('\n'))];
    case 'custom':
    case 'code': {
      const text = escapeSlack(lines(block.text, 2000)).replaceAll('```', "'''");
      return [section([...heading, `\`\`\`${text}\`\`\``].join('\n'))];
    }
    case 'facts':
      return sectionsOf([
        ...heading,
        ...block.rows.map(({ label, value }) => `*${escapeSlack(label)}*  ${cell(value)}`),
      ]);
    case 'table':
      return sectionsOf([
        ...heading,
        ...block.rows.map((row) => `• ${row.map(cell).filter(Boolean).join(' · ')}`),
        ...noteOf(block.note),
      ]);
    case 'list':
      return sectionsOf([
        ...heading,
        ...block.items.map(({ text, code, note, tone }, index) => {
          const mark = tone === undefined ? (block.ordered ? `${index + 1}.` : '•') : tones[tone].shape;
          const more = [code, note].flatMap((part) => part?.split('\n') ?? []);
          return [`${mark} ${escapeSlack(text)}`, ...more.map((line) => `      ${escapeSlack(line)}`)].join(
            '\n',
          );
        }),
        ...noteOf(block.note),
      ]);
  }
}

const noteOf = (note: string | undefined): string[] => (note === undefined ? [] : [escapeSlack(note)]);

/** As many sections as the lines take, none cut in the middle of one. */
function sectionsOf(parts: readonly string[]): SlackBlock[] {
  const sections: string[] = [];
  for (const part of parts) {
    const last = sections.at(-1);
    if (last === undefined || last.length + part.length >= slackLimits.section) sections.push(part);
    else sections[sections.length - 1] = `${last}\n${part}`;
  }
  return sections.map((text) => section(text));
}

function cell(value: Cell): string {
  if (typeof value === 'string') return escapeSlack(value);
  if (value.href !== undefined) return link(value.href, value.text);
  return value.tone === undefined
    ? escapeSlack(value.text)
    : `${tones[value.tone].shape} ${escapeSlack(value.text)}`;
}
