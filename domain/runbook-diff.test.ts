import { expect, it } from 'vitest';
import { diffHunks, unifiedDiff } from './runbook-diff.ts';

const from = { version: 1, source: 'name: a\nsteps:\n  - one\n  - two\n' };
const to = { version: 3, source: 'name: a\nsteps:\n  - one\n  - <b>three</b>\n  - four\n' };

it('numbers each line in both versions', () => {
  expect(diffHunks(from, to)).toEqual([
    [
      { kind: 'same', from: 1, to: 1, text: 'name: a' },
      { kind: 'same', from: 2, to: 2, text: 'steps:' },
      { kind: 'same', from: 3, to: 3, text: '  - one' },
      { kind: 'removed', from: 4, to: null, text: '  - two' },
      { kind: 'added', from: null, to: 4, text: '  - <b>three</b>' },
      { kind: 'added', from: null, to: 5, text: '  - four' },
    ],
  ]);
  expect(diffHunks(from, from)).toEqual([]);
});

it('says which versions it is about', () => {
  expect(unifiedDiff('a', from, to)).toContain('--- a (version 1)\n+++ a (version 3)\n@@ -1,4 +1,5 @@');
});
