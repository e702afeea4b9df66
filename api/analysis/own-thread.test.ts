import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownThread } from './own-thread.ts';

let folder: string;
let file: URL;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'own-thread-'));
  // works until the first number of its memory is set
  await writeFile(
    join(folder, 'thread.mjs'),
    `export default ({ name, gate }) => { Atomics.store(gate, 1, 1); Atomics.notify(gate, 1); Atomics.wait(gate, 0, 0); return name; };`,
  );
  file = pathToFileURL(join(folder, 'thread.mjs'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Work {
  name: string;
  gate: Int32Array;
}
const words = { busy: 'others are served', tooMuch: 'send less' };

function work(name: string) {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const begun = async () => {
    await expect.poll(() => Atomics.load(gate, 1)).toBe(1);
  };
  const end = () => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  };
  return { task: () => ({ input: { name, gate } }), begun, end };
}

test('an organization that asks for much waits behind one that asks for little', async () => {
  const answer = ownThread<Work, string>(file, words);
  const all = ['a1', 'a2', 'a3', 'b1'].map((name) => ({ name, ...work(name) }));
  const done: string[] = [];
  const answers = all.map(({ name, task }) => answer(name.slice(0, 1), task).then((text) => done.push(text)));
  for (const { end } of all) end();
  await Promise.all(answers);
  expect(done).toEqual(['a1', 'a2', 'b1', 'a3']);
});

test('who only waited is asked to come again, who works too long to send less', async () => {
  const answer = ownThread<Work, string>(file, words, { work: 500, wait: 100 });
  const long = work('long');
  const working = expect(answer('a', long.task)).rejects.toMatchObject({ status: 422, message: 'send less' });
  await long.begun();
  let prepared = false;
  const waiting = answer('b', () => {
    prepared = true;
    return work('late').task();
  });
  await expect(waiting).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '5' } });
  expect(prepared).toBe(false);
  await working;
});

test('the time for the work begins with the work', async () => {
  const answer = ownThread<Work, string>(file, words, { work: 2000, wait: 10_000 });
  const first = work('first');
  const stuck = expect(answer('a', first.task)).rejects.toMatchObject({ status: 422 });
  const second = work('second');
  const served = answer('b', second.task);
  second.end();
  await stuck;
  expect(await served).toBe('second');
});

test('what would make too long a line is refused at once', async () => {
  const answer = ownThread<Work, string>(file, words);
  const all = Array.from({ length: 5 }, (_, i) => work(`a${i}`));
  const answers = all.map(({ task }) => answer('a', task));
  await expect(answer('a', work('more').task)).rejects.toMatchObject({
    status: 503,
    message: expect.stringMatching(/^others are served: send it again/),
  });
  for (const { end } of all) end();
  await Promise.all(answers);
});
