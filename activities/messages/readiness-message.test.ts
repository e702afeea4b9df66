import { expect, test } from 'vitest';
import type { ReadinessFinding } from '../../domain/readiness/readiness.ts';
import { renderMail } from './mail-layout.ts';
import { readinessMessage } from './readiness-message.ts';

const now = Date.parse('2026-11-23T07:00:00Z');
const source = { publicUrl: 'https://holdfast.example.com', reader: 'ana@example.com', now, timeZone: 'UTC' };

function finding(severity: ReadinessFinding['severity'], at: number | null = null): ReadinessFinding {
  return {
    kind: 'gap',
    severity,
    subject: 'payments',
    schedule: 'payments',
    text: 'Nobody is on call by <b>payments</b>.',
    remedy: 'Let somebody take the time over.',
    at,
  };
}

test('what loses pages stands first, in words that the text has, too', () => {
  const { subject, mail } = readinessMessage(source, [
    finding('critical', now + 86_400_000),
    finding('info'),
  ]);
  const { text, html } = renderMail(mail);
  expect(subject).toBe('[on-call] Pages can get lost in the next 14 days: 1 problem to mend now.');
  expect(text.indexOf('Pages get lost')).toBeLessThan(text.indexOf('To tidy up'));
  expect(text).toContain('From Tue 07:00 UTC: Nobody is on call');
  expect(html).toContain('&lt;b&gt;payments');
});

test('hundreds of findings stay a mail that clients show whole', () => {
  const many = Array.from({ length: 900 }, (_, index) =>
    finding((['critical', 'warning', 'info'] as const)[index % 3]!),
  );
  const { html, text } = renderMail(readinessMessage(source, many).mail);
  expect(html.length).toBeLessThan(100_000);
  expect(text).toContain('And 285 more on the page.');
});
