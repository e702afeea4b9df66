import { describe, expect, it } from 'vitest';
import { serviceGraph } from '../topology/graph.ts';
import { type CandidateChange, clockSkewMs, lookBackMs, relatedServices, scoreChanges } from './score.ts';

const startedAt = Date.parse('2026-11-21T02:14:00Z');
const minutes = (n: number) => startedAt - n * 60_000;
const graph = serviceGraph([
  { from: 'checkout', to: 'payment-service' },
  { from: 'payment-service', to: 'db' },
  { from: 'web', to: 'checkout' },
]);
const deployed: CandidateChange = {
  id: 1,
  type: 'deployment',
  status: 'succeeded',
  service: 'payment-service',
  environment: null,
  title: 'Deploy',
  version: 'v2.3.1',
  previousVersion: 'v2.3.0',
  at: minutes(15),
  ofOtherTeam: false,
};
const score = (changes: Partial<CandidateChange>[], more: Partial<Parameters<typeof scoreChanges>[0]> = {}) =>
  scoreChanges({
    changes: changes.map((change, index) => ({
      ...deployed,
      version: index === 0 ? deployed.version : `v${index}`,
      id: index + 1,
      ...change,
    })),
    startedAt,
    services: ['payment-service'],
    environments: [],
    graph,
    history: new Map(),
    ...more,
  });
const only = (change: Partial<CandidateChange>, more: Partial<Parameters<typeof scoreChanges>[0]> = {}) =>
  score([change], more)[0]?.score ?? 0;

it("says of another team's change neither what nor which version it was", () => {
  const sentence = (change: Partial<CandidateChange>) =>
    score([{ ...change, ofOtherTeam: true }])[0]?.sentence;
  expect(sentence({})).toBe('Related change detected: a change of payment-service, 15 min before, 85 %');
  expect(sentence({ service: null, version: null })).toMatch(
    /^Related change detected: another team's change, 15 min before, \d+ %$/,
  );
});

it("says the issue's own sentence", () => {
  expect(score([{}])[0]?.sentence).toBe(
    'Related change detected: payment-service v2.3.0 → v2.3.1, 15 min before, 85 %',
  );
  const [one] = score([{ version: null, previousVersion: null, title: 'Raise the limit', at: minutes(0) }]);
  expect(one?.sentence).toMatch(
    /^Related change detected: payment-service: Raise the limit, in the same minute, 97 %$/,
  );
});

describe('a change is likelier', () => {
  it('the closer it came before', () => {
    const scores = score([5, 30, 90, 119].map((each) => ({ at: minutes(each) }))).map(({ id }) => id);
    expect(scores).toEqual([1, 2, 3, 4]);
  });

  it('on the service itself than on what it calls, and there than on what calls it', () => {
    const of = (service: string | null) => only({ service }, { services: ['checkout'] });
    expect(of('checkout')).toBeGreaterThan(of('payment-service'));
    expect(of('payment-service')).toBeGreaterThan(of('db'));
    expect(of('db')).toBeGreaterThan(of('web'));
    expect(of('web')).toBeGreaterThan(of('elsewhere'));
    expect(of('elsewhere')).toBe(0);
    expect(of(null)).toBeGreaterThan(0);
    expect(of('Checkout')).toBe(of('checkout'));
  });

  it('as a deployment than as configuration, and than as code alone', () => {
    expect(only({})).toBeGreaterThan(only({ type: 'config' }));
    expect(only({ type: 'config' })).toBeGreaterThan(only({ type: 'code' }));
  });

  it('in the same environment than in another; not saying one costs nothing', () => {
    const of = (environment: string | null) => only({ environment }, { environments: ['Production'] });
    expect(of('production')).toBe(of(null));
    expect(of('staging')).toBeLessThan(of('production') / 3);
    expect(only({ environment: 'staging' })).toBe(only({}));
  });

  it("where people confirmed this service's changes, and less where they dismissed them", () => {
    const of = (confirmed: number, dismissed: number) =>
      only({}, { history: new Map([['payment-service', { confirmed, dismissed }]]) });
    expect(of(4, 0)).toBeGreaterThan(of(0, 0));
    expect(of(0, 4)).toBeLessThan(of(0, 0));
    expect(of(0, 0)).toBeCloseTo(only({}));
    expect(of(1000, 0)).toBeLessThan(1);
    const [told] = score([{}], {
      history: new Map([['payment-service', { confirmed: 3, dismissed: 1 }]]),
    });
    expect(told?.reasons).toContain('3 of 4 earlier changes of payment-service were confirmed as causes');
  });
});

it('leaves out what came after the start, allowing for clocks, and what is more than two hours back', () => {
  const ids = score([
    { at: startedAt + clockSkewMs },
    { at: startedAt + clockSkewMs + 1 },
    { at: startedAt - lookBackMs },
    { at: startedAt - lookBackMs - 1 },
  ]).map(({ id }) => id);
  expect(ids).toEqual([1, 3]);
});

it('gives its reasons, and follows cycles once', () => {
  const cyclic = serviceGraph([
    { from: 'a', to: 'b' },
    { from: 'b', to: 'a' },
  ]);
  const [one] = score([{ service: 'b', environment: 'production' }], {
    services: ['a'],
    environments: ['production'],
    graph: cyclic,
  });
  expect(one?.reasons).toEqual([
    'a calls b',
    '15 min before the first alert',
    'a deployment',
    'in the same environment, production',
  ]);
  expect(relatedServices(['a'], cyclic).sort()).toEqual(['a', 'b']);
});

it('looks at services within reach alone', () => {
  expect(relatedServices(['db'], graph).sort()).toEqual(['checkout', 'db', 'payment-service']);
  expect(relatedServices(['unknown'], graph)).toEqual(['unknown']);
});

it('names a version once, by what is likeliest of all that tells of it', () => {
  const push = { type: 'code', environment: null, at: minutes(20) } as const;
  const ids = (changes: Partial<CandidateChange>[]) =>
    score(changes.map((change) => ({ version: 'v2', ...change }))).map(({ id }) => id);
  expect(ids([push, { at: minutes(16) }, { environment: 'production' }])).toEqual([3]);
  expect(ids([{ environment: 'staging' }, { environment: 'production' }])).toEqual([2, 1]);
  expect(ids([{ version: null }, { version: null }])).toEqual([2, 1]);
});
