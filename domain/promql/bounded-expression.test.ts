import { describe, expect, test } from 'vitest';
import { unboundedIn } from './bounded-expression.ts';

describe('an expression that came with an alert', () => {
  test.each([
    'up == 0',
    'histogram_quantile(0.99, sum by (le) (rate(x_bucket{job=~"a.*"}[5m]))) > 0.5',
    'rate(a[1d]) / rate(a[1d] offset 24h) < 0.5',
    'predict_linear(free[1h30m], 4 * 3600) < 0',
    '{__name__="up", job="a"} == 0',
    '{"http.requests"} > 5',
    'a[300] offset -5m',
  ])('may be %s', (expression) => {
    expect(unboundedIn(expression)).toBeUndefined();
  });

  test.each([
    ['max_over_time(rate(x[5m])[1h:1m])', /subquery/],
    ['max_over_time(x[30d])', /more than a day/],
    ['max_over_time(x[1d1s])', /more than a day/],
    ['max_over_time(x[1w])', /more than a day/],
    ['max_over_time(x[86401])', /more than a day/],
    ['max_over_time(x[20h + 20h])', /more than a day/],
    ['max_over_time(x[99999999d])', /more than a day/],
    ['x offset 2d', /more than a day/],
    ['x offset -1y', /more than a day/],
    ['x @ 0', /'@'/],
    ['{job="x"}', /without a name/],
    ['count({__name__=~".+"})', /pattern/],
    ['{__name__!="a"}', /without a name/],
    ['{__name__="", job=~".+"}', /without a name/],
    [Array.from({ length: 21 }, (_, i) => `a${i}`).join(' + '), /too many metrics/],
    [`up{job="${'x'.repeat(2000)}"}`, /2000 characters/],
  ])('is not asked for when it is %s', (expression, why) => {
    expect(unboundedIn(expression)).toMatch(why);
  });
});
