import { describe, expect, it } from 'vitest';
import { capacityReport } from '../../domain/reports/capacity.ts';
import { type Counts, type SlaFacts, slaReport } from '../../domain/reports/sla.ts';
import { renderMail } from '../messages/mail-layout.ts';
import { capacityMail } from './capacity-mail.ts';
import { slaCharts } from './sla-charts.ts';
import { type ReportFrame, slaMail } from './sla-mail.ts';

const day = 86_400_000;
const now = Date.parse('2026-11-16T07:00:00Z');
const evil = '<img src=x onerror=alert(1)> \u202Eevil\r\nBcc: all@example.com';

const frame: ReportFrame = {
  organization: evil,
  from: now - 7 * day,
  to: now,
  timeZone: 'Europe/Berlin',
  publicUrl: 'https://holdfast.example.com',
  reportUrl: 'https://holdfast.example.com/reports/1',
  span: 'week',
  team: null,
};
const counts: Counts = {
  alerts: 12_345,
  incidents: 400,
  resolved: 380,
  falsePositives: 3,
  open: 17,
  notifications: 900,
  executions: 4,
  executionsSucceeded: 3,
};
const many = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

/** As much as a bad week can bring. */
const facts: SlaFacts = {
  clocks: many(60, (i) => ({ policy: `${evil} ${i}`, kind: 'resolve', met: i, breached: 1 })),
  previousClocks: [],
  breaches: many(200, (i) => ({
    incident: i,
    title: `${evil} ${'long '.repeat(50)}`,
    service: 'checkout',
    severity: 'critical',
    policy: 'Critical',
    kind: 'acknowledge',
    startedAt: '2026-11-14T02:00:00Z',
    dueAt: '2026-11-14T02:05:00Z',
    endedAt: i % 2 ? null : '2026-11-14T02:17:00Z',
  })),
  breachTotal: 812,
  acknowledge: { count: 1, meanMs: 60_000, medianMs: 60_000 },
  previousAcknowledge: { count: 0, meanMs: null, medianMs: null },
  resolve: { count: 1, meanMs: 60_000, medianMs: 60_000 },
  previousResolve: { count: 1, meanMs: 120_000, medianMs: 30_000 },
  noisiest: many(10, () => ({
    name: evil,
    service: evil,
    episodes: 9999,
    occurrences: 99_999,
    incidents: 3,
  })),
  pages: many(50, (i) => ({ destination: `${i}-${evil}`, byHour: many(24, (hour) => hour) })),
  counts,
  previousCounts: counts,
  services: many(50, (i) => ({ service: `${i}-${evil}`, met: i, breached: 1 })),
  reasons: [
    { reason: 'complex_cause', count: 600 },
    { reason: null, count: 212 },
  ],
  course: many(8, (i) => ({
    from: new Date(now - (8 - i) * 7 * day).toISOString(),
    to: new Date(now - (7 - i) * 7 * day).toISOString(),
    met: i,
    breached: 1,
    acknowledge: { count: 1, meanMs: 60_000, medianMs: 60_000 },
    resolve: { count: 1, meanMs: 3_600_000, medianMs: 1_800_000 },
  })),
  automation: { resolved: 380, byRunbook: 40, medianMs: 240_000, othersMedianMs: 1_800_000 },
  slos: many(20, (i) => ({
    name: `slo-${i}`,
    objective: '99.9 % over 30 d',
    budgetLeft: i / 20,
    burn: '2× as fast as it may',
  })),
};

describe('the SLA mail', () => {
  const report = slaReport(facts);
  const { subject, mail } = slaMail(report, frame);
  const { html, text } = renderMail(mail);

  it('stays under 100 KB on the worst week, and says what it leaves out', () => {
    expect(Buffer.byteLength(html)).toBeLessThan(100_000);
    expect(text).toContain('The newest 10 of 812');
    expect(text).toContain('50 more, all at least as good');
    expect(text).toContain('closed as false positives are neither kept nor breached');
  });

  it('tells of services, reasons, the course, runbooks and objectives, in both parts', () => {
    for (const part of [html, text]) {
      expect(part).toMatch(/Not explained/);
      expect(part).toMatch(/Time to resolve over the last 8 weeks/);
      expect(part).toMatch(/40 of 380 incidents/);
      expect(part).toMatch(/slo-0 \(99.9 % over 30 d\)/);
    }
    expect(text).toContain("45 more on the report's page");
  });

  it('takes what comes from outside as text, in one line', () => {
    expect(html).not.toContain('<img');
    expect(subject).not.toMatch(/[\r\n\u202E]/);
    expect(subject).toMatch(/^\[report\] SLA of /);
  });

  it('links each breach to its incident, in both parts', () => {
    for (const part of [html, text]) expect(part).toContain('https://holdfast.example.com/incidents/7');
  });

  it('says as text what the bars show', () => {
    expect(text).toMatch(/0 of 1, 0 % {2}\.{20}/);
    expect(text).toMatch(/23:00 {2,}1150/);
    expect(text).toContain('12,345 into 400 incidents');
  });

  it('says nobody was paged, and draws no empty chart', () => {
    const quiet = slaReport({ ...facts, pages: [], course: [] });
    expect(renderMail(slaMail(quiet, frame).mail).text).toContain('Nobody was paged.');
    expect(slaCharts(quiet, frame)).toEqual([]);
    expect(slaCharts(report, frame).map(({ id }) => id)).toEqual([
      'course-acknowledge',
      'course-resolve',
      'pages-by-hour',
    ]);
  });
});

describe('the capacity mail', () => {
  it('stays under 100 KB for hundreds of machines, what is full soonest first', () => {
    const report = capacityReport(
      many(300, (i) => ({
        instance: `${evil}-${i}`,
        resource: 'disk',
        part: '/data',
        points: many(168, (hour) => ({
          at: now - (167 - hour) * 3_600_000,
          value: 0.3 + (i * hour) / 168 / 600,
        })),
      })),
      now,
    );
    const { subject, mail } = capacityMail(report, null, frame);
    const { html, text } = renderMail(mail);
    expect(Buffer.byteLength(html)).toBeLessThan(100_000);
    expect(html).not.toContain('<img');
    expect(subject).not.toMatch(/[\r\n]/);
    expect(text.indexOf('-299')).toBeLessThan(text.indexOf('-290'));
    expect(text).toContain('285 more on the report');
  });

  it.each([
    [{ kind: 'not_configured' }, /Set PROMETHEUS_URL/],
    [
      { kind: 'empty', url: 'http://prometheus:9090' },
      /http:\/\/prometheus:9090 answers, but has no node_filesystem/,
    ],
    [{ kind: 'failed', reason: 'no answer within 25 s' }, /no answer within 25 s/],
  ] as const)('says what is missing and what to do: %o', (gap, remedy) => {
    const { mail } = capacityMail(capacityReport([], now), gap, frame);
    expect(renderMail(mail).text).toMatch(remedy);
  });
});
