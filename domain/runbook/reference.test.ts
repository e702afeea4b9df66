import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseRunbook } from './parse.ts';
import { knownKeys } from './schema.ts';

const reference = readFileSync(new URL('../../docs/runbooks.md', import.meta.url), 'utf8');
const examples = [...reference.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);

/** What stands around an example that shows a part of a file. */
function wholeFile(example: string): string {
  if (/^name:/m.test(example)) return example;
  if (example.startsWith('execution:')) return `name: x\n${example}steps: [{ name: A, command: ls }]\n`;
  if (example.startsWith('condition:')) {
    const [first = '', second = ''] = example.split(/^(?=condition:\n)/m);
    const steps = [`- name: A\n  command: ls\n`, `- name: Restart\n  command: ls\n  ${first}`].join('');
    return `name: x\nsteps:\n${steps}- name: B\n  command: ls\n${second.replaceAll(/^/gm, '  ')}`;
  }
  return `name: x\nsteps:\n${example}`;
}

describe('the reference of the format', () => {
  it.each(examples)('shows a runbook that is valid: %s', (example) => {
    expect(parseRunbook(wholeFile(example), 'docs/runbooks.md')).not.toHaveProperty('problems');
  });

  it('names every key that a runbook may have', () => {
    const missing = [...new Set(knownKeys.anywhere)].filter(
      (key) => !new RegExp(`\\b${key}\\b`).test(reference),
    );
    expect(missing).toEqual([]);
  });
});
