import { html, Markup } from '../../domain/markup.ts';
import type { Severity } from '../../domain/severity.ts';

/**
 * What every mail of Holdfast looks like. A mail is said once, in blocks, and comes out as HTML and as text,
 * so that neither knows less than the other. Tables and inline styles, because mail clients need them; the
 * style sheet only adds what they may drop: dark mode and the phone.
 */
export type Tone = Severity | 'ok' | 'neutral';

export interface Mail {
  /** First line of the mail and its preview in the list: one sentence that a person would write. */
  sentence: string;
  /** Small line under it, such as `['critical', 'incident #42', 'checkout']`; the first takes the tone. */
  meta: string[];
  tone: Tone;
  /** The first is the main button, the others are outlined. */
  buttons: { label: string; url: string }[];
  /** A line under the buttons that says what pressing does. */
  buttonNote?: string;
  blocks: Block[];
  /** Why the reader gets this mail. */
  footer: string;
  /** Where it stands why this very message was sent. */
  whyUrl?: string;
  /** Holdfast's own address, linked in the footer. */
  publicUrl: string;
}

export type Cell = string | { text: string; tone?: Tone; href?: string };

export type Block =
  | { kind: 'paragraph'; text: string; heading?: string }
  | { kind: 'facts'; heading?: string; rows: { label: string; value: Cell }[] }
  | {
      /** Where no column is of numbers, a phone shows the rows one cell below the other, each with its column's label. */
      kind: 'table';
      heading: string;
      columns: { label: string; align?: 'right' }[];
      rows: Cell[][];
      /** Below the table: what was left out, or how to read it. */
      note?: string;
    }
  | {
      kind: 'list';
      heading: string;
      ordered?: boolean;
      /** `tone` puts its shape where the bullet would be. */
      items: { text: string; code?: string; note?: string; tone?: Tone }[];
      note?: string;
    }
  | { kind: 'code'; heading: string; text: string }
  /** Anything else, such as a chart: `text` must say what the HTML shows. */
  | { kind: 'custom'; heading?: string; html: Markup; text: string };

/** HTML and text of a mail. `html` is a whole document. */
export function renderMail(mail: Mail): { html: string; text: string } {
  return { html: document(mail).text, text: plainText(mail) };
}

/** The colours of the pages, on white and on the dark card, and the shape that says the same without them. */
export const tones: Record<Tone, { light: string; dark: string; shape: string }> = {
  critical: { light: '#b3261e', dark: '#ff8a80', shape: '■' },
  high: { light: '#b0470a', dark: '#ffa168', shape: '▲' },
  warning: { light: '#855c00', dark: '#e5bd55', shape: '◆' },
  low: { light: '#2a62ad', dark: '#86b5f5', shape: '▼' },
  info: { light: '#5b6169', dark: '#a6acb3', shape: '○' },
  ok: { light: '#1e6e3d', dark: '#74c991', shape: '✓' },
  neutral: { light: '#50545a', dark: '#b4b8bd', shape: '•' },
};

const font = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif";
const mono = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace";
const accent = '#0f6a5b';

// the colours of the light mail are inline; this turns them for readers in the dark and narrows the margins
const styleSheet = new Markup(`
:root{color-scheme:light dark;supported-color-schemes:light dark}
body{margin:0;padding:0;-webkit-text-size-adjust:100%}
@media (max-width:480px){.hf-pad{padding-left:20px!important;padding-right:20px!important}.hf-outer{padding:0!important}
.hf-card{border-radius:0!important;border-left:0!important;border-right:0!important}
.hf-buttons,.hf-buttons tbody,.hf-buttons tr,.hf-buttons td,.hf-buttons table,.hf-buttons a{display:block!important;width:auto!important;text-align:center!important}
.hf-button{padding-right:0!important}
.hf-stack,.hf-stack tbody,.hf-stack tr,.hf-stack td{display:block!important}.hf-stack thead{display:none!important}
.hf-stack .hf-below{border-top:0!important;padding:0 0 6px!important}.hf-stack .hf-below a{display:inline-block!important;padding:12px 0!important}
.hf-label{display:inline!important}}
@media (prefers-color-scheme:dark){.hf-page{background:#101214!important}.hf-card{background:#17191c!important;border-left-color:#2a2d31!important;border-right-color:#2a2d31!important;border-bottom-color:#2a2d31!important}
.hf-text{color:#e9eaeb!important}.hf-muted{color:#b4b8bd!important}.hf-line{border-color:#2a2d31!important}
.hf-code{background:#1e2124!important;color:#e9eaeb!important;border-color:#2a2d31!important}.hf-link{color:#4cc2ac!important}
.hf-plain{background:#17191c!important;border-color:#42464c!important}.hf-plain a{color:#e9eaeb!important}
${Object.entries(tones)
  .map(([tone, { dark }]) => `.hf-${tone}{color:${dark}!important}`)
  .join('')}}`);

const text = (size: number, extra = ''): string =>
  `font-family:${font};font-size:${size}px;line-height:1.5;color:#1b1d1f;${extra}`;
const muted = (size: number, extra = ''): string =>
  `font-family:${font};font-size:${size}px;line-height:1.5;color:#50545a;${extra}`;

function document(mail: Mail): Markup {
  const tone = tones[mail.tone];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no,date=no,address=no,email=no">
<title>${mail.sentence}</title>
<style>${styleSheet}</style>
</head>
<body class="hf-page" style="margin:0;padding:0;background:#f8f8f6">
<table role="presentation" class="hf-page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f8f8f6"><tr><td class="hf-outer" align="center" style="padding:24px 12px">
<table role="presentation" class="hf-card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;background:#ffffff;border:1px solid #cfcec7;border-top:4px solid ${tone.light};border-radius:8px;text-align:left">
<tr><td class="hf-pad" style="padding:28px 32px 0">
<h1 class="hf-text" style="margin:0;${text(20, 'font-weight:600;line-height:1.4;word-break:break-word')}">${unbroken(mail.sentence)}</h1>
<p class="hf-muted" style="margin:8px 0 0;${muted(14, 'word-break:break-word')}">${metaLine(mail)}</p>
</td></tr>
${mail.buttons.length > 0 && buttonRow(mail)}
${mail.blocks.map((block) => blockRow(block))}
<tr><td class="hf-pad" style="padding:28px 32px 28px">
<p class="hf-muted hf-line" style="margin:0;padding:16px 0 0;border-top:1px solid #e4e3de;${muted(13, 'word-break:break-word')}">${mail.footer}${mail.whyUrl !== undefined && html` <a class="hf-link" href="${mail.whyUrl}" style="color:${accent}">Why did I get this?</a>`}<br><a class="hf-link" href="${mail.publicUrl}" style="color:${accent}">Holdfast</a> · sent by a machine; replies are not read.</p>
</td></tr>
</table>
</td></tr></table>
</body>
</html>
`;
}

function metaLine(mail: Mail): Markup {
  const [first, ...rest] = mail.meta;
  const tone = tones[mail.tone];
  return html`<strong class="hf-${mail.tone}" style="color:${tone.light}">${tone.shape} ${first}</strong>${rest.map((part) => html` &nbsp;·&nbsp; ${part}`)}`;
}

function buttonRow(mail: Mail): Markup {
  const cells = mail.buttons.map(({ label, url }, index) =>
    index === 0
      ? html`<td class="hf-button" style="padding:0 12px 12px 0"><table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr><td bgcolor="${accent}" style="border-radius:6px;background:${accent};border:1px solid ${accent}"><a href="${url}" style="display:inline-block;padding:12px 24px;font-family:${font};font-size:16px;line-height:24px;font-weight:600;color:#ffffff;text-decoration:none">${label}</a></td></tr></table></td>`
      : html`<td class="hf-button" style="padding:0 12px 12px 0"><table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr><td class="hf-plain" style="border-radius:6px;background:#ffffff;border:1px solid #cfcec7"><a href="${url}" style="display:inline-block;padding:12px 20px;font-family:${font};font-size:16px;line-height:24px;font-weight:500;color:#1b1d1f;text-decoration:none">${label}</a></td></tr></table></td>`,
  );
  return html`<tr><td class="hf-pad" style="padding:24px 32px 0">
<table role="presentation" class="hf-buttons" cellpadding="0" cellspacing="0" border="0"><tr>${cells}</tr></table>
${mail.buttonNote !== undefined && html`<p class="hf-muted" style="margin:0;${muted(13)}">${mail.buttonNote}</p>`}
</td></tr>
`;
}

function blockRow(block: Block): Markup {
  const heading =
    block.heading !== undefined &&
    html`<h2 class="hf-text" style="margin:0 0 8px;${text(15, 'font-weight:600')}">${block.heading}</h2>`;
  return html`<tr><td class="hf-pad" style="padding:24px 32px 0">${heading}${blockBody(block)}</td></tr>
`;
}

function blockBody(block: Block): Markup {
  switch (block.kind) {
    case 'paragraph':
      return html`<p class="hf-text" style="margin:0;${text(15, 'white-space:pre-line;word-break:break-word')}">${block.text}</p>`;
    case 'facts':
      return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">${block.rows.map(
        ({ label, value }) =>
          html`<tr><td class="hf-muted hf-line" valign="top" width="120" style="padding:6px 12px 6px 0;border-top:1px solid #e4e3de;${muted(14)}">${label}</td><td class="hf-text hf-line" valign="top" style="padding:6px 0;border-top:1px solid #e4e3de;${text(14, 'word-break:break-word;overflow-wrap:anywhere')}">${cell(value)}</td></tr>`,
      )}</table>`;
    case 'table':
      return html`<table${isOfWords(block) && new Markup(' class="hf-stack"')} width="100%" cellpadding="0" cellspacing="0" border="0"><thead><tr>${block.columns.map(
        (column, index) =>
          html`<th scope="col" class="hf-muted" align="${column.align ?? 'left'}" valign="bottom" style="padding:0 0 6px ${index === 0 ? 0 : 12}px;${muted(13, 'font-weight:500')}">${column.label}</th>`,
      )}</tr></thead><tbody>${block.rows.map(
        (row) =>
          html`<tr>${row.map(
            (value, index) =>
              html`<td class="hf-text hf-line${index > 0 && ' hf-below'}" align="${block.columns[index]?.align ?? 'left'}" valign="top" style="padding:6px 0 6px ${index === 0 ? 0 : 12}px;border-top:1px solid #e4e3de;${text(14, `overflow-wrap:anywhere;${block.columns[index]?.align === 'right' ? 'font-variant-numeric:tabular-nums;white-space:nowrap' : cellWords(value).length <= shortWord ? 'white-space:nowrap' : ''}`)}">${isOfWords(block) && index > 0 && columnLabel(block.columns[index], value)}${cell(value)}</td>`,
          )}</tr>`,
      )}</tbody></table>${note(block.note)}`;
    case 'list':
      return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">${block.items.map(
        (item, index) =>
          html`<tr><td class="hf-muted hf-line" valign="top" width="24" style="padding:8px 0;border-top:1px solid #e4e3de;${muted(14)}">${markOf(item.tone, block.ordered ? `${index + 1}.` : '•')}</td><td class="hf-text hf-line" valign="top" style="padding:8px 0;border-top:1px solid #e4e3de;${text(14, 'word-break:break-word;overflow-wrap:anywhere')}">${item.text}${item.code !== undefined && html`<br><code class="hf-code" style="${codeStyle}display:inline-block;padding:2px 6px;margin:2px 0">${item.code}</code>`}${item.note !== undefined && html`<br><span class="hf-muted" style="${muted(13, 'white-space:pre-line')}">${item.note}</span>`}</td></tr>`,
      )}</table>${note(block.note)}`;
    case 'code':
      return html`<pre class="hf-code" style="margin:0;padding:12px;${codeStyle}">${block.text}</pre>`;
    case 'custom':
      return block.html;
  }
}

/** Characters that a column leaves room for in one line: a time, an action, most addresses. */
const shortWord = 16;

/** Its rows can be read one cell below the other; those of numbers are there to be compared. */
const isOfWords = ({ columns }: Extract<Block, { kind: 'table' }>): boolean =>
  columns.every(({ align }) => align !== 'right');

/** In front of a cell where the phone shows no heads of columns. */
function columnLabel(column: { label: string } | undefined, value: Cell): Markup | false {
  if (!column || value === '' || cellWords(value) === column.label) return false;
  return html`<span class="hf-label hf-muted" style="display:none;mso-hide:all;${muted(13)}">${column.label}: </span>`;
}

/** A number and its '%' stay on one line. */
export const unbroken = (text: string): string => text.replace(/(\d) %/g, '$1\u00a0%');

function markOf(tone: Tone | undefined, bullet: string): Markup {
  if (tone === undefined) return html`${bullet}`;
  return html`<span class="hf-${tone}" style="color:${tones[tone].light}">${tones[tone].shape}</span>`;
}

const codeStyle = `font-family:${mono};font-size:13px;line-height:1.5;color:#1b1d1f;background:#f1f1ee;border:1px solid #e4e3de;border-radius:4px;white-space:pre-wrap;word-break:break-word;overflow-wrap:anywhere;`;

function note(text: string | undefined): Markup | false {
  return text !== undefined && html`<p class="hf-muted" style="margin:8px 0 0;${muted(13)}">${text}</p>`;
}

function cell(value: Cell): Markup {
  if (typeof value === 'string') return html`${value}`;
  if (value.href !== undefined) {
    return html`${value.tone && html`${markOf(value.tone, '')}&nbsp;`}<a class="hf-link" href="${value.href}" style="color:${accent}">${value.text}</a>`;
  }
  if (value.tone === undefined) return html`${value.text}`;
  const tone = tones[value.tone];
  return html`<span class="hf-${value.tone}" style="color:${tone.light};font-weight:600">${tone.shape} ${value.text}</span>`;
}

function plainText(mail: Mail): string {
  const parts = [`${mail.sentence}\n${mail.meta.join(' · ')}`];
  if (mail.buttons.length > 0) {
    const links = mail.buttons.map(({ label, url }) => `${label}:\n${url}`);
    parts.push(
      mail.buttonNote === undefined ? links.join('\n') : `${links.join('\n')}\n(${mail.buttonNote})`,
    );
  }
  parts.push(...mail.blocks.map(blockText));
  const why = mail.whyUrl === undefined ? '' : `Why did I get this? ${mail.whyUrl}\n`;
  parts.push(
    `-- \n${mail.footer}\n${why}Holdfast, ${mail.publicUrl} · sent by a machine; replies are not read.`,
  );
  return `${parts.join('\n\n')}\n`;
}

function blockText(block: Block): string {
  const heading =
    block.heading === undefined ? '' : `${block.heading}\n${'-'.repeat(block.heading.length)}\n`;
  return heading + blockTextBody(block);
}

function blockTextBody(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
    case 'code':
    case 'custom':
      return block.text;
    case 'facts': {
      const width = Math.max(...block.rows.map((row) => row.label.length)) + 2;
      return block.rows.map((row) => `${`${row.label}:`.padEnd(width)}${cellText(row.value)}`).join('\n');
    }
    case 'table': {
      const aligned = isOfWords(block) ? [] : alignedRows(block);
      const fits = aligned.length > 0 && aligned.every(([line = '']) => line.length <= textWidth);
      const rows = fits ? aligned : block.rows.map((row) => stackedRow(block, row));
      return [...rows.flat(), ...(block.note === undefined ? [] : [block.note])].join('\n');
    }
    case 'list': {
      const items = block.items.map((item, index) => {
        const mark = block.ordered ? `${index + 1}. ` : '- ';
        const more = [item.code, item.note].flatMap((part) => part?.split('\n') ?? []);
        return [`${mark}${item.text}`, ...more.map((line) => ' '.repeat(mark.length) + line)].join('\n');
      });
      return [...items, ...(block.note === undefined ? [] : [block.note])].join('\n');
    }
  }
}

/** Characters up to which columns stand side by side in the text part. */
const textWidth = 78;

/** The heads of the columns and each row as a line, followed by the row's links. */
function alignedRows({ columns, rows }: Extract<Block, { kind: 'table' }>): string[][] {
  const lines = [columns.map(({ label }) => label), ...rows.map((row) => row.map(cellWords))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  return lines.map((line, index) => {
    const padded = line.map((words, column) =>
      columns[column]?.align === 'right'
        ? words.padStart(widths[column] ?? 0)
        : words.padEnd(widths[column] ?? 0),
    );
    const links = rows[index - 1]?.flatMap((value) => hrefOf(value) ?? []) ?? [];
    return [padded.join('  ').trimEnd(), ...links.map((link) => `  ${link}`)];
  });
}

/** The first cell as an item of a list, and below it the others with the labels of their columns. */
function stackedRow(
  { columns }: Extract<Block, { kind: 'table' }>,
  [first = '', ...others]: Cell[],
): string[] {
  const link = hrefOf(first);
  return [
    `- ${cellWords(first)}`,
    ...(link === undefined ? [] : [`  ${link}`]),
    ...others.flatMap((value, index) => {
      const label = columns[index + 1]?.label ?? '';
      const words = cellWords(value) === label ? (hrefOf(value) ?? label) : cellText(value);
      return words === '' ? [] : [`  ${label}: ${words}`];
    }),
  ];
}

const cellWords = (value: Cell): string => (typeof value === 'string' ? value : value.text);
const hrefOf = (value: Cell): string | undefined => (typeof value === 'string' ? undefined : value.href);

function cellText(value: Cell): string {
  if (typeof value === 'string') return value;
  return value.href === undefined ? value.text : `${value.text} (${value.href})`;
}
