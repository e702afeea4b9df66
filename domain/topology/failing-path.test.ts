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

test('where a callee fails, no detour over silent services is taken', () => {
  const detour = serviceGraph([
    { from: 'web', to: 'api' },
    { from: 'web', to: 'admin' },
    { from: 'admin', to: 'db' },
    { from: 'api', to: 'db' },
  ]);
  expect(failingPath(detour, new Set(['web', 'api', 'db'])).services).toEqual(['web', 'api', 'db']);
});

test('a silent caller or callee beside the way is not on it', () => {
  const { services } = failingPath(graph, new Set(['api', 'db']));
  expect(services).not.toContain('cache');
  expect(services).not.toContain('report');
});

test('a silent callee that calls back is no way to anything', () => {
  const back = serviceGraph([
    { from: 'api', to: 'db' },
    { from: 'db', to: 'hooks' },
    { from: 'hooks', to: 'db' },
  ]);
  expect(failingPath(back, new Set(['api', 'db'])).dependencies).toEqual([{ from: 'api', to: 'db' }]);
});

test('services that the graph does not know stand alone, and cycles end', () => {
  const cycle = serviceGraph([
    { from: 'a', to: 'b' },
    { from: 'b', to: 'a' },
  ]);
  expect(failingPath(cycle, new Set(['stranger', 'a', 'b']))).toEqual({
    services: ['a', 'b', 'stranger'],
    dependencies: [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'a' },
    ],
  });
});
