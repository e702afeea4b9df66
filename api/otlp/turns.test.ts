import { EventEmitter } from 'node:events';
import type { Request, Response } from 'express';
import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

/** Requests by the name of their organization and a number: 'a1'. */
function gate() {
  const { before } = createTurns((request) => request.path.slice(0, 1));
  const began: string[] = [];
  const refused: { name: string; error: unknown }[] = [];
  const responses = new Map<string, EventEmitter>();
  return {
    began,
    refused,
    ask(...names: string[]) {
      for (const name of names) {
        const response = new EventEmitter();
        responses.set(name, response);
        before({ path: name } as Request, response as unknown as Response, (error?: unknown) => {
          if (error === undefined) began.push(name);
          else refused.push({ name, error });
        });
      }
    },
    close: (name: string) => responses.get(name)?.emit('close'),
  };
}

const numbered = (org: string, count: number) => Array.from({ length: count }, (_, i) => `${org}${i + 1}`);

test('one organization keeps only itself waiting, and the rest of it is asked to come again', async () => {
  const { ask, began, refused } = gate();
  ask(...numbered('a', 37), 'b1');
  await expect.poll(() => began).toEqual([...numbered('a', 4), 'b1']);
  await expect
    .poll(() => refused)
    .toEqual([
      { name: 'a37', error: expect.objectContaining({ status: 503, headers: { 'Retry-After': '2' } }) },
    ]);
});

test('the next one begins when one is answered or has gone; who went while waiting never begins', async () => {
  const { ask, began, refused, close } = gate();
  ask(...numbered('a', 7));
  await expect.poll(() => began).toEqual(numbered('a', 4));
  close('a5');
  close('a1');
  await expect.poll(() => began).toEqual([...numbered('a', 4), 'a6']);
  expect(refused).toEqual([]);
});
