import { expect, it } from 'vitest';
import { matchesGlob } from './glob.ts';

it.each([
  ['ServiceDown*', 'ServiceDown', true],
  ['ServiceDown*', 'ServiceDownCheckout', true],
  ['ServiceDown*', 'NodeServiceDown', false],
  ['payment-*', 'Payment-API', true],
  ['*', '/var/lib/data', true],
  ['/var/*', '/var/lib/data', true],
  ['*', '.hidden', true],
  ['*', '', true],
  ['a', '', false],
  ['web-?', 'web-1', true],
  ['web[12]', 'web3', false],
  ['a+(b)', 'abb', false],
])('%j against %j is %j', (pattern, text, matches) => {
  expect(matchesGlob(pattern, text)).toBe(matches);
});

it('a text of 65,536 characters against many stars is answered at once', () => {
  const began = performance.now();
  expect(matchesGlob('*a*a*b', 'a'.repeat(65_536))).toBe(false);
  expect(performance.now() - began).toBeLessThan(2_000);
});
