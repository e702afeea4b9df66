import { expect, test } from 'vitest';
import { fairTurns, NoTurnError } from './fair-turns.ts';

/** Work that is under way until it is ended. */
function workshop(limits: Parameters<typeof fairTurns>[0]) {
  const turn = fairTurns(limits);
  const began: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  return {
    began,
    run(name: string, signal?: AbortSignal) {
      const end = Promise.withResolvers<string>();
      ends.set(name, end);
      const party = name.slice(0, 1);
      return turn(
        party,
        async () => {
          began.push(name);
          return await end.promise;
        },
        signal,
      );
    },
    end: (name: string) => ends.get(name)?.resolve(name),
    fail: (name: string) => ends.get(name)?.reject(new Error('failed')),
  };
}

test('parties take turns, whoever asks for most', async () => {
  const { began, run, end } = workshop({ atOnce: 1, waiting: { ofOne: 3, ofAll: 9 } });
  const names = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'];
  const runs = names.map((name) => run(name));
  for (let done = 0; done < names.length; done++) {
    await expect.poll(() => began.length).toBe(done + 1);
    end(began[done]!);
  }
  expect(began).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
  expect(await Promise.all(runs)).toEqual(names);
});

test('who has enough of its own in the line is refused, and leaves room for others', async () => {
  const { run, end } = workshop({ atOnce: 1, waiting: { ofOne: 1, ofAll: 2 } });
  const runs = [run('a1'), run('a2'), run('b1')];
  runs[1]!.catch(() => {});
  await expect(run('a3')).rejects.toBeInstanceOf(NoTurnError);
  await expect(run('c1')).rejects.toBeInstanceOf(NoTurnError);
  for (const name of ['a1', 'a2', 'b1']) end(name);
  await Promise.all(runs);
  const later = run('c2');
  end('c2');
  expect(await later).toBe('c2');
});

test('who leaves gives up the place, and a failure hands the turn on', async () => {
  const { began, run, end, fail } = workshop({ atOnce: 1, waiting: { ofOne: 1, ofAll: 1 } });
  const first = run('a1');
  const leaving = new AbortController();
  const left = run('b1', leaving.signal);
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toBeInstanceOf(NoTurnError);
  await expect(run('b1', leaving.signal)).rejects.toBeInstanceOf(NoTurnError);
  const second = run('c1');
  fail('a1');
  await expect(first).rejects.toThrow('failed');
  await expect.poll(() => began).toEqual(['a1', 'c1']);
  end('c1');
  await second;
});
