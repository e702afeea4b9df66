import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { processorMs } from '../../test/harness/processor-time.ts';
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

  const shown = (secret: string, text: string) => new StepOutput({ secrets: [secret] }).mask(text);

  it('masks a secret without the line break that its file ends with', () => {
    expect(shown('hunter2-and-more\n', 'it is hunter2-and-more, is it?')).toBe('it is ***, is it?');
    expect(shown(' \n\n ', 'a \n\n b')).toBe('a \n\n b');
  });

  it('masks base64 of a secret, alone and inside of more, in both alphabets and wrapped', () => {
    const secret = 'pä?>ss~~~word-0123';
    for (const before of ['', 'u', 'me:', 'user:']) {
      for (const after of ['', '\n', ' and more', '!!']) {
        const encoded = Buffer.from(before + secret + after);
        const whole = Buffer.from(secret).toString('base64').slice(4, 16);
        for (const notation of ['base64', 'base64url'] as const) {
          const text = shown(secret, `Basic ${encoded.toString(notation)}.`);
          expect(text).toContain('***');
          expect(text).not.toContain(whole.slice(0, 6));
          // two characters at each end hold bits of what is around it
          const around = Math.ceil((before.length * 8) / 6) + Math.ceil((after.length * 8) / 6);
          expect(text.length).toBeLessThan(`Basic ***.`.length + around + 4);
        }
      }
    }
    const key = 'k'.repeat(40) + 'ü'.repeat(60);
    const lines = (columns: number) =>
      Buffer.from(key)
        .toString('base64')
        .match(new RegExp(`.{1,${columns}}`, 'g'))!
        .join('\n');
    expect(shown(key, lines(76))).toBe('***\n***\n***');
    expect(shown(key, lines(64))).toBe('***\n***\n***\n***');
  });

  it('masks a secret as shells, forms and other writers of percent signs write it', () => {
    const secret = `it's a/(secret)`;
    for (const text of [
      `it'\\''s a/(secret)`,
      `it'"'"'s a/(secret)`,
      'it%27s+a%2F%28secret%29',
      'it%27s%20a%2f%28secret%29',
      "it's%20a%2f(secret)",
      encodeURIComponent(secret),
      new URLSearchParams({ x: secret }).toString().slice(2),
    ]) {
      expect([text, shown(secret, `<${text}>`)]).toEqual([text, '<***>']);
    }
  });

  it('leaves nothing of two secrets that overlap, and ordinary short text as it is', () => {
    const output = new StepOutput({ secrets: ['abcdef', 'defghi', 'abc', 'xy', 'on'] });
    expect(output.mask('-abcdefghi- abc abcabc on xy')).toBe('-***- *** ****** on xy');
    expect(shown('abc', 'YWJj is base64 of it')).toBe('YWJj is base64 of it');
  });

  it('masks 64 KiB with 20 secrets in milliseconds', () => {
    const secrets = Array.from({ length: 20 }, (_, n) => `s${n}cret's "value" ${'x'.repeat(n * 5)}\n`);
    const output = new StepOutput({ secrets });
    const line =
      '2026-01-31T02:00:00Z INFO request of /api/v1/orders took 12 ms, status 200, secret nothing\n';
    const text = line.repeat(800).slice(0, 65_000) + secrets[7];
    const times = Array.from({ length: 20 }, () =>
      processorMs(() => expect(output.mask(text).endsWith('***')).toBe(true)),
    );
    expect(Math.min(...times)).toBeLessThan(10);
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
