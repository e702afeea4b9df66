import { type BreachReason, breachReasonNames } from '../breach-reasons.ts';
import { formatDuration } from '../duration.ts';

/** What an SLA clock counts: the time to acknowledge or the time to resolve. */
export type ClockKind = 'acknowledge' | 'resolve';

/** Decided clocks of a period under one policy: met at their end, or breached when they were due. */
export interface ClockCount {
  policy: string;
  kind: ClockKind;
  met: number;
  breached: number;
}

/** One breach. Times are ISO 8601; `endedAt` is null while the incident still waits for what was due. */
export interface Breach {
  incident: number;
  title: string;
  service: string | null;
  severity: string;
  policy: string;
  kind: ClockKind;
  startedAt: string;
  dueAt: string;
  endedAt: string | null;
  /** Running time from when it was due; null while it waits. Absent in reports made before it was told from the time by the clock. */
  lateMs?: number | null;
  /** Null where nobody has said why; absent in reports made before that was asked. */
  reason?: BreachReason | null;
  note?: string | null;
}

/** Breaches of one reason; null: not explained. */
export interface ReasonCount {
  reason: BreachReason | null;
  count: number;
}

/** Decided clocks of the incidents of one service. */
export interface ServiceCount {
  /** Null: of incidents without one. */
  service: string | null;
  met: number;
  breached: number;
}

/** One period of the course. */
export interface CoursePoint {
  /** ISO 8601. */
  from: string;
  to: string;
  met: number;
  breached: number;
  acknowledge: Times;
  resolve: Times;
}

/** What runbooks did: an incident that ended by itself after a runbook of its own had succeeded. */
export interface Automation {
  resolved: number;
  byRunbook: number;
  /** Of the time to resolve; milliseconds, null where there is none. */
  medianMs: number | null;
  othersMedianMs: number | null;
}

/** An objective as it stood when the report was made. */
export interface ReportedSlo {
  name: string;
  objective: string;
  /** 1 is all of the budget; null: not known. */
  budgetLeft: number | null;
  burn: string;
}

/** How long something took; milliseconds, null where nothing of it happened. */
export interface Times {
  count: number;
  meanMs: number | null;
  medianMs: number | null;
}

export interface NoisyAlert {
  name: string;
  service: string | null;
  /** Episodes, each from a firing to its resolve. */
  episodes: number;
  /** Notifications of the sender, repeats included. */
  occurrences: number;
  incidents: number;
}

/** Escalation pages to one destination: 24 numbers, by the hour of the day in the report's time zone. */
export interface PagesTo {
  destination: string;
  byHour: number[];
}

export interface Counts {
  alerts: number;
  incidents: number;
  resolved: number;
  falsePositives: number;
  /** Open at the end of the period. */
  open: number;
  notifications: number;
  executions: number;
  executionsSucceeded: number;
}

/** What happened in a period and, for the trend, in the one of equal length before it. */
export interface SlaFacts {
  clocks: ClockCount[];
  previousClocks: ClockCount[];
  /** Newest first, at most as many as were asked for; `breachTotal` counts them all. */
  breaches: Breach[];
  breachTotal: number;
  acknowledge: Times;
  previousAcknowledge: Times;
  resolve: Times;
  previousResolve: Times;
  noisiest: NoisyAlert[];
  pages: PagesTo[];
  counts: Counts;
  previousCounts: Counts;
  services: ServiceCount[];
  reasons: ReasonCount[];
  /** Oldest first; the last one is the period itself. */
  course: CoursePoint[];
  automation: Automation;
  slos: ReportedSlo[];
}

export interface Compliance {
  met: number;
  breached: number;
  /** met / (met + breached), 0 to 1; null where no clock was decided. */
  share: number | null;
}

/** `change`: (now − before) / before; null where one of the two is missing. */
export interface Trend {
  now: number | null;
  before: number | null;
  change: number | null;
  /** Shorter times, fewer breaches, higher compliance are better. Under 5 % of change is `same`. */
  direction: 'better' | 'worse' | 'same' | 'unknown';
}

export interface SlaReport {
  /** The report in one sentence, as a person would write it. */
  sentence: string;
  overall: Compliance;
  previousOverall: Compliance;
  complianceTrend: Trend;
  policies: (Compliance & { policy: string; kind: ClockKind })[];
  breaches: Breach[];
  breachTotal: number;
  mtta: { mean: Trend; median: Trend; count: number };
  mttr: { mean: Trend; median: Trend; count: number };
  noisiest: NoisyAlert[];
  pages: (PagesTo & { total: number; atNight: number })[];
  pagesByHour: number[];
  counts: Counts;
  previousCounts: Counts;
  /** Worst first. */
  services: (Compliance & { service: string | null })[];
  reasons: ReasonCount[];
  course: CoursePoint[];
  automation: Automation;
  slos: ReportedSlo[];
}

/** Hours that wake people: 22:00 to 07:00. */
export const isNightHour = (hour: number): boolean => hour >= 22 || hour < 7;

export function slaReport(facts: SlaFacts): SlaReport {
  const overall = complianceOf(facts.clocks);
  const previousOverall = complianceOf(facts.previousClocks);
  const mtta = timesTrend(facts.acknowledge, facts.previousAcknowledge);
  const mttr = timesTrend(facts.resolve, facts.previousResolve);
  return {
    sentence: sentenceOf(facts, overall, mtta.median, mttr.median),
    overall,
    previousOverall,
    complianceTrend: trend(overall.share, previousOverall.share, 'higher'),
    policies: facts.clocks
      .map((count) => ({ policy: count.policy, kind: count.kind, ...complianceOf([count]) }))
      .sort(
        (a, b) =>
          (a.share ?? 2) - (b.share ?? 2) || a.policy.localeCompare(b.policy) || a.kind.localeCompare(b.kind),
      ),
    breaches: facts.breaches,
    breachTotal: facts.breachTotal,
    mtta,
    mttr,
    noisiest: facts.noisiest,
    ...pagesOf(facts.pages),
    counts: facts.counts,
    previousCounts: facts.previousCounts,
    services: facts.services.map((count) => ({
      service: count.service,
      ...complianceOf([{ policy: '', kind: 'resolve', ...count }]),
    })),
    reasons: facts.reasons,
    course: facts.course,
    automation: facts.automation,
    slos: facts.slos,
  };
}

/** By person, the most first, and together. */
export function pagesOf(pages: readonly PagesTo[]): Pick<SlaReport, 'pages' | 'pagesByHour'> {
  return {
    pages: pages
      .map((one) => ({
        ...one,
        total: sum(one.byHour),
        atNight: sum(one.byHour.filter((_, hour) => isNightHour(hour))),
      }))
      .sort((a, b) => b.total - a.total || a.destination.localeCompare(b.destination)),
    pagesByHour: Array.from({ length: 24 }, (_, hour) => sum(pages.map((one) => one.byHour[hour] ?? 0))),
  };
}

/** '40 min', by the calendar of the SLA; null while the incident still waits for what was due. */
export function lateBy({ dueAt, endedAt, lateMs }: Breach): string | null {
  if (endedAt === null) return null;
  return formatDuration(lateMs ?? Date.parse(endedAt) - Date.parse(dueAt));
}

/** For people: 'not explained' where nobody has said why. */
export function reasonText(reason: BreachReason | null): string {
  return reason === null ? 'Not explained' : breachReasonNames[reason];
}

function complianceOf(clocks: readonly ClockCount[]): Compliance {
  const met = sum(clocks.map((clock) => clock.met));
  const breached = sum(clocks.map((clock) => clock.breached));
  return { met, breached, share: met + breached === 0 ? null : met / (met + breached) };
}

function timesTrend(now: Times, before: Times): { mean: Trend; median: Trend; count: number } {
  return {
    mean: trend(now.meanMs, before.meanMs, 'lower'),
    median: trend(now.medianMs, before.medianMs, 'lower'),
    count: now.count,
  };
}

/** `better` says which way is better. */
export function trend(now: number | null, before: number | null, better: 'lower' | 'higher'): Trend {
  if (now === null || before === null) return { now, before, change: null, direction: 'unknown' };
  if (before === 0) {
    const direction = now === 0 ? 'same' : better === 'higher' ? 'better' : 'worse';
    return { now, before, change: now === 0 ? 0 : null, direction };
  }
  const change = (now - before) / before;
  if (Math.abs(change) < 0.05) return { now, before, change, direction: 'same' };
  return { now, before, change, direction: change > 0 === (better === 'higher') ? 'better' : 'worse' };
}

function sentenceOf(facts: SlaFacts, overall: Compliance, mtta: Trend, mttr: Trend): string {
  const opened = `${plural(facts.counts.incidents, 'incident')} opened`;
  if (overall.share === null) return `${opened}, and no SLA clock came to its end.`;
  const decided = overall.met + overall.breached;
  const kept =
    overall.breached === 0
      ? decided === 1
        ? 'the one SLA target was met'
        : `all ${decided} SLA targets were met`
      : `${overall.met} of ${decided} SLA targets were met (${formatShare(overall.share)})`;
  const times = [
    mtta.now === null ? undefined : `acknowledged in ${formatDuration(mtta.now)}`,
    mttr.now === null ? undefined : `resolved in ${formatDuration(mttr.now)}`,
  ].filter((part) => part !== undefined);
  const typical = times.length === 0 ? '' : ` Half were ${times.join(' and half ')} or less.`;
  return `${opened}; ${kept}.${typical}`;
}

/** '97.3 %'; never rounds up to 100 % or down to 0 %, which would hide a breach or a success. */
export function formatShare(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  return `${Math.min(99.9, Math.max(0.1, Math.round(share * 1000) / 10)).toFixed(1)} %`;
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
