import { describe, expect, test } from 'vitest';
import { blastRadius, neighbourhood, reach, serviceGraph } from './graph.ts';

const graph = serviceGraph([
  { from: 'web', to: 'api' },
  { from: 'api', to: 'db' },
  { from: 'db', to: 'api' },
  { from: 'worker', to: 'db' },
  { from: 'web', to: 'api' },
  { from: 'loner', to: 'loner' },
]);

describe('a service graph', () => {
  test('knows what a service calls and what calls it, each once and never itself', () => {
    expect(graph.callees('web')).toEqual(['api']);
    expect(graph.callers('db')).toEqual(['api', 'worker']);
    expect(graph.callees('loner')).toEqual([]);
    expect(graph.services).toEqual(['web', 'api', 'db', 'worker', 'loner']);
  });

  test('knows nothing of a service that no dependency names', () => {
    expect(graph.callees('unheard-of')).toEqual([]);
    expect(reach(graph, 'unheard-of', 'callees', 3)).toEqual(new Map([['unheard-of', 0]]));
  });

  test('reaches through cycles by the shortest way, and no further than asked', () => {
    expect(reach(graph, 'web', 'callees', 1)).toEqual(
      new Map([
        ['web', 0],
        ['api', 1],
      ]),
    );
    expect(reach(graph, 'web', 'callees', 9)).toEqual(
      new Map([
        ['web', 0],
        ['api', 1],
        ['db', 2],
      ]),
    );
    expect(reach(graph, 'db', 'callers', 9)).toEqual(
      new Map([
        ['db', 0],
        ['api', 1],
        ['worker', 1],
        ['web', 2],
      ]),
    );
  });

  test('what fails with a service is everything that calls it, over any number of hops and through cycles', () => {
    expect(blastRadius(graph, 'db')).toEqual([
      { service: 'api', hops: 1 },
      { service: 'worker', hops: 1 },
      { service: 'web', hops: 2 },
    ]);
    expect(blastRadius(graph, 'web')).toEqual([]);
  });

  test('what is near goes either way', () => {
    expect([...neighbourhood(graph, 'api', 1)].toSorted()).toEqual(['api', 'db', 'web']);
    expect([...neighbourhood(graph, 'worker', 2)].toSorted()).toEqual(['api', 'db', 'worker']);
  });
});
