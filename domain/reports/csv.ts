import type { ReportTable } from './tables.ts';

/**
 * RFC 4180, with CRLF. A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV
 * Injection): names of alerts come from outside.
 */
export function tableCsv({ columns, rows }: ReportTable): string {
  return [columns.map(({ label }) => label), ...rows.map(({ cells }) => cells)].map(line).join('');
}

/** All tables of a report, each under its title, with an empty line between them. */
export function reportCsv(tables: readonly ReportTable[]): string {
  return tables.map((table) => line([table.title]) + tableCsv(table)).join('\r\n');
}

const line = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-][\d.,]+( %)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
