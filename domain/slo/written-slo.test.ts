import { describe, expect, it } from 'vitest';
import { writtenSlo } from './written-slo.ts';

const good = 'sum(rate(http_requests_total{code!~"5.."}[$window]))';
const total = 'sum(rate(http_requests_total[$window]))';
const problemsOf = (indicator: object) =>
  writtenSlo
    .safeParse({ objectivePercent: 99.9, indicator })
    .error?.issues.map(({ path, message }) => [path.join('.'), message]);

describe('an objective as it is written', () => {
  it('takes queries of PromQL', () => {
    expect(problemsOf({ type: 'ratio', good, total })).toBeUndefined();
    expect(
      problemsOf({ type: 'error_ratio', errorRatio: 'avg_over_time(errors:ratio[$window])' }),
    ).toBeUndefined();
  });

  it('names each query that is none, and where it breaks', () => {
    expect(problemsOf({ type: 'ratio', good: good.slice(0, -1), total: `${total} or or up` })).toEqual([
      ['indicator.good', 'it is no PromQL: something is missing at its end'],
      ['indicator.total', "it is no PromQL: look at 'up'"],
    ]);
  });

  it('says what Prometheus would never be asked', () => {
    expect(problemsOf({ type: 'ratio', good, total: 'sum(rate({job="x"}[$window]))' })).toEqual([
      ['indicator.total', expect.stringMatching(/^it would not be asked: it reads metrics without a name/)],
    ]);
  });

  it('lets no query reach out of its brackets', () => {
    expect(problemsOf({ type: 'error_ratio', errorRatio: 'a[$window]) or sum(b' })).toEqual([
      ['indicator.errorRatio', expect.stringMatching(/no PromQL/)],
    ]);
  });
});
