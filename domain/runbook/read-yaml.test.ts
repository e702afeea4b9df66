import { expect, test } from 'vitest';
import { LineCounter } from 'yaml';
import { parseTopology } from '../topology/topology-yaml.ts';
import { parseRunbook } from './parse.ts';
import { readYaml } from './read-yaml.ts';

const problemsOf = (source: string) => readYaml(source, new LineCounter()).problems;
const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${i}`);

test('a key that stands twice is named where it stands again, in any mapping', () => {
  expect(problemsOf('a: 1\nb: {c: 1, d: 2, c: 3}\na: 2\n')).toEqual([
    { offset: 21, message: 'Map keys must be unique' },
    { offset: 27, message: 'Map keys must be unique' },
  ]);
  expect(problemsOf('a: {c: 1}\nb: {c: 1}\n1: x\n"1": y\n')).toEqual([]);
});

test('so many aliases are followed', () => {
  const list = (count: number) => `a: &a 1\nb: [${Array(count).fill('*a').join(', ')}]\n`;
  expect(problemsOf(list(500))).toEqual([]);
  expect(problemsOf(list(501))).toEqual([
    { offset: 2012, message: 'more than 500 aliases; write out what they stand for' },
  ]);
});

// with time that grows as the square of the length each of these takes a minute
test.each([
  ['a flow mapping', `{${keys(60_000).join(',')}}`],
  [
    'a block mapping',
    keys(45_000)
      .map((key) => `${key}:`)
      .join('\n'),
  ],
])('%s of tens of thousands of keys is answered', (_, source) => {
  const parsed = parseTopology(source);
  expect('problems' in parsed && parsed.problems[0]?.message).toContain("unknown key 'k0'");
});

test('a runbook of tens of thousands of keys is answered', () => {
  const parsed = parseRunbook(`{name: a, steps: [], ${keys(35_000).join(',')}}`, 'a.yaml');
  expect('problems' in parsed && parsed.problems.at(-1)?.message).toContain('more problems');
});
