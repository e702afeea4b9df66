import { afterAll, beforeAll, expect, test } from 'vitest';
import { runbookJsonSchema } from '../../domain/runbook/schema.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

test('the schema of runbooks is there for every editor, may be kept for an hour and is confirmed by its tag', async () => {
  const response = await fetch(`${api.url}/schemas/runbook.json`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^application\/schema\+json/);
  expect(response.headers.get('cache-control')).toBe('public, max-age=3600');
  expect(await response.json()).toEqual(runbookJsonSchema());
  const etag = response.headers.get('etag');
  expect(etag).not.toBeNull();
  const again = await fetch(`${api.url}/schemas/runbook.json`, {
    headers: { 'if-none-match': etag!, 'cache-control': 'max-age=0' },
  });
  expect(again.status).toBe(304);
});
