import { expect, it } from 'vitest';
import { reportCsv, tableCsv } from './csv.ts';
import type { ReportTable } from './tables.ts';

const table = (title: string, ...rows: string[][]): ReportTable => ({
  id: title.toLowerCase(),
  title,
  columns: [
    { label: 'Incident', kind: 'words' },
    { label: 'Late by', kind: 'number' },
  ],
  rows: rows.map((cells) => ({ cells, incident: null })),
  note: null,
});

it('quotes what must be, and lets no cell be a formula', () => {
  const csv = tableCsv(table('Breaches', ['#1 "down", again', '5 min'], ['=HYPERLINK("x")', '-2.5']));
  expect(csv).toBe(`Incident,Late by\r\n"#1 ""down"", again",5 min\r\n"'=HYPERLINK(""x"")",-2.5\r\n`);
});

it('puts each table under its title', () => {
  expect(reportCsv([table('One', ['a', 'b']), table('Two')])).toBe(
    'One\r\nIncident,Late by\r\na,b\r\n\r\nTwo\r\nIncident,Late by\r\n',
  );
});
