import { expect, it } from 'vitest';
import type { GitImport } from '../../db/git-sources.ts';
import { composeMail, SubjectMissingError } from './compose.ts';

const refused: GitImport = {
  id: 'i',
  sourceId: '075dee87-0a0c-4444-b717-157413aad1e3',
  commit: 'c0ffee'.padEnd(40, '0'),
  author: 'Ana Núñez',
  authorEmail: 'ana@example.com',
  committedAt: new Date('2026-11-21T02:14:00Z'),
  subject: 'Restart the pool <b>first</b>',
  status: 'refused',
  problems: [{ file: 'ops/restart.yaml', line: 4, col: 20, message: 'a variable inside double quotes' }],
  changes: { added: [], changed: [], removed: [] },
  at: new Date('2026-11-21T02:15:00Z'),
};
const compose = (refusedImport: GitImport | undefined) =>
  composeMail({
    type: 'runbook.import_refused',
    facts: { incident: undefined, execution: undefined, approval: undefined },
    refusedImport,
    detail: {},
    publicUrl: 'https://holdfast.example.com',
    reader: 'ana@example.com',
    links: {},
    now: Date.parse('2026-11-21T02:15:00Z'),
    timeZone: 'UTC',
  });

it('tells the author where the push is wrong, and that nothing of it is in force', () => {
  const mail = compose(refused);
  expect(mail.subject).toBe('[runbooks] c0ffee0000 was refused: 1 problem in your push');
  expect(mail.sentence).toBe('Holdfast did not take over commit c0ffee0000: 1 problem in its runbooks.');
  for (const part of [
    'ops/restart.yaml:4:20',
    'a variable inside double quotes',
    'the runbooks of the last good commit go on to hold',
    'https://holdfast.example.com/settings/git-sources/075dee87-0a0c-4444-b717-157413aad1e3',
    'Restart the pool <b>first</b>',
    'Ana Núñez <ana@example.com>',
    '02:14 UTC',
    'ana@example.com is told as the author of the commit',
  ]) {
    expect(mail.text).toContain(part);
  }
  expect(mail.html).toContain('Restart the pool &lt;b&gt;first&lt;/b&gt;');
});

it('stays under the size at which clients cut, whatever was pushed', () => {
  const problem = { file: '<'.repeat(5000), line: 1, col: 1, message: '<'.repeat(100_000) };
  const mail = compose({
    ...refused,
    subject: `${'&'.repeat(5000)}\r\nBcc: everybody@example.com`,
    problems: Array.from({ length: 500 }, () => problem),
  });
  expect(Buffer.byteLength(mail.html)).toBeLessThan(100_000);
  expect(mail.subject).not.toMatch(/[\r\n]/);
  expect(mail.text).toContain('And 480 problems more');
});

it('waits for the record of the import', () => {
  expect(() => compose(undefined)).toThrow(SubjectMissingError);
});
