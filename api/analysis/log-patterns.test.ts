import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const mine = (body: unknown) =>
  api.ask('POST', '/api/v1/analysis/log-patterns', { token: api.tokens.viewer, body });

test('each line has its group and template, in order, and a stack trace is one event', async () => {
  const lines = [
    'user 17 signed in',
    'java.io.IOException: broken pipe',
    '\tat com.acme.Pay.send(Pay.java:7)',
    'user 18 signed in',
  ];
  const { status, body } = await mine({ lines });
  expect(status).toBe(200);
  expect(body).toEqual({
    items: [
      { group: 0, template: 'user <*> signed in' },
      { group: 1, template: 'java.io.IOException: broken pipe' },
      { group: 1, template: 'java.io.IOException: broken pipe' },
      { group: 0, template: 'user <*> signed in' },
    ],
  });
  expect((await mine({ lines: [] })).body).toEqual({ items: [] });
});

test('what is no list of texts is refused by its place', async () => {
  const { status, body } = await mine({ lines: ['a', 7] });
  expect(status).toBe(400);
  expect(body.errors).toMatchObject([{ field: 'lines.1' }]);
  expect((await mine({})).status).toBe(400);
  expect((await api.ask('POST', '/api/v1/analysis/log-patterns', { body: { lines: [] } })).status).toBe(401);
});

test('100,000 lines are mined while others are answered', { timeout: 60_000 }, async () => {
  const verbs = ['took', 'failed after', 'was retried after'];
  const lines = Array.from(
    { length: 100_000 },
    (_, i) =>
      `request ${i} of user u${i % 50} to /orders/${i}/items ${verbs[i % 3]} ${i * 7} ms on node-${i % 9}`,
  );
  let answered = 0;
  const mining = mine({ lines });
  let mined = false;
  const done = mining.then((answer) => {
    mined = true;
    return answer;
  });
  while (!mined) {
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    answered++;
  }
  const { body } = await done;
  expect(body.items).toHaveLength(100_000);
  expect(new Set(body.items.map((one: { group: number }) => one.group)).size).toBe(3);
  expect(answered).toBeGreaterThan(3);
});
