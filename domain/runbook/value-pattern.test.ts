import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { processorMs } from '../../test/harness/processor-time.ts';
import { readValuePattern } from './value-pattern.ts';

function matches(pattern: string, value: string): boolean {
  const read = readValuePattern(pattern);
  if ('problem' in read) throw new Error(read.problem);
  return read.matches(value);
}

describe('the pattern of an input', () => {
  it.each([
    ['[a-z]{1,3}', 'abc', true],
    ['[a-z]{1,3}', 'abcd', false],
    ['[a-z]{1,3}', '', false],
    ['[a-z]{2}', 'a', false],
    ['[a-z]{2}', 'ab', true],
    ['[a-z]{2,}', 'abcdef', true],
    ['[a-z]+', 'A', false],
    ['[a-z]+', 'abc\n', false],
    ['^[a-z]+$', 'abc', true],
    ['^a|b$', 'b', true],
    ['[1-9]|[1-4][0-9]|50', '49', true],
    ['[1-9]|[1-4][0-9]|50', '51', false],
    ['/etc/logrotate\\.(conf|d/[A-Za-z0-9_.-]+)', '/etc/logrotate.d/nginx', true],
    ['/etc/logrotate\\.(conf|d/[A-Za-z0-9_.-]+)', '/etc/logrotate.d/', false],
    ['(?:a|)(?<rest>b)??', '', true],
    ['(a*)*', 'aaa', true],
    ['(a|b)*?c', 'abac', true],
    ['.', '😀', true],
    ['.', '\n', false],
    ['[^\\n]*', 'a\nb', false],
    ['\\p{L}+', 'Größe', true],
    ['\\u{1F600}|\\uD83D\\uDE01|\\x41|\\u0042', '😁', true],
    ['\\u{1F600}|\\uD83D\\uDE01|\\x41|\\u0042', 'B', true],
    ['\\d+\\.\\d\\s\\w\\\\\\/', '12.5 a\\/', true],
    ['[\\]\\\\a-]+', ']\\-a', true],
    ['a{0}', '', true],
    ['', '', true],
    ['\\$\\^', '$^', true],
  ])('%s over %j: %j', (pattern, value, expected) => {
    expect(matches(pattern, value)).toBe(expected);
  });

  it.each([
    ['[', /this is no regular expression/],
    ['a)|(b', /this is no regular expression/],
    ['a{2,1}', /this is no regular expression/],
    ['(?=a)a', /cannot hold '\(\?=': it looks ahead or back; write what/],
    ['(?!a).', /'\(\?!'/],
    ['a(?<=a)', /'\(\?<='/],
    ['a(?<!a)', /'\(\?<!'/],
    ['(a)\\1', /cannot hold '\\1': it refers back/],
    ['(?<x>a)\\k<x>', /'\\k<x>'/],
    ['\\ba', /cannot hold '\\b'/],
    ['a$b', /cannot hold '\$': the whole value is matched anyway/],
    ['(^a)', /cannot hold '\^'/],
    ['(?i:a)', /flags are not read/],
    ['(a{100}){100}', /over 4000 characters long/],
    ['a{999999999}', /over 4000 characters long/],
    ['((){99999}){99999}', /over 4000 characters long/],
    ['(((((a{2,9}){2,9}){2,9}){2,9}){2,9}){2,}', /over 4000 characters long/],
  ])('%s is refused with the reason', (pattern, reason) => {
    const read = readValuePattern(pattern);
    expect('problem' in read && read.problem).toMatch(reason);
  });

  it('means what it means in JavaScript', () => {
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '', '\\.', '😀'),
        fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => one + other),
        fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => `(${one}|${other})`),
        fc
          .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '{1,3}', '+?', '*?'))
          .map(([one, count]) => `(?:${one})${count}`),
      ),
    }));
    const value = fc.array(fc.constantFrom('a', 'b', '1', '.', '\n', '😀'), { maxLength: 5 });
    fc.assert(
      fc.property(pattern, value, (written, characters) => {
        const given = characters.join('');
        expect(matches(written, given)).toBe(new RegExp(`^(?:${written})$`, 'u').test(given));
      }),
      { numRuns: 3_000 },
    );
  });

  // each holds JavaScript's own matching up for seconds to years, over 30 to 1,000 characters
  it.each([
    ['(a+)+', 'a'],
    ['([a-zA-Z]+)*', 'a'],
    ['(a|aa)+', 'a'],
    ['(a|a?)+', 'a'],
    ['(.*a){20}', 'a'],
    ['(.*)(.*)(.*)(.*)(.*)x', 'a'],
    ['((a*)*)*', 'a'],
    ['(a?){400}a{400}', 'a'],
    ['\\s*\\s*\\s*\\s*x', ' '],
    ['(\\w+\\s?)*', 'a'],
    ['([0-9]+,?)*[0-9]+', '1'],
    [
      '([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))',
      'a',
    ],
    ['(([a-z])+.)+[A-Z]([a-z])+', 'a'],
    ['(https?:\\/\\/)?([\\da-z.-]+)\\.([a-z.]{2,6})([\\/\\w .-]*)*\\/?', 'a'],
    ['[a-z]{1,999}[a-z]{1,999}', 'a'],
  ])('%s is answered at once for a thousand of %j', (pattern, character) => {
    expect(processorMs(() => matches(pattern, `${character.repeat(999)}!`))).toBeLessThan(500);
  });
});
