import { describe, expect, test } from 'vitest';
import { isEmptyPlan, planTopology } from './declared.ts';
import { parseTopology, topologyYaml } from './topology-yaml.ts';

const source = `services:
  - name: checkout
    description: Takes orders
    team: shop
    calls: [payments, db-primary]
  - name: db-primary
    kind: database
dependencies:
  - {from: payments, to: db-primary}
  - {from: checkout, to: payments}
`;

function parsed(text: string) {
  const result = parseTopology(text);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.topology;
}

function problems(text: string): string[] {
  const result = parseTopology(text);
  return 'problems' in result ? result.problems.map(({ line, message }) => `${line}: ${message}`) : [];
}

describe('a topology as YAML', () => {
  test('more lines and commas than anybody needs are refused before they are read', () => {
    expect(problems(`services: [{name: a, calls: [${'1,'.repeat(240_000)}1]}]`)).toEqual([
      '1: write at most 80000 lines and commas',
    ]);
  });

  test('each service once, each call once', () => {
    expect(parsed(source)).toEqual({
      services: [
        { name: 'checkout', kind: 'service', description: 'Takes orders', team: 'shop' },
        { name: 'db-primary', kind: 'database', description: '', team: null },
      ],
      dependencies: [
        { from: 'checkout', to: 'db-primary' },
        { from: 'checkout', to: 'payments' },
        { from: 'payments', to: 'db-primary' },
      ],
    });
  });

  test('as JSON it is the same', () => {
    const json = JSON.stringify({
      services: [{ name: 'a' }],
      dependencies: [{ from: 'a', to: 'b' }],
    });
    expect(parsed(json).dependencies).toEqual([{ from: 'a', to: 'b' }]);
  });

  test('what is written reads back as it was, whatever the names', () => {
    const awkward = {
      services: ['#1', 'a: b', 'yes', 'خدمة', "it's"].map((name) => ({
        name,
        kind: 'external' as const,
        description: 'two\nlines',
        team: null,
      })),
      dependencies: [
        { from: 'a: b', to: 'not listed' },
        { from: 'not listed', to: '#1' },
      ],
    };
    const again = parsed(topologyYaml(awkward));
    expect(again.services).toEqual(awkward.services);
    expect(again.dependencies).toEqual(awkward.dependencies);
  });

  test('problems name their line and what to write', () => {
    expect(
      problems(`services:
  - name: a
    kind: databse
  - nam: b
  - name: " c"
dependencies: x
`),
    ).toEqual([
      '3: write one of service, database, cache, queue, external, infrastructure',
      "4: 'name' is missing; add it",
      "4: unknown key 'nam'; did you mean 'name'?",
      expect.stringContaining('5: write a name'),
      '6: write a list of {from, to}',
    ]);
    expect(
      problems('services:\n  - name: a\n  - name: b\n    calls:\n      - a\n      - b\n  - name: a\n'),
    ).toEqual([
      '6: a service need not call itself; take it out',
      "7: 'a' stands here twice; write one entry with everything",
    ]);
    expect(problems('- a')).toEqual([
      "1: write a mapping with 'services' and 'dependencies'; this holds something else",
    ]);
    expect(problems('services: [')[0]).toMatch(/^1: this is no valid YAML/);
  });
});

describe('a plan', () => {
  test('says what comes, changes and goes', () => {
    const before = parsed(source);
    const after = parsed(`services:
  - {name: checkout, team: shop, calls: [payments]}
  - {name: payments}
`);
    expect(planTopology(before, after)).toEqual({
      services: {
        added: [{ name: 'payments', kind: 'service', description: '', team: null }],
        changed: [{ name: 'checkout', kind: 'service', description: '', team: 'shop' }],
        removed: ['db-primary'],
      },
      dependencies: {
        added: [],
        removed: [
          { from: 'checkout', to: 'db-primary' },
          { from: 'payments', to: 'db-primary' },
        ],
      },
    });
    expect(isEmptyPlan(planTopology(before, parsed(source)))).toBe(true);
  });
});
