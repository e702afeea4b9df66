import { expect, test } from 'vitest';
import { httpErrorOf } from './errors.ts';

test.each([
  [10, 10 * 1024 * 1024],
  [32, 32 * 1024 * 1024],
])('a body that is too large is told the limit of its endpoint: %i MB', (most, limit) => {
  const thrown = Object.assign(new Error('request entity too large'), { type: 'entity.too.large', limit });
  expect(httpErrorOf(thrown)).toMatchObject({
    status: 413,
    message: `the body is larger than ${most} MB: send it in parts`,
  });
});
