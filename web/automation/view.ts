import type { AutomationStop, RunningExecution } from '../../db/automation.ts';
import type { OpenCircuit } from '../../db/circuit-breakers.ts';
import { asRecurring, type StoredMaintenanceWindow } from '../../db/maintenance-windows.ts';
import type { StoredSafetyRules } from '../../db/safety.ts';
import type { LockedTarget, TargetClaim } from '../../db/target-locks.ts';
import type { Team } from '../../db/teams.ts';
import type { Role } from '../../domain/roles.ts';
import { hoursText } from '../../domain/safety/business-hours.ts';
import { type WindowState, windowStateOf } from '../../domain/safety/maintenance-window.ts';
import { defaultMaxPerHour, type SafetyRules } from '../../domain/safety/rules.ts';
import { windowText } from '../../domain/weekly-window.ts';
import { executionMarks, type Mark } from '../layout/words.ts';

export interface AutomationFacts {
  stops: AutomationStop[];
  running: RunningExecution[];
  circuits: OpenCircuit[];
  targets: LockedTarget[];
  rules: StoredSafetyRules[];
  teams: Team[];
}

/** Whether the visitor has the role on what the team owns. */
export type May = (needed: Role, teamId: string | null) => boolean;

const base = '/automation';
const windowMarks: Record<WindowState, Mark> = {
  waiting: { word: 'Planned', icon: 'clock', tone: 'quiet' },
  'in force': { word: 'In force', icon: 'stopped', tone: 'warning' },
  'out of hours': { word: 'Out of hours', icon: 'clock', tone: 'quiet' },
  over: { word: 'Over', icon: 'done', tone: 'quiet' },
};

export function automationView(facts: AutomationFacts, may: May) {
  const stoppedTeams = facts.stops.map(({ team }) => team?.id ?? null);
  const all = stoppedTeams.includes(null);
  const teams = facts.teams.filter(({ id }) => !stoppedTeams.includes(id) && may('operator', id));
  const places = all
    ? []
    : [
        ...(may('operator', null) ? [{ value: '', label: 'Everything, of all teams' }] : []),
        ...teams.map(({ slug, name }) => ({ value: slug, label: `Only team ${name}` })),
      ];
  const open = facts.running.filter(isAskedAbout);
  const cancellable = open.filter(({ teamId }) => may('operator', teamId));
  return {
    sentence: sentenceOf(facts, open.length),
    anyStopped: facts.stops.length > 0,
    places,
    /** Nothing is chosen where there is one place. */
    choosesPlace: places.length > 1,
    onlyPlace: places[0]?.value ?? '',
    stops: facts.stops.map(({ team, stoppedAt, stoppedBy, reason }) => ({
      what: team === null ? 'All automation' : `The automation of team ${team.name}`,
      team: team?.slug ?? '',
      since: stoppedAt.toISOString(),
      by: stoppedBy,
      reason,
      mayResume: may('admin', team?.id ?? null),
    })),
    running: facts.running.map((execution) => runningRow(execution, may)),
    undecided: open.length,
    cancelAll: cancellable.length,
    circuits: facts.circuits.map((circuit) => circuitRow(circuit, may)),
    targets: facts.targets.map(({ target, holder, queue }) => ({
      target,
      holder: holder && claimView(holder),
      queue: queue.map(claimView),
    })),
    rules: ruleRows(facts.rules),
    rulesHref: `${base}/rules/new`,
  };
}

function sentenceOf({ stops, running, circuits }: AutomationFacts, asked: number): string {
  const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
  const open = circuits.length;
  if (stops.length === 0) {
    const runs = running.length === 0 ? 'nothing runs now' : `${count(running.length, 'run', 'runs')} now`;
    const broken = open === 0 ? '' : `; ${count(open, 'circuit breaker is', 'circuit breakers are')} open`;
    return `Automation is on: ${runs}${broken}.`;
  }
  const whole = stops.some(({ team }) => team === null);
  const what = whole
    ? 'Automation is stopped: nothing new runs, by itself or by hand'
    : `Automation is stopped for ${count(stops.length, 'team', 'teams')} and on for everybody else`;
  if (asked === 0) return `${what}.`;
  return `${what}. ${count(asked, 'run that had begun waits', 'runs that had begun wait')} for your word.`;
}

function isAskedAbout({ stopped, goesOn }: RunningExecution): boolean {
  return stopped && !goesOn;
}

function runningRow(execution: RunningExecution, may: May) {
  const { id, runbook, target, requestedBy, since, step, goesOn, stopped, incidentNumber } = execution;
  return {
    id,
    href: `/executions/${id}`,
    runbook,
    target,
    requestedBy,
    since: since.toISOString(),
    step: step ?? 'between steps',
    incident:
      incidentNumber === null ? null : { number: incidentNumber, href: `/incidents/${incidentNumber}` },
    mark: executionMarks.running,
    goesOn: stopped && goesOn,
    asks: isAskedAbout(execution) && may('operator', execution.teamId),
    letGoOn: `${base}/executions/${id}/let-go-on`,
    cancel: `${base}/executions/${id}/cancel`,
  };
}

function circuitRow({ runbook, target, teamId, failures }: OpenCircuit, may: May) {
  return {
    id: `${runbook} ${target}`,
    runbook,
    href: `/runbooks/${encodeURIComponent(runbook)}`,
    target,
    failures: failures.map(({ executionId, status, at }) => ({
      href: `/executions/${executionId}`,
      mark: executionMarks[status],
      at: at.toISOString(),
    })),
    mayReset: may('operator', teamId),
  };
}

function claimView({ executionId, runbook, requestedBy, since }: TargetClaim) {
  return {
    href: runbook === null ? null : `/executions/${executionId}`,
    runbook: runbook ?? 'of another team',
    requestedBy: requestedBy ?? '',
    since: since.toISOString(),
  };
}

/** @param mayKeep whether the visitor may change it */
export function windowRow(window: StoredMaintenanceWindow, mayKeep: boolean, now: number) {
  const { id, team, target, startsAt, endsAt, weekly, reason, createdBy } = window;
  return {
    id,
    href: mayKeep ? `${base}/maintenance/${id}` : null,
    target,
    team: team === null ? 'everybody' : `team ${team.name}`,
    mark: windowMarks[windowStateOf(asRecurring(window), now)],
    hours: weekly ? windowText(weekly) : '',
    startsAt: startsAt.toISOString(),
    endsAt: endsAt.toISOString(),
    reason,
    createdBy,
  };
}

/** The organization comes first, with its defaults where nobody has set anything. */
function ruleRows(stored: readonly StoredSafetyRules[]) {
  const organization = stored.find(({ scope }) => scope === 'organization');
  const rest = stored.filter(({ scope }) => scope !== 'organization');
  return [{ scope: 'organization' as const, name: '', rules: organization?.rules ?? {} }, ...rest].map(
    ({ scope, name, rules }) => ({
      id: `${scope} ${name}`,
      what: scope === 'organization' ? 'The organization' : `${scopeWords[scope]} ${name}`,
      href: `${base}/rules/edit?${new URLSearchParams({ scope, name })}`,
      maxPerHour: limitText(rules, scope === 'organization'),
      cooldown: rules.cooldown ?? '',
      hours: rules.hours ? hoursText(rules.hours) : '',
      allow: listText(rules.allow),
      deny: listText(rules.deny),
    }),
  );
}

const scopeWords = { team: 'Team', runbook: 'Runbook', target: 'Targets' } as const;

function limitText({ maxPerHour }: SafetyRules, organization: boolean): string {
  if (maxPerHour !== undefined) return String(maxPerHour);
  return organization ? `${defaultMaxPerHour} (default)` : '';
}

function listText(list: SafetyRules['allow']): string {
  if (!list) return '';
  const parts = [
    ['commands', list.commands],
    ['hosts', list.hosts],
    ['steps', list.stepTypes],
  ] as const;
  return parts.flatMap(([what, words]) => (words ? [`${what}: ${words.join(', ')}`] : [])).join('; ');
}
