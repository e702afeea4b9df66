import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { similarIncidents } from './similar-incidents.ts';
import { traitsOf } from './traits.ts';

const none = { alertNames: [], services: [], patterns: [], cause: null };

describe('traits', () => {
  test('say each thing once, in the kind that it is', () => {
    const facts = {
      ...none,
      alertNames: ['A', ' A ', ''],
      services: ['A'],
      patterns: ['x <*>'],
      cause: 'db',
    };
    expect(traitsOf(facts)).toEqual(['alert=A', 'service=A', 'pattern=x <*>', 'cause=db']);
  });

  test('are bounded in number and length, and can be stored', () => {
    const many = Array.from({ length: 1000 }, (_, n) => `${n}`);
    const traits = traitsOf({ alertNames: many, services: many, patterns: ['🔥'.repeat(500)], cause: null });
    expect(traits.length).toBeLessThanOrEqual(101);
    expect(Math.max(...traits.map((trait) => trait.length))).toBeLessThanOrEqual(301);
    expect(traits.every((trait) => trait.isWellFormed())).toBe(true);
  });
});

describe('similar incidents', () => {
  const traits = traitsOf({
    alertNames: ['HighLatency', 'PoolExhausted'],
    services: ['checkout', 'db'],
    patterns: ['no connection to <*>'],
    cause: 'db',
  });
  const likeness = (past: { number: number; traits: string[] }[], frequency = {}) =>
    similarIncidents({ traits, past, frequency: new Map(Object.entries(frequency)), total: 1000 });

  test('the same one comes first, with what they share, the most telling first', () => {
    const found = likeness([
      { number: 1, traits: ['alert=HighLatency', 'service=checkout', 'alert=Other', 'cause=disk'] },
      { number: 2, traits },
    ]);
    expect(found[0]).toMatchObject({ number: 2, score: 1 });
    expect(found[0]?.reasons).toHaveLength(5);
    expect(likeness([{ number: 3, traits: [...traits.slice(4)] }])[0]?.reasons).toEqual([
      'cause db',
      'log line no connection to <*>',
    ]);
  });

  test('what every incident has says little, what few have says much', () => {
    const often = { 'alert=HighLatency': 990, 'service=checkout': 990 };
    const [first] = likeness(
      [
        { number: 1, traits: ['alert=HighLatency', 'service=checkout'] },
        { number: 2, traits: ['alert=PoolExhausted', 'service=db'] },
      ],
      often,
    );
    expect(first?.number).toBe(2);
  });

  test('one that has everything is no better match for it', () => {
    const everything = [...traits, ...Array.from({ length: 60 }, (_, n) => `service=s${n}`)];
    const found = likeness([
      { number: 1, traits: everything },
      { number: 2, traits: traits.slice(0, 4) },
    ]);
    expect(found[0]?.number).toBe(2);
  });

  test('three at most, none that has hardly anything in common, the newest first of equals', () => {
    const past = [1, 2, 3, 4, 5].map((number) => ({ number, traits }));
    expect(likeness(past).map(({ number }) => number)).toEqual([5, 4, 3]);
    expect(
      likeness([{ number: 1, traits: ['pattern=no connection to <*>', 'alert=X', 'service=y'] }]),
    ).toEqual([]);
    expect(similarIncidents({ traits: [], past, frequency: new Map(), total: 5 })).toEqual([]);
  });

  test('is a share between 0 and 1, whatever the traits', () => {
    const some = fc.array(fc.constantFrom(...traits, 'alert=x', 'service=y', 'strange'));
    fc.assert(
      fc.property(some, some, fc.integer({ min: 0, max: 5 }), (mine, theirs, count) => {
        const frequency = new Map(mine.map((trait) => [trait, count]));
        const past = [{ number: 1, traits: theirs }];
        for (const { score } of similarIncidents({ traits: mine, past, frequency, total: count })) {
          expect(score).toBeGreaterThan(0);
          expect(score).toBeLessThanOrEqual(1.0000001);
        }
      }),
    );
  });
});
