import { expect, test } from 'vitest';
import { partOrSkip } from './part.ts';
import { createTimeSkippingEnvironment } from './temporal-test-server.ts';

test('thirty days pass in seconds on the time-skipping server', { timeout: 300_000 }, async (context) => {
  const environment = await partOrSkip(context, createTimeSkippingEnvironment);
  try {
    const before = await environment.currentTimeMs();
    await environment.sleep('30 days');
    expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(30 * 86_400_000);
  } finally {
    await environment.teardown();
  }
});
