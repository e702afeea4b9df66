import { describe, expect, it } from 'vitest';
import { type Counts, formatShare, type SlaFacts, slaReport, trend } from './sla.ts';

const none = { count: 0, meanMs: null, medianMs: null };
const counts: Counts = {
  alerts: 0,
  incidents: 0,
  resolved: 0,
  falsePositives: 0,
  open: 0,
  notifications: 0,
  executions: 0,
  executionsSucceeded: 0,
};
const quiet: SlaFacts = {
  clocks: [],
  previousClocks: [],
  breaches: [],
  breachTotal: 0,
  acknowledge: none,
  previousAcknowledge: none,
  resolve: none,
  previousResolve: none,
  noisiest: [],
  pages: [],
  counts,
  previousCounts: counts,
  services: [],
  reasons: [],
  course: [],
  automation: { resolved: 0, byRunbook: 0, medianMs: null, othersMedianMs: null },
  slos: [],
};

describe('slaReport', () => {
  it('does not call a quiet week compliant: without a decided clock there is no share', () => {
    const report = slaReport(quiet);
    expect(report.overall.share).toBeNull();
    expect(report.complianceTrend.direction).toBe('unknown');
    expect(report.sentence).toBe('0 incidents opened, and no SLA clock came to its end.');
  });

  it('gives compliance overall and by policy and kind, worst first', () => {
    const report = slaReport({
      ...quiet,
      clocks: [
        { policy: 'Standard', kind: 'resolve', met: 30, breached: 0 },
        { policy: 'Critical', kind: 'acknowledge', met: 8, breached: 2 },
      ],
      previousClocks: [{ policy: 'Critical', kind: 'acknowledge', met: 5, breached: 5 }],
      acknowledge: { count: 40, meanMs: 300_000, medianMs: 180_000 },
      resolve: { count: 39, meanMs: 4_000_000, medianMs: 2_520_000 },
      previousAcknowledge: { count: 10, meanMs: 200_000, medianMs: 360_000 },
      counts: { ...counts, incidents: 40 },
    });
    expect(report.overall).toEqual({ met: 38, breached: 2, share: 0.95 });
    expect(report.policies.map((row) => [row.policy, row.kind, row.share])).toEqual([
      ['Critical', 'acknowledge', 0.8],
      ['Standard', 'resolve', 1],
    ]);
    expect(report.complianceTrend.direction).toBe('better');
    expect(report.mtta.mean).toMatchObject({ change: 0.5, direction: 'worse' });
    expect(report.mtta.median).toMatchObject({ change: -0.5, direction: 'better' });
    expect(report.mttr.mean.direction).toBe('unknown');
    expect(report.sentence).toBe(
      '40 incidents opened; 38 of 40 SLA targets were met (95.0 %). Half were acknowledged in 3 min and half resolved in 42 min or less.',
    );
  });

  it('adds pages up by person and by hour, nights apart', () => {
    const night = new Array<number>(24).fill(0);
    night[3] = 4;
    night[22] = 1;
    const day = new Array<number>(24).fill(0);
    day[10] = 7;
    const report = slaReport({
      ...quiet,
      pages: [
        { destination: 'ana@example.com', byHour: night },
        { destination: 'ben@example.com', byHour: day },
      ],
    });
    expect(report.pages.map(({ destination, total, atNight }) => [destination, total, atNight])).toEqual([
      ['ben@example.com', 7, 0],
      ['ana@example.com', 5, 5],
    ]);
    expect(report.pagesByHour[3]).toBe(4);
    expect(report.pagesByHour[10]).toBe(7);
  });
});

describe('trend', () => {
  it('calls under 5 % of change the same, and knows which way is better', () => {
    expect(trend(104, 100, 'lower').direction).toBe('same');
    expect(trend(106, 100, 'lower').direction).toBe('worse');
    expect(trend(106, 100, 'higher').direction).toBe('better');
    expect(trend(3, 0, 'lower')).toMatchObject({ change: null, direction: 'worse' });
    expect(trend(0, 0, 'lower').direction).toBe('same');
  });
});

describe('formatShare', () => {
  it('never rounds a breach away', () => {
    expect(formatShare(0.99999)).toBe('99.9 %');
    expect(formatShare(0.00001)).toBe('0.1 %');
    expect([formatShare(1), formatShare(0), formatShare(0.9734)]).toEqual(['100 %', '0 %', '97.3 %']);
  });
});
