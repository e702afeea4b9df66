import type { IncomingAlert } from '../alert.ts';
import { formatDuration } from '../duration.ts';
import {
  allowedErrorRatio,
  type BurnAlert,
  burnAlerts,
  objectiveText,
  type Slo,
  windowMs,
  windowText,
} from './slo.ts';

/** What was measured over one range. */
export interface Measurement {
  /** Epoch milliseconds. */
  at: number;
  /** Share of what failed; 0 where nothing was asked; null: there is no data. */
  errorRatio: number | null;
}

/** A pair of windows, as it stands. */
export interface BurnAlertState extends BurnAlert {
  /** Null: not known. */
  longBurn: number | null;
  shortBurn: number | null;
  firing: boolean;
  /** Since when it fires, epoch milliseconds. */
  since: number | null;
  /** When it was last told to be firing. */
  toldAt: number | null;
}

/** An SLO as last measured. */
export interface SloState {
  /** By window, such as '5m'. */
  windows: Record<string, Measurement>;
  /** Of the error budget over the whole window: 1 is all, 0 none, below it is overdrawn. Null: not known yet. */
  budgetLeft: number | null;
  /** How fast it burns over the longest window of an alert; 1 uses it up just at the window's end. */
  burnRate: number | null;
  alerts: BurnAlertState[];
  /** Why it could not be measured just now; what was known stays. */
  problem: string | null;
  problemSince: number | null;
}

/** What it finds in one look; a window that is absent could not be told. */
export type Measured = { ratios: Record<string, number | null> } | { problem: string };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** An alert that goes on firing is told so often, well inside the interval after which it would be stale. */
const repeatMs = 20 * minuteMs;

export const nothingMeasured: SloState = {
  windows: {},
  budgetLeft: null,
  burnRate: null,
  alerts: [],
  problem: null,
  problemSince: null,
};

/** The windows that it is measured over: those of its alerts, and its own, the shortest first. */
export function windowsOf(slo: Slo): string[] {
  const windows = new Set(burnAlerts(slo).flatMap(({ long, short }) => [short, long]));
  windows.add(ownWindow(slo));
  return [...windows].sort((a, b) => windowMs(a) - windowMs(b));
}

const ownWindow = (slo: Slo): string => windowText(slo.windowDays * 24 * hourMs);

/**
 * Which windows are worth asking for at `now`. What covers days moves little in a minute and is dear to ask for: it is
 * measured again after 1/360 of its length, an hour at most.
 */
export function dueWindows(slo: Slo, { windows }: SloState, now: number): string[] {
  return windowsOf(slo).filter((window) => {
    const known = windows[window];
    const restMs = Math.min(hourMs, Math.max(minuteMs, windowMs(window) / 360));
    // the clock of a schedule that begins each minute differs by some seconds
    return !known || known.errorRatio === null || now - known.at >= restMs - minuteMs / 2;
  });
}

/**
 * The state after a look, and what is to be told of it. Nothing ends because it cannot be measured: a pair whose windows
 * are not known stays as it is.
 */
export function evaluateSlo(
  name: string,
  slo: Slo,
  before: SloState,
  measured: Measured,
  now: number,
): { state: SloState; alerts: IncomingAlert[] } {
  const windows = keepKnown(slo, before, measured, now);
  const burnOf = (window: string): number | null => {
    const ratio = windows[window]?.errorRatio;
    return ratio === undefined || ratio === null ? null : ratio / allowedErrorRatio(slo);
  };
  const pairs = burnAlerts(slo).map((alert): BurnAlertState => {
    const known = before.alerts.find((other) => keyOf(other) === keyOf(alert));
    const [longBurn, shortBurn] = [burnOf(alert.long), burnOf(alert.short)];
    const firing =
      longBurn === null || shortBurn === null || 'problem' in measured
        ? (known?.firing ?? false)
        : longBurn > alert.burnRate && shortBurn > alert.burnRate;
    const since = firing ? (known?.since ?? now) : null;
    const due = firing && (known?.toldAt == null || now - known.toldAt >= repeatMs);
    return {
      ...alert,
      longBurn,
      shortBurn,
      firing,
      since,
      toldAt: due ? now : firing ? (known?.toldAt ?? now) : null,
    };
  });
  const problem = problemOf(slo, windows, measured);
  const budgetBurn = burnOf(ownWindow(slo));
  const longest = pairs.toSorted((a, b) => windowMs(b.long) - windowMs(a.long))[0];
  const state: SloState = {
    windows,
    budgetLeft: budgetBurn === null ? null : 1 - budgetBurn,
    burnRate: longest ? longest.longBurn : budgetBurn,
    alerts: pairs,
    problem,
    problemSince: problem === null ? null : (before.problemSince ?? now),
  };
  const ended = before.alerts.filter(
    (old) => old.firing && !pairs.some((pair) => pair.firing && keyOf(pair) === keyOf(old)),
  );
  const told = pairs.filter((pair) => pair.firing && pair.toldAt === now);
  return {
    state,
    alerts: [
      ...told.map((pair) => alertOf(name, slo, pair, 'firing', now)),
      ...ended.map((pair) => alertOf(name, slo, pair, 'resolved', now)),
    ],
  };
}

/** What ends with an SLO that is deleted. */
export function resolvedAlerts(name: string, slo: Slo, state: SloState, now: number): IncomingAlert[] {
  return state.alerts.filter(({ firing }) => firing).map((pair) => alertOf(name, slo, pair, 'resolved', now));
}

function keepKnown(slo: Slo, before: SloState, measured: Measured, now: number): SloState['windows'] {
  const fresh = 'problem' in measured ? {} : measured.ratios;
  const entries = windowsOf(slo).flatMap((window): [string, Measurement][] => {
    const ratio = fresh[window];
    if (ratio !== undefined) return [[window, { at: now, errorRatio: ratio }]];
    const known = before.windows[window];
    return known ? [[window, known]] : [];
  });
  return Object.fromEntries(entries);
}

function problemOf(slo: Slo, windows: SloState['windows'], measured: Measured): string | null {
  if ('problem' in measured) return measured.problem;
  const empty = windowsOf(slo).filter((window) => (windows[window]?.errorRatio ?? null) === null);
  return empty.length === 0 ? null : `Prometheus has no data over ${empty.join(', ')}: look at the queries`;
}

const keyOf = ({ severity, long, short }: BurnAlert): string => `${severity}:${long}:${short}`;

function alertOf(
  name: string,
  slo: Slo,
  pair: BurnAlertState,
  status: IncomingAlert['status'],
  now: number,
): IncomingAlert {
  const { severity, long, short, longBurn, shortBurn, burnRate, since } = pair;
  const service = slo.service ?? null;
  const speed = (burn: number | null) => (burn === null ? 'unknown' : `${formatRate(burn)}×`);
  const used = burnRate * (windowMs(long) / (slo.windowDays * 24 * hourMs));
  return {
    fingerprint: `slo:${name}:${keyOf(pair)}`,
    status,
    name: 'SLOErrorBudgetBurn',
    severity,
    service,
    labels: {
      alertname: 'SLOErrorBudgetBurn',
      slo: name,
      severity,
      long_window: long,
      short_window: short,
      ...(service === null ? {} : { service }),
    },
    annotations: {
      summary: `${name} burns its error budget ${speed(longBurn)} as fast as it may (${objectiveText(slo)})`,
      description: `Over ${long} it burns ${speed(longBurn)}, over ${short} ${speed(shortBurn)}; it alerts above ${formatRate(burnRate)}×, which uses ${Math.round(used * 100)} % of the budget in ${formatDuration(windowMs(long))}.`,
    },
    generatorUrl: null,
    startsAt: new Date(since ?? now).toISOString(),
    endsAt: status === 'resolved' ? new Date(now).toISOString() : null,
    truncated: 0,
  };
}

/** '14.4', '0.3', '120' */
export function formatRate(rate: number): string {
  return rate >= 100 ? String(Math.round(rate)) : String(Number(rate.toPrecision(rate < 1 ? 1 : 3)));
}

/** The burn rate in words, and when the budget is used up at that speed. */
export function burnWords(
  slo: Pick<Slo, 'windowDays'>,
  burn: number | null,
  budgetLeft: number | null,
): string {
  if (burn === null) return 'not known';
  if (burn < 0.005) return 'nothing fails';
  const speed = `${formatRate(burn)}× as fast as it may`;
  if (budgetLeft === null) return speed;
  if (budgetLeft <= 0) return `${speed}; the budget is used up`;
  const lastsMs = (budgetLeft / burn) * slo.windowDays * 24 * hourMs;
  if (burn <= 1) return `${formatRate(burn)}× of what it may: the budget lasts`;
  return `${speed}: what is left of the budget lasts ${formatDuration(lastsMs)}`;
}
