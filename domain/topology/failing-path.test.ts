import { expect, test } from 'vitest';
import { failingPath } from './failing-path.ts';
import { serviceGraph } from './graph.ts';

const graph = serviceGraph([
  { from: 'web', to: 'api' },
  { from: 'api', to: 'mesh' },
  { from: 'mesh', to: 'pool' },
  { from: 'pool', to: 'db' },
  { from: 'api', to: 'cache' },
  { from: 'report', to: 'db' },
  { from: 'db', to: 'disk' },
]);

test('a failure goes along the calls between failing services', () => {
  expect(failingPath(graph, new Set(['web', 'api']))).toEqual({
    services: ['web', 'api'],
    dependencies: [{ from: 'web', to: 'api' }],
  });
});

test('it passes two silent services, and no more', () => {
  expect(failingPath(graph, new Set(['api', 'db']))).toEqual({
    services: ['api', 'mesh', 'pool', 'db'],
    dependencies: [
      { from: 'api', to: 'mesh' },
      { from: 'mesh', to: 'pool' },
      { from: 'pool', to: 'db' },
    ],
  });
  expect(failingPath(graph, new Set(['web', 'db']))).toEqual({ services: ['web', 'db'], dependencies: [] });
});

test('a silent caller or callee beside the way is not on it', () => {
  const { services } = failingPath(graph, new Set(['api', 'db']));
  expect(services).not.toContain('cache');
  expect(services).not.toContain('report');
});

test('services that the graph does not know stand alone, and cycles end', () => {
  const cycle = serviceGraph([
    { from: 'a', to: 'b' },
    { from: 'b', to: 'a' },
  ]);
  expect(failingPath(cycle, new Set(['stranger', 'b', 'a']))).toEqual({
    services: ['a', 'b', 'stranger'],
    dependencies: [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'a' },
    ],
  });
});
