import { durationMs, formatDuration } from '../duration.ts';
import { matchesGlob } from '../glob.ts';
import type { ExecutionStatus } from '../incident-status.ts';
import type { BusinessHours, ExecutionRules } from '../runbook/definition.ts';
import type { RunbookLayout } from '../runbook/layout.ts';
import { holdsUntil, type Recurring } from '../weekly-window.ts';
import { hoursText, isOpen, nextOpening } from './business-hours.ts';
import { refuseByLists } from './lists.ts';
import { type Refusal, refusal } from './refusal.ts';
import {
  circuitBreakerFailures,
  defaultMaxPerHour,
  type SafetyScope,
  type ScopedRules,
  scopeText,
} from './rules.ts';

/** All that the rules look at, of one execution at one moment. Times are epoch milliseconds. */
export interface SafetySnapshot {
  runbook: string;
  target: string;
  /** Slug. */
  team: string | null;
  environment: string | null;
  /** Nobody asked for it by hand: it also keeps to hours, maintenance windows and environments. */
  automatic: boolean;
  /** What the runbook's own file says. */
  own: Pick<ExecutionRules, 'maxPerHour' | 'cooldownMs' | 'hours' | 'environments'>;
  /** Every set that concerns it; see `concerns`. */
  sets: ScopedRules[];
  layout: RunbookLayout;
  /** Kill switches in force; `team` is a slug, null for the whole organization. */
  stops: { team: string | null; by: string; at: number; reason: string }[];
  /** Windows that are not over, of its team and of none; `target` is a glob. */
  maintenance: (Recurring & { target: string; reason: string })[];
  /** How this runbook ended on this target since the last reset, newest first, cancelled ones left out. */
  outcomes: { status: ExecutionStatus; finishedAt: number }[];
  /** When this runbook last ended on this target, other than the execution that this one goes on from. */
  lastEnd: number | null;
  /** Executions that began to act within the last hour, newest first. */
  actions: Action[];
}

export interface Action {
  at: number;
  sameTeam: boolean;
  sameRunbook: boolean;
  sameTarget: boolean;
}

const hourMs = 3_600_000;

/** Whether the execution may act now; if not, which rule says no, with its figures and until when. */
export function admit(snapshot: SafetySnapshot, now: number): Refusal | null {
  return (
    refuseByStop(snapshot) ??
    (snapshot.automatic
      ? (refuseByEnvironment(snapshot) ?? refuseByMaintenance(snapshot, now) ?? refuseByHours(snapshot, now))
      : null) ??
    refuseByLists(snapshot.sets, snapshot.layout) ??
    refuseByCircuitBreaker(snapshot) ??
    refuseByActionsPerHour(snapshot, now) ??
    refuseByCooldown(snapshot, now)
  );
}

/** Whether a set of rules is for an execution of these runbooks (the asked one and nested ones). */
export function concerns(
  set: Pick<ScopedRules, 'scope' | 'name'>,
  execution: { team: string | null; runbooks: readonly string[]; target: string },
): boolean {
  switch (set.scope) {
    case 'organization':
      return true;
    case 'team':
      return set.name === execution.team;
    case 'runbook':
      return execution.runbooks.includes(set.name);
    case 'target':
      return matchesGlob(set.name, execution.target);
  }
}

/** In the organization so many executions of the last hour matter, and not one more. */
export function organizationLimit(sets: readonly ScopedRules[]): number {
  return sets.find(({ scope }) => scope === 'organization')?.rules.maxPerHour ?? defaultMaxPerHour;
}

function refuseByStop({ stops }: SafetySnapshot): Refusal | null {
  const stop = stops.find(({ team }) => team === null) ?? stops[0];
  if (!stop) return null;
  const whose = stop.team === null ? 'all automation is' : `the automation of team ${stop.team} is`;
  const since = new Date(stop.at).toISOString();
  return refusal('kill switch', `${whose} stopped since ${since} by ${stop.by} (${stop.reason})`, {
    remedy: 'an Admin can resume it',
  });
}

function refuseByEnvironment({ own, runbook, environment }: SafetySnapshot): Refusal | null {
  if (own.environments.length === 0) return null;
  const here = environment !== null && own.environments.some((glob) => matchesGlob(glob, environment));
  if (here) return null;
  const where = environment === null ? 'which environment this is nobody said' : `this is ${environment}`;
  return refusal('environments', `runbook ${runbook} is for ${own.environments.join(', ')}; ${where}`, {
    remedy: 'a person can run it',
  });
}

function refuseByMaintenance({ maintenance, target }: SafetySnapshot, now: number): Refusal | null {
  const open = maintenance
    .flatMap((window) => {
      const until = matchesGlob(window.target, target) ? holdsUntil(window, now) : null;
      return until === null ? [] : [{ reason: window.reason, until }];
    })
    .sort((a, b) => b.until - a.until)[0];
  if (!open) return null;
  return refusal('maintenance', `${target} is being worked on (${open.reason})`, { until: open.until });
}

function refuseByHours(snapshot: SafetySnapshot, now: number): Refusal | null {
  const { own, sets, runbook } = snapshot;
  const all: { whose: string; hours: BusinessHours }[] = [
    ...(own.hours ? [{ whose: `runbook ${runbook}`, hours: own.hours }] : []),
    ...ownSets(snapshot, sets).flatMap(({ scope, name, rules }) =>
      rules.hours ? [{ whose: scopeText(scope, name), hours: rules.hours }] : [],
    ),
  ];
  const closed = all.find(({ hours }) => !isOpen(hours, now));
  if (!closed) return null;
  const until = allOpenFrom(
    all.map(({ hours }) => hours),
    now,
  );
  const what = `automation of ${closed.whose} acts ${hoursText(closed.hours)}`;
  return until === null
    ? refusal('business hours', what, { remedy: 'these hours and others never meet: a person can run it' })
    : refusal('business hours', what, { until });
}

/** The first moment at which all are open; null when none was found within a month or so. */
function allOpenFrom(all: readonly BusinessHours[], now: number): number | null {
  let at = now;
  for (let round = 0; round < 60; round++) {
    const closed = all.find((hours) => !isOpen(hours, at));
    if (!closed) return at;
    const next = nextOpening(closed, at);
    if (next === null) return null;
    at = next;
  }
  return null;
}

function refuseByCircuitBreaker({ outcomes, runbook, target }: SafetySnapshot): Refusal | null {
  if (!circuitOpen(outcomes.map(({ status }) => status))) return null;
  const last = new Date(outcomes[0]?.finishedAt ?? 0).toISOString();
  return refusal(
    'circuit breaker',
    `runbook ${runbook} failed ${circuitBreakerFailures} times in a row on target ${target}, last at ${last}`,
    { remedy: 'runs again once a person has looked and reset it' },
  );
}

/** By the outcomes of one runbook on one target since the last reset, newest first, cancelled ones left out. */
export function circuitOpen(outcomes: readonly ExecutionStatus[]): boolean {
  const latest = outcomes.slice(0, circuitBreakerFailures);
  return (
    latest.length === circuitBreakerFailures &&
    latest.every((status) => status === 'failed' || status === 'rolled_back' || status === 'rollback_failed')
  );
}

function refuseByActionsPerHour(snapshot: SafetySnapshot, now: number): Refusal | null {
  const { sets, own, actions } = snapshot;
  const recent = actions.filter(({ at }) => at > now - hourMs);
  const limits = new Map<SafetyScope, number>([
    ['organization', organizationLimit(sets)],
    ['runbook', own.maxPerHour],
  ]);
  for (const { scope, rules } of ownSets(snapshot, sets)) {
    if (rules.maxPerHour === undefined || scope === 'organization') continue;
    limits.set(scope, Math.min(limits.get(scope) ?? rules.maxPerHour, rules.maxPerHour));
  }
  const counted: [SafetyScope, string, Action[]][] = [
    ['organization', 'in the organization', recent],
    ['team', `of team ${snapshot.team}`, recent.filter(({ sameTeam }) => sameTeam)],
    ['runbook', `of runbook ${snapshot.runbook}`, recent.filter(({ sameRunbook }) => sameRunbook)],
    ['target', `on target ${snapshot.target}`, recent.filter(({ sameTarget }) => sameTarget)],
  ];
  for (const [scope, where, taken] of counted) {
    const limit = limits.get(scope);
    if (limit === undefined || taken.length < limit) continue;
    const what = `${taken.length} of ${limit} ${where}`;
    // there is room again when the oldest of the newest `limit` is an hour old
    const oldest = taken[limit - 1];
    return oldest
      ? refusal('actions per hour', what, { until: oldest.at + hourMs })
      : refusal('actions per hour', what, { remedy: 'an Admin can raise the limit' });
  }
  return null;
}

function refuseByCooldown(snapshot: SafetySnapshot, now: number): Refusal | null {
  const { lastEnd, own, sets, runbook, target } = snapshot;
  if (lastEnd === null) return null;
  const longest = ownSets(snapshot, sets).reduce(
    (found, { scope, name, rules }) => {
      const ms = rules.cooldown === undefined ? 0 : durationMs(rules.cooldown);
      return ms > found.ms ? { ms, whose: scopeText(scope, name) } : found;
    },
    { ms: own.cooldownMs, whose: `runbook ${runbook}` },
  );
  if (lastEnd + longest.ms <= now) return null;
  const ended = new Date(lastEnd).toISOString();
  return refusal(
    'cooldown',
    `${formatDuration(longest.ms)} of ${longest.whose}; runbook ${runbook} ended on target ${target} at ${ended}`,
    { until: lastEnd + longest.ms },
  );
}

/** Nested runbooks bring their lists with them, not their limits: one execution is one action. */
function ownSets({ runbook }: SafetySnapshot, sets: readonly ScopedRules[]): ScopedRules[] {
  return sets.filter(({ scope, name }) => scope !== 'runbook' || name === runbook);
}
