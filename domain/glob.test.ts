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
