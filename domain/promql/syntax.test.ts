import { expect, test } from 'vitest';
import { brokenFrom } from './syntax.ts';

test.each([
  'up',
  'sum by (job) (rate(http_requests_total{code!~"5..", path="/a b"}[5m] offset 1h)) / 3',
  'histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))',
])('takes %s', (expression) => {
  expect(brokenFrom(expression)).toBeUndefined();
});

test.each([
  ['sum(rate(x[5m])', ''],
  ['sum(rate(x[5m])))', ')'],
  ['a) or (b', ') or (b'],
  ['', ''],
])('says where %s breaks', (expression, rest) => {
  expect(brokenFrom(expression)).toBe(rest);
});
