import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { processorMs } from '../test/harness/processor-time.ts';
import { matchesGlob, matchesWildcard } from './glob.ts';

describe('a glob', () => {
  it.each([
    ['ServiceDown*', 'ServiceDown', true],
    ['ServiceDown*', 'ServiceDownCheckout', true],
    ['ServiceDown*', 'NodeServiceDown', false],
    ['payment-*', 'Payment-API', true],
    ['PAYMENT-ß*', 'payment-ßx', true],
    ['*', '/var/lib/data', true],
    ['/var/*', '/var/lib/data', true],
    ['**/data', '/var/lib/data', true],
    ['*', '.hidden', true],
    ['*.', '.', true],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a', '', false],
    ['a*', 'a\nb', true],
    ['web-?', 'web-1', true],
    ['web-?', 'web-12', false],
    ['web-?', 'web-😀', true],
    ['web[12]', 'web2', true],
    ['web[12]', 'web3', false],
    ['web[a-c]', 'webB', true],
    ['web[A-C]', 'webb', true],
    ['web[!12]', 'web3', true],
    ['web[!12]', 'web1', false],
    ['web[^12]', 'web1', false],
    ['web[!a]', 'webA', false],
    ['web[!12]', 'web', false],
    ['web[]]', 'web]', true],
    ['web[a-]', 'web-', true],
    ['web[\\]]', 'web]', true],
    ['web[', 'web[', true],
    ['web[]', 'web[]', true],
    ['{web,db}-1', 'db-1', true],
    ['{web,db}-1', 'dbx-1', false],
    ['web{,-canary}', 'web', true],
    ['web{,-canary}', 'web-canary', true],
    ['{web-{a,b},d*}', 'web-b', true],
    ['{web-{a,b},d*}', 'data', true],
    ['{web-{a,b},d*}', 'web-c', false],
    ['{[,],x}', ',', true],
    ['{a\\,b,c}', 'a,b', true],
    ['{web}', '{web}', true],
    ['{web}', 'web', false],
    ['{web,db', '{web,db', true],
    ['web},db', 'web},db', true],
    ['{1..3}', '2', false],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a\\', 'a\\', true],
    ['a+(b)', 'a+(b)', true],
    ['a+(b)', 'abb', false],
    ['(a|b)', 'a', false],
    ['a.c', 'abc', false],
    ['!prod', 'test', false],
    ['!prod', '!prod', true],
  ])('%j against %j is %j', (pattern, text, matches) => {
    expect(matchesGlob(pattern, text)).toBe(matches);
  });

  it('takes what a simple reference takes', () => {
    const plain = fc.constantFrom('a', 'b', '-', '/', '.', '*', '?', '[ab]', '[!a]', '\\*', '+');
    const word = fc.array(plain, { maxLength: 3 }).map((parts) => parts.join(''));
    const choice = fc.array(word, { minLength: 2, maxLength: 3 }).map((words) => `{${words.join(',')}}`);
    const pattern = fc.array(fc.oneof(plain, choice), { maxLength: 6 });
    const text = fc.array(fc.constantFrom('a', 'b', 'B', '-', '/', '.', '*', '+'), { maxLength: 7 });
    fc.assert(
      fc.property(pattern, text, (parts, characters) => {
        const given = characters.join('');
        expect(matchesGlob(parts.join(''), given)).toBe(takes(parts, given.toLowerCase()));
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['*e*e*e*x', 'e'],
    ['*a*a*a*a*a*a*a*a*b', 'a'],
    ['*a'.repeat(249), 'a'],
    [`${'*a'.repeat(249)}b`, 'a'],
    ['(a+)+$', 'a'],
    [`${'{a,aa}'.repeat(80)}b`, 'a'],
    [`${'{*,a}'.repeat(100)}b`, 'a'],
    [`${'{'.repeat(200)}a${',a}'.repeat(200)}`, 'a'],
    ['['.repeat(500), '['],
    [`${'?*'.repeat(249)}b`, 'a'],
  ])('hostile pattern %# is answered at once for a thousand characters', (pattern, character) => {
    const text = character.repeat(1_000);
    expect(processorMs(() => matchesGlob(pattern, text))).toBeLessThan(100);
    expect(processorMs(() => matchesGlob(pattern, `${text}!`))).toBeLessThan(100);
  });

  it('looks at no more than the first 1,024 characters', () => {
    expect(matchesGlob('*b', `${'a'.repeat(1_023)}b`)).toBe(true);
    expect(matchesGlob('*b', `${'a'.repeat(1_024)}b`)).toBe(false);
    expect(processorMs(() => matchesGlob('*a*a*b', 'a'.repeat(65_536)))).toBeLessThan(100);
  });
});

describe('a wildcard', () => {
  it.each([
    ['rm -rf *', 'rm -rf /data', true],
    ['rm -rf *', 'rm -r /data', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['*.example.com', 'db.example.com', true],
    ['*.example.com', 'example.com', false],
    ['db-?', 'db-1', true],
    ['db-?', 'db-12', false],
    ['*a*b*c', 'xxaxxbxxbxc', true],
    ['*a*b*c', 'xxaxxcxxb', false],
    ['REBOOT', 'reboot', true],
    ['awk {print} [a]', 'awk {print} [a]', true],
    ['awk {print $1,$2} [a]', 'awk {print $1,$2} [a]', true],
    ['sed s/\\./x/', 'sed s/\\./x/', true],
    ['!x', 'y', false],
    ['a*', 'a\nb', true],
  ])('%s over %s: %s', (pattern, text, matches) => {
    expect(matchesWildcard(pattern, text)).toBe(matches);
  });

  it('is dodged by no long text, and held up by no hostile one', () => {
    expect(matchesWildcard('*rm -rf*', `${'x'.repeat(100_000)} rm -rf /`)).toBe(true);
    const hostile = `${'*a'.repeat(20)}*b`;
    expect(processorMs(() => matchesWildcard(hostile, 'a'.repeat(50_000)))).toBeLessThan(2_000);
  });
});

/** By trying everything: good for short texts alone. */
function takes(parts: readonly string[], text: string): boolean {
  const [part, ...rest] = parts;
  if (part === undefined) return text === '';
  if (part.startsWith('{')) {
    const words = part.slice(1, -1).split(',');
    return words.some((word) => takes([...(word.match(/\[.*?\]|\\.|./g) ?? []), ...rest], text));
  }
  if (part === '*') return takes(rest, text) || (text !== '' && takes(parts, text.slice(1)));
  const [first = ''] = text;
  const tests: Record<string, boolean> = {
    '?': true,
    '[ab]': first === 'a' || first === 'b',
    '[!a]': first !== 'a',
    '\\*': first === '*',
  };
  return first !== '' && (tests[part] ?? part === first) && takes(rest, text.slice(1));
}
