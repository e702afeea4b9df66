import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import type { Evidence } from '../domain/root-cause/evidence.ts';
import { createRanking } from './ranking.ts';

/** More than is ranked at once. */
const large: Evidence = {
  alerts: [{ service: 's1', name: 'Down', startsAt: 0 }],
  dependencies: Array.from({ length: 500 }, (_, i) => ({ from: `s${i}`, to: `s${i + 1}` })),
};

test('much is ranked as little is', async () => {
  const few = { ...large, dependencies: large.dependencies.slice(0, 10) };
  const ranking = createRanking();
  for (const evidence of [few, large]) {
    const { causes, note } = await ranking.rank('a', evidence);
    expect(causes).toContainEqual(expect.objectContaining({ service: 's1' }));
    expect(note).toBeNull();
  }
});

test('what took too long and what only waited are told apart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ranking-'));
  try {
    await writeFile(join(folder, 'thread.mjs'), 'export default () => { for (;;); };');
    const ranking = createRanking({ work: 300, wait: 100 }, pathToFileURL(join(folder, 'thread.mjs')));
    const [first, second] = await Promise.all([ranking.rank('a', large), ranking.rank('b', large)]);
    expect(first).toEqual({ causes: [], note: expect.stringMatching(/too many services fail at once/) });
    expect(second).toEqual({ causes: [], note: expect.stringMatching(/too many other incidents/) });
    const all = await Promise.all(Array.from({ length: 10 }, () => ranking.rank('a', large)));
    expect(all.at(-1)?.note).toMatch(/too many other incidents/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
