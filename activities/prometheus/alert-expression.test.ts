import { describe, expect, test } from 'vitest';
import { alertExpression, expressionOf, metricNames, unitOfExpression } from './alert-expression.ts';

const graph = (expression: string) =>
  `http://prometheus:9090/graph?g0.expr=${encodeURIComponent(expression)}&g0.tab=1`;

describe('the expression of an alert', () => {
  test('stands in the link that Prometheus gives with it', () => {
    expect(expressionOf(graph('up == 0'))).toBe('up == 0');
  });

  test.each([
    ['a link of something else', 'https://grafana/alerting/grafana/abc/view'],
    ['no link at all', 'not a url'],
    ['an empty expression', graph(' ')],
    ['what is no PromQL', graph('rate(x[5m')],
    ['what is too long', graph(`up${' '.repeat(5000)}== 0`)],
    ['several expressions', graph('up == 0; down')],
  ])('is not taken from %s', (_, link) => {
    expect(expressionOf(link)).toBeUndefined();
  });
});

describe('what an alert measures', () => {
  test.each([
    ['up == 0', 'up', 0],
    [
      'rate(http_errors_total{code=~"5..|4>2"}[5m]) > 0.05',
      'rate(http_errors_total{code=~"5..|4>2"}[5m])',
      0.05,
    ],
    ['(a / b) >= bool 1e3', 'a / b', 1000],
    ['a + on (x) group_left b < -1.5', 'a + on (x) group_left b', -1.5],
    ['0.9 > avg by (job) (x)', 'avg by (job) (x)', 0.9],
    ['(a > 5) and on (x) b < 3', 'a', 5],
    ['a > 5 unless b or c > 1', 'a', 5],
    ['((a > (5)))', 'a', 5],
    ['a > b', 'a', null],
    ['a > 2 * b', 'a', null],
    ['absent(up{job="db"})', 'absent(up{job="db"})', null],
    [
      'histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m]))) > 0.5',
      'histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))',
      0.5,
    ],
    ['sum(rate(a[1m]) > 0) > 3', 'sum(rate(a[1m]) > 0)', 3],
    ['predict_linear(free[1h], 4 * 3600) < 0', 'predict_linear(free[1h], 4 * 3600)', 0],
  ])('%s', (expression, measured, threshold) => {
    expect(alertExpression(expression)).toEqual({ measured, threshold });
  });
});

test('the metrics of an expression are those that it reads, not its functions and labels', () => {
  expect(metricNames('sum by (job) (rate(a_total{b="c"}[5m])) / on (job) b_total + a_total')).toEqual([
    'a_total',
    'b_total',
  ]);
  expect(metricNames('{__name__="x"} > time()')).toEqual([]);
});

test.each([
  ['x_request_duration_seconds', 'seconds'],
  ['histogram_quantile(0.9, sum by (le) (rate(x_seconds_bucket[5m])))', 'seconds'],
  ['max by (job) (max_over_time(x_bytes[5m]))', 'bytes'],
  ['rate(x_cpu_seconds_total[5m])', null],
  ['rate(x_bytes[5m])', null],
  ['x_bytes / 1024', null],
  ['count(x_bytes)', null],
  ['a_seconds / b_seconds', null],
  ['up', null],
])('the unit of %s is %s', (expression, unit) => {
  expect(unitOfExpression(expression)).toBe(unit);
});
