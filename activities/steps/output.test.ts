import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StepOutput } from './output.ts';

describe('the output of a step', () => {
  it('keeps head and tail and says how much is missing', () => {
    const output = new StepOutput({ secrets: [], limit: 2000 });
    for (let line = 0; line < 10_000; line += 1) output.add(`line ${line}\n`);
    const text = output.text();
    expect(text.length).toBeLessThan(2100);
    expect(text).toMatch(/^line 0\nline 1\n/);
    expect(text).toMatch(/line 9998\nline 9999\n$/);
    expect(text).toMatch(/\n… 9\d,\d{3} characters left out …\n/);
  });

  it('says what changed since it was last asked, once', () => {
    const output = new StepOutput({ secrets: [] });
    expect(output.takeChanged()).toBe('');
    expect(output.takeChanged()).toBeUndefined();
    output.add('a');
    expect(output.takeChanged()).toBe('a');
    expect(output.takeChanged()).toBeUndefined();
  });

  it('holds no control characters and no NUL, which PostgreSQL refuses', () => {
    const output = new StepOutput({ secrets: [] });
    output.add('\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007 a\0b\r\nc\u0007\ud800');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(output.text()).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
    expect(output.text()).toMatch(/^red .*link.* a\ufffdb\nc\ufffd\ufffd$/);
  });

  it('shows no part of a secret that was cut', () => {
    const secret = 'correct-horse-battery-staple';
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(secret, 'x', 'some text\n', 'yy'), { maxLength: 200 }),
        (parts) => {
          const output = new StepOutput({ secrets: [secret], limit: 600 });
          for (const part of parts) output.add(part);
          expect(output.text()).not.toMatch(/horse|correct|staple|battery/);
        },
      ),
    );
  });

  it('masks the encoded forms of a secret too', () => {
    const output = new StepOutput({ secrets: ['a b"c/d'] });
    output.add('a%20b%22c%2Fd a b\\"c/d a b"c/d');
    expect(output.text()).toBe('*** *** ***');
  });

  it('masks a secret that becomes known while it runs, its long lines and the password of its URL', () => {
    const output = new StepOutput({ secrets: [] });
    output.add('first s3cret-value then -----\nline-of-a-private-key-0123 and p%40ss and p@ss\n');
    output.takeChanged();
    output.addSecret('s3cret-value');
    output.addSecret('-----\n  line-of-a-private-key-0123\n');
    output.addSecret('postgres://me:p%40ss@db/app');
    expect(output.takeChanged()).toBe('first *** then -----\n*** and *** and ***\n');
  });
});
