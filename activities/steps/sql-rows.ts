import type { StatementResult } from './sql-connection.ts';

const widest = 60;

/** The rows as people read them in psql; values that are long are cut. */
export function alignedRows({ columns, shown, rows }: StatementResult): string {
  const lines = [columns, ...shown.map((row) => row.map((value) => value ?? 'NULL'))].map((row) =>
    row.map(cell),
  );
  const widths = columns.map((_, column) => Math.max(...lines.map((row) => row[column]?.length ?? 0)));
  const [head = '', ...body] = lines.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  const left = rows - shown.length;
  return [head, rule, ...body, ...(left > 0 ? [`… and ${left.toLocaleString('en')} rows more`] : [])].join(
    '\n',
  );
}

function cell(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > widest ? `${line.slice(0, widest - 1)}…` : line;
}
