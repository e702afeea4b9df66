import { expect, test, vi } from 'vitest';
import { serviceGraph } from '../domain/topology/graph.ts';
import { type CorrelationContext, createCorrelationContexts } from './correlation-context.ts';

/** A database whose organizations have graphs of so many edges, and a clock of one's own. */
function contexts(edges: number) {
  let now = 0;
  const graph = serviceGraph(Array.from({ length: edges }, (_, n) => ({ from: `s${n}`, to: 'hub' })));
  const context = {
    graph,
    services: new Set(graph.services),
  } as unknown as CorrelationContext;
  const read = vi.fn(async () => context);
  const contextOf = createCorrelationContexts({ read } as never, () => now);
  return {
    read,
    pass: (ms: number) => {
      now += ms;
    },
    ask: async (...orgIds: string[]) => {
      for (const orgId of orgIds) await contextOf(orgId);
    },
  };
}

test('is read once in a few seconds', async () => {
  const { read, pass, ask } = contexts(3);
  await ask('a', 'a', 'b', 'a');
  expect(read).toHaveBeenCalledTimes(2);
  pass(5_000);
  await ask('a');
  expect(read).toHaveBeenCalledTimes(3);
});

test('keeps no more edges in all than fit, and the newest however large it is', async () => {
  const { read, ask } = contexts(90_000);
  await ask('a', 'b', 'a', 'b');
  expect(read).toHaveBeenCalledTimes(2);
  await ask('c', 'b', 'c');
  expect(read).toHaveBeenCalledTimes(3);
  await ask('a');
  expect(read).toHaveBeenCalledTimes(4);
});

test('one that failed is read again', async () => {
  const { read, ask } = contexts(1);
  read.mockRejectedValueOnce(new Error('away'));
  await expect(ask('a')).rejects.toThrow('away');
  await ask('a');
  expect(read).toHaveBeenCalledTimes(2);
});
