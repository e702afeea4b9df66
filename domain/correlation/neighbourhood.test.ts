import { expect, test } from 'vitest';
import { serviceGraph } from '../topology/graph.ts';
import { surroundings } from './neighbourhood.ts';

test('what each service reaches is found once, and forgotten before it fills the memory', () => {
  const services = Array.from({ length: 1_200 }, (_, n) => `s${n}`);
  const graph = serviceGraph(services.slice(1).map((to, n) => ({ from: `s${n}`, to })));
  const reachOf = (service: string) => surroundings(graph, service, 'callees', Number.POSITIVE_INFINITY);
  const first = reachOf('s0');
  expect(reachOf('s0')).toBe(first);
  for (const service of services) reachOf(service); // 720,000 services in all
  expect(reachOf('s0')).not.toBe(first);
  expect(reachOf('s0')).toEqual(first);
});
