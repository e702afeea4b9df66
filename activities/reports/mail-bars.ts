import { html, type Markup } from '../../domain/markup.ts';
import { type Block, type Tone, tones, unbroken } from '../messages/mail-layout.ts';

/** Bars made of table cells, for mail clients, of which many show no SVG. Each says its number as text too. */

export interface MailBar {
  label: string;
  /** 0 to 1: the filled share. */
  share: number;
  /** Right of the label: the number with its unit. */
  value: string;
  tone: Tone;
  /** A small line below. */
  note?: string;
}

// grey that can be told from both a white and a dark card; clients that know no alpha take bgcolor
const track = 'background:rgba(128,137,150,0.28)';
const font = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif";

export function barsBlock(heading: string, bars: readonly MailBar[], note?: string): Block {
  const rows = bars.map(
    (
      bar,
    ) => html`<tr><td class="hf-text" align="left" valign="bottom" style="padding:10px 12px 4px 0;font-family:${font};font-size:14px;line-height:1.4;color:#1d2430;overflow-wrap:anywhere">${bar.label}</td><td align="right" valign="bottom" style="padding:10px 0 4px;font-family:${font};font-size:14px;line-height:1.4;font-weight:600;white-space:nowrap;font-variant-numeric:tabular-nums"><span class="hf-${bar.tone}" style="color:${tones[bar.tone].light}">${tones[bar.tone].shape}&nbsp;${bar.value}</span></td></tr>
<tr><td colspan="2" style="padding:0 0 ${bar.note === undefined ? 4 : 0}px">${filledBar(bar.share, bar.tone)}</td></tr>
${bar.note !== undefined && html`<tr><td colspan="2" class="hf-muted" style="padding:4px 0 4px;font-family:${font};font-size:13px;line-height:1.4;color:#5b6472">${unbroken(bar.note)}</td></tr>`}`,
  );
  return {
    kind: 'custom',
    heading,
    html: html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">${rows}</table>${note !== undefined && html`<p class="hf-muted" style="margin:8px 0 0;font-family:${font};font-size:13px;line-height:1.5;color:#5b6472">${note}</p>`}`,
    text: barsText(bars, note),
  };
}

function filledBar(share: number, tone: Tone): Markup {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  const filled = html`<td width="${percent}%" bgcolor="${tones[tone].light}" height="8" style="height:8px;line-height:8px;font-size:0;background:${tones[tone].light};border-radius:4px">&nbsp;</td>`;
  const rest = html`<td width="${100 - percent}%" height="8" style="height:8px;line-height:8px;font-size:0">&nbsp;</td>`;
  return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#dfe3e8" style="${track};border-radius:4px"><tr>${percent > 0 && filled}${percent < 100 && rest}</tr></table>`;
}

function barsText(bars: readonly MailBar[], note: string | undefined): string {
  const numbers = Math.max(0, ...bars.map((bar) => bar.value.length));
  const lines = bars.flatMap((bar) => {
    const filled = Math.round(Math.min(1, Math.max(0, bar.share)) * 20);
    const line = `${bar.value.padStart(numbers)}  ${'#'.repeat(filled)}${'.'.repeat(20 - filled)}  ${bar.label}`;
    return bar.note === undefined ? [line] : [line, `${' '.repeat(numbers + 2)}${bar.note}`];
  });
  return [...lines, ...(note === undefined ? [] : ['', note])].join('\n');
}

export interface MailColumn {
  /** Its full name, in the text part. */
  name: string;
  /** Below the column; '' for none. */
  label: string;
  value: number;
  tone: Tone;
}

/** Upright bars side by side, such as one per hour of the day. `text` says in words what they show. */
export function columnsBlock(heading: string, columns: readonly MailColumn[], text: string): Block {
  const top = Math.max(1, ...columns.map((column) => column.value));
  const width = `${(100 / Math.max(1, columns.length)).toFixed(2)}%`;
  const names = Math.max(0, ...columns.map((column) => column.name.length));
  const pixels = (value: number): number => (value === 0 ? 1 : Math.max(3, Math.round((value / top) * 72)));
  return {
    kind: 'custom',
    heading,
    html: html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" class="hf-muted" style="table-layout:fixed;font-family:${font};font-size:11px;line-height:16px;color:#5b6472;text-align:center"><tr>${columns.map(
      (column) =>
        html`<td width="${width}" align="center" valign="bottom" height="96" style="height:96px;padding:0 1px;vertical-align:bottom">${column.value > 0 && column.value}<div style="height:${pixels(column.value)}px;line-height:1px;font-size:0;background:${column.value === 0 ? 'rgba(128,137,150,0.4)' : tones[column.tone].light};border-radius:2px 2px 0 0">&nbsp;</div></td>`,
    )}</tr><tr>${columns.map(
      (column) => html`<td align="center" style="padding:4px 0 0;white-space:nowrap">${column.label}</td>`,
    )}</tr></table><p class="hf-muted" style="margin:8px 0 0;font-family:${font};font-size:13px;line-height:1.5;color:#5b6472">${text}</p>`,
    text: `${columns
      .filter((column) => column.value > 0)
      .map((column) => `${column.name.padEnd(names)}  ${String(column.value).padStart(4)}`)
      .join('\n')}\n${text}`,
  };
}
