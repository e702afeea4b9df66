import { describe, expect, it } from 'vitest';
import {
  burnWords,
  dueWindows,
  evaluateSlo,
  type Measured,
  nothingMeasured,
  type SloState,
  windowsOf,
} from './evaluate.ts';
import { burnAlerts, slo } from './slo.ts';

const minute = 60_000;
const now = Date.UTC(2026, 10, 21, 2, 14);
const total = 'sum(rate(http_requests_total[$window]))';
const checkout = slo.parse({
  service: 'checkout',
  objectivePercent: 99.9,
  indicator: { type: 'ratio', good: 'sum(rate(http_requests_total{code!~"5.."}[$window]))', total },
});

/** The share of failures of each window, by how many times the allowed share it is. */
const burning = (rates: Record<string, number | null>): Measured => ({
  ratios: Object.fromEntries(Object.entries(rates).map(([window, rate]) => [window, rate && rate * 0.001])),
});
const calm = { '5m': 0, '30m': 0, '1h': 0, '2h': 0, '6h': 0, '1d': 0, '3d': 0, '30d': 0.25 };
const look = (measured: Measured, before: SloState = nothingMeasured, at = now) =>
  evaluateSlo('checkout-availability', checkout, before, measured, at);
const fires = (state: SloState) => state.alerts.filter(({ firing }) => firing).map(({ long }) => long);

describe('burnAlerts', () => {
  it('are the pairs of the workbook for 30 days', () => {
    expect(
      burnAlerts(checkout).map(
        ({ burnRate, long, short, severity }) => `${burnRate} ${long}/${short} ${severity}`,
      ),
    ).toEqual(['14.4 1h/5m critical', '6 6h/30m critical', '3 1d/2h warning', '1 3d/6h warning']);
  });

  it('scale with the window, and never below what has a rate', () => {
    const pairs = (windowDays: number) =>
      burnAlerts({ windowDays }).map(({ long, short }) => `${long}/${short}`);
    expect(pairs(90)).toEqual(['3h/15m', '18h/90m', '3d/6h', '9d/18h']);
    expect(pairs(1)).toEqual(['10m/2m', '12m/2m', '48m/4m', '144m/12m']);
  });
});

describe('evaluateSlo', () => {
  it('alerts while both windows of a pair burn faster than it allows, and ends when the short one does not', () => {
    const burnt = look(burning({ ...calm, '5m': 20, '1h': 15, '30d': 0.5 }));
    expect(fires(burnt.state)).toEqual(['1h']);
    expect(burnt.state.budgetLeft).toBeCloseTo(0.5);
    expect(burnt.alerts).toMatchObject([
      {
        status: 'firing',
        fingerprint: 'slo:checkout-availability:critical:1h:5m',
        severity: 'critical',
        service: 'checkout',
        labels: { slo: 'checkout-availability', long_window: '1h' },
        annotations: {
          summary: 'checkout-availability burns its error budget 15× as fast as it may (99.9 % over 30 d)',
          description: expect.stringMatching(/above 14.4×, which uses 2 % of the budget in 1 h/),
        },
      },
    ]);

    const later = look(burning({ '5m': 1, '1h': 15 }), burnt.state, now + minute);
    expect(later.alerts).toMatchObject([{ status: 'resolved', startsAt: new Date(now).toISOString() }]);
  });

  it('does not alert for what is over in the short window or too little in the long one', () => {
    expect(look(burning({ ...calm, '5m': 1, '1h': 40 })).alerts).toEqual([]);
    expect(look(burning({ ...calm, '5m': 40, '1h': 10 })).alerts).toEqual([]);
  });

  it('ends nothing because Prometheus is away or has no data, and says so', () => {
    const burnt = look(burning({ ...calm, '5m': 20, '1h': 15 })).state;
    const away = look({ problem: 'Prometheus cannot be reached' }, burnt, now + minute);
    expect(fires(away.state)).toEqual(['1h']);
    expect(away.alerts).toEqual([]);
    expect(away.state).toMatchObject({ problem: 'Prometheus cannot be reached', problemSince: now + minute });

    const empty = look(burning({ '5m': null, '1h': null }), away.state, now + 2 * minute);
    expect(fires(empty.state)).toEqual(['1h']);
    expect(empty.state).toMatchObject({
      problem: expect.stringMatching(/no data over 5m, 1h/),
      problemSince: now + minute,
    });
  });

  it('tells again of what goes on firing, now and then', () => {
    let { state } = look(burning({ ...calm, '5m': 20, '1h': 15 }));
    const told: number[] = [];
    for (let at = 1; at <= 45; at++) {
      const next = look(burning({ '5m': 20, '1h': 15 }), state, now + at * minute);
      if (next.alerts.length > 0) told.push(at);
      state = next.state;
    }
    expect(told).toEqual([20, 40]);
  });

  it('ends what an edited SLO no longer has', () => {
    const burnt = look(burning({ ...calm, '5m': 20, '1h': 15 })).state;
    const edited = { ...checkout, alerts: [] };
    const { alerts } = evaluateSlo('checkout-availability', edited, burnt, burning(calm), now + minute);
    expect(alerts).toMatchObject([
      { status: 'resolved', fingerprint: 'slo:checkout-availability:critical:1h:5m' },
    ]);
  });
});

it('asks for short windows each minute and for long ones rarely', () => {
  expect(dueWindows(checkout, nothingMeasured, now)).toEqual(windowsOf(checkout));
  const { state } = look(burning(calm));
  expect(dueWindows(checkout, state, now + minute)).toEqual(['5m', '30m', '1h', '2h', '6h']);
  expect(dueWindows(checkout, state, now + 12 * minute)).toContain('3d');
  expect(dueWindows(checkout, state, now + 59 * minute)).not.toContain('30d');
  expect(dueWindows(checkout, state, now + 60 * minute)).toContain('30d');
});

it.each([
  ['an objective of 100 %', { objectivePercent: 100 }, 'objectivePercent'],
  ['a query without the range', { indicator: { type: 'ratio', good: 'up', total } }, 'indicator.good'],
  [
    'a short window that is the longer one',
    { alerts: [{ severity: 'high', burnRate: 2, long: '1h', short: '2h' }] },
    'alerts.0.short',
  ],
  [
    'a window beyond the SLO’s',
    { windowDays: 1, alerts: [{ severity: 'high', burnRate: 2, long: '2d', short: '1h' }] },
    'alerts.0.long',
  ],
])('refuses %s', (_, change, field) => {
  expect(slo.safeParse({ ...checkout, ...change }).error?.issues[0]?.path.join('.')).toBe(field);
});

it.each([
  [0.3, 0.7, '0.3× of what it may: the budget lasts'],
  [10, 0.5, '10× as fast as it may: what is left of the budget lasts 36 h'],
  [2, -0.1, '2× as fast as it may; the budget is used up'],
  [0, 1, 'nothing fails'],
  [null, null, 'not known'],
])('says of a burn rate of %s with %s left: %s', (burn, left, words) => {
  expect(burnWords(checkout, burn, left)).toBe(words);
});
