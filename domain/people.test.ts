import { expect, it } from 'vitest';
import { withNames, withoutAddresses } from './people.ts';

const people = [
  { email: 'ana@example.com', name: 'Ana' },
  { email: 'nameless@example.com', name: '' },
];

it('puts names in the place of addresses that it knows', () => {
  expect(withNames(people, 'pages ana@example.com, ops@example.com (nameless@example.com)')).toBe(
    'pages Ana, ops@example.com (nameless@example.com)',
  );
});

it('leaves no address whole', () => {
  expect(withoutAddresses('ops@example.com, <ana@example.com> and a@b@c')).toBe('ops@…, <ana@…> and a@…');
  expect(withoutAddresses('all @ once, @here')).toBe('all @ once, @here');
});

// each takes minutes where the time grows with the square of the length
it('reads long texts without an address in one go', () => {
  for (const text of ['x'.repeat(500_000), 'a@'.repeat(250_000), '@'.repeat(500_000), '('.repeat(500_000)]) {
    expect(withNames(people, text)).toHaveLength(text.length);
    expect(withoutAddresses(text).length).toBeLessThanOrEqual(text.length + 1);
  }
});
