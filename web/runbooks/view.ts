import type { MatchingAlert } from '../../db/runbook-matches.ts';
import type { RunbookDetail, RunbookProblemRecord, RunbookVersion } from '../../db/runbooks.ts';
import { formatDuration } from '../../domain/duration.ts';
import { approvalText } from '../../domain/runbook/approval-rules.ts';
import type { RunbookDefinition, RunbookInput, StepDefinition } from '../../domain/runbook/definition.ts';
import { runnerOf } from '../../domain/runbook/runner.ts';
import { visible } from '../../domain/runbook/shown-text.ts';
import { type Field, field } from '../layout/fields.ts';
import { type Mark, severityMarks } from '../layout/words.ts';
import { type ProblemView, problemView, type RunbookRow, runbookRow, type Sources } from './list-view.ts';
import { actionText, conditionText, modeWords, triggerText, whatItDoes } from './words.ts';

export interface RunbookView extends RunbookRow {
  path: string;
  does: string;
  category: string;
  version: number;
  latestVersion: number;
  pin: { at: string; by: string } | null;
  file: string;
  source: SourceLine[];
  loadedAt: string;
  rules: { name: string; value: string }[];
  calledBy: string[];
  matching: MatchView[];
  plan: PlanStep[];
  verify: PlanStep[];
  versions: VersionRow[];
  problems: ProblemView[];
  removed: boolean;
  inputs: Field[];
  environmentField: Field;
  incident: number | null;
  dryRunHref: string;
  runProblems: string[];
}

export interface SourceLine {
  number: number;
  text: string;
}

export interface PlanStep {
  name: string;
  does: string;
  undo: string | null;
  /** What else matters about it: its condition, retries, runner. */
  notes: string[];
  /** Of a step that runs another runbook. */
  nestedHref: string | null;
}

export interface MatchView {
  number: number;
  href: string;
  title: string;
  alert: string;
  severity: Mark;
  receivedAt: string;
  /** While it has not fired for long enough: when it will have. */
  callsAt: string | null;
}

export interface VersionRow {
  version: number;
  href: string;
  author: string;
  commit: string | null;
  at: string;
  inForce: boolean;
  pinned: boolean;
  /** Against the version before it. */
  diffHref: string | null;
}

export interface RunbookGiven {
  problems: RunbookProblemRecord[];
  incident: number | null;
  values: Record<string, string>;
  environment: string;
  runProblems: string[];
  matching: MatchingAlert[];
  sources: Sources;
  now: number;
}

export function runbookView(runbook: RunbookDetail, given: RunbookGiven): RunbookView {
  const { definition } = runbook;
  const path = `/runbooks/${encodeURIComponent(runbook.name)}`;
  return {
    ...runbookRow(runbook, given.incident, given.sources),
    path,
    does: whatItDoes(definition),
    category: definition.category ?? '',
    version: runbook.version,
    latestVersion: runbook.latestVersion,
    pin: runbook.pinnedAt && { at: runbook.pinnedAt.toISOString(), by: visible(runbook.pinnedBy ?? '') },
    file: visible(runbook.file),
    source: sourceLines(runbook.source),
    loadedAt: runbook.loadedAt.toISOString(),
    rules: rulesOf(definition),
    calledBy: definition.triggers.map(triggerText),
    matching: given.matching.map((alert) => matchView(alert, given.now)),
    plan: definition.steps.map((step) => planStep(step, definition)),
    verify: definition.verify.map((step) => planStep(step, definition)),
    versions: versionRows(runbook),
    problems: given.problems.filter((problem) => problem.file === runbook.file).map(problemView),
    removed: runbook.removedAt !== null,
    inputs: Object.entries(definition.inputs)
      .filter(([, input]) => input.fromSecret === undefined)
      .map(([name, input]) => inputField(name, input, given)),
    environmentField: field('environment', 'environment', {
      values: { environment: given.environment },
      optional: true,
      hint: runbook.environment
        ? `Empty: ${visible(runbook.environment)}.`
        : 'What it is run in, where rules ask for it. Empty: the alert’s label environment or env.',
    }),
    incident: given.incident,
    dryRunHref: `${path}/dry-run${given.incident === null ? '' : `?incident=${given.incident}`}`,
    runProblems: given.runProblems.map(visible),
  };
}

export function sourceLines(source: string): SourceLine[] {
  return source
    .replace(/\n$/, '')
    .split('\n')
    .map((text, index) => ({ number: index + 1, text: visible(text) }));
}

function rulesOf({ execution }: RunbookDefinition): { name: string; value: string }[] {
  const { hours } = execution;
  return [
    { name: 'Mode', value: modeWords[execution.mode] },
    ...(execution.mode === 'semi_auto'
      ? [{ name: 'Approval', value: approvalText(execution.approval) }]
      : []),
    { name: 'At most', value: `${execution.maxPerHour} an hour` },
    { name: 'Cooldown', value: formatDuration(execution.cooldownMs) },
    { name: 'Target', value: visible(execution.target ?? 'the service') },
    ...(execution.runner ? [{ name: 'Runner', value: execution.runner }] : []),
    ...(execution.environments.length > 0
      ? [{ name: 'Environments', value: execution.environments.join(', ') }]
      : []),
    ...(hours
      ? [
          {
            name: 'By itself only',
            value: `${hours.days.map(dayName).join(', ')} from ${hours.from} to ${hours.to} (${hours.timeZone})`,
          },
        ]
      : []),
    ...(execution.allowedHosts.length > 0
      ? [{ name: 'Allowed hosts', value: execution.allowedHosts.join(', ') }]
      : []),
  ];
}

const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const dayName = (day: number): string => dayNames[day - 1] ?? String(day);

function planStep(step: StepDefinition, definition: RunbookDefinition): PlanStep {
  const inputs = Object.keys(definition.inputs);
  const runner = runnerOf(step, 'step') ?? definition.execution.runner;
  const condition = conditionText(step.conditions);
  return {
    name: visible(step.name),
    does: actionText(step.action, inputs),
    undo: step.rollback ? actionText(step.rollback.action, inputs) : null,
    notes: [
      ...(condition ? [condition] : []),
      ...(step.retries > 0 ? [`tried up to ${step.retries + 1} times`] : []),
      ...(step.continueOnFail ? ['may fail'] : []),
      ...(runner ? [`on the runner ${runner}`] : []),
    ],
    nestedHref:
      step.action.kind === 'runbook' ? `/runbooks/${encodeURIComponent(step.action.runbook)}` : null,
  };
}

function matchView(alert: MatchingAlert, now: number): MatchView {
  return {
    number: alert.incidentNumber,
    href: `/incidents/${alert.incidentNumber}`,
    title: visible(alert.incidentTitle),
    alert: visible(alert.alertName),
    severity: severityMarks[alert.severity],
    receivedAt: alert.receivedAt.toISOString(),
    callsAt: alert.callsAt.getTime() > now ? alert.callsAt.toISOString() : null,
  };
}

function versionRows(runbook: RunbookDetail): VersionRow[] {
  return runbook.versions.map((version, index) => {
    const before = runbook.versions[index + 1];
    return {
      ...versionWords(version),
      href: `/runbooks/${encodeURIComponent(runbook.name)}/versions/${version.version}`,
      inForce: version.version === runbook.version,
      pinned: version.version === runbook.version && runbook.pinnedAt !== null,
      diffHref: before ? diffHref(runbook.name, before.version, version.version) : null,
    };
  });
}

export function versionWords(version: RunbookVersion) {
  return {
    version: version.version,
    author: visible(version.author ?? 'read from the folder'),
    commit: version.commit?.slice(0, 7) ?? null,
    at: (version.committedAt ?? version.loadedAt).toISOString(),
  };
}

export function diffHref(name: string, from: number, to: number): string {
  return `/runbooks/${encodeURIComponent(name)}/diff?from=${from}&to=${to}`;
}

export function inputField(
  name: string,
  input: RunbookInput,
  given: { values: Record<string, string>; incident: number | null },
): Field {
  const fromLabel = `the alert’s label ${input.fromLabel ?? name}`;
  const otherwise = [
    ...(given.incident === null ? [] : [fromLabel]),
    ...(input.default === undefined || input.secret ? [] : [`“${input.default}”`]),
  ];
  const rule = [
    input.description?.replace(/(?<![.\s])[.\s]*$/, '.'),
    input.type === 'text' ? undefined : `A ${typeWords[input.type]}.`,
    otherwise.length > 0 ? `Empty: ${otherwise.join(', else ')}.` : undefined,
  ];
  const hint = rule.filter((part) => part !== undefined).join(' ');
  const key = `input.${name}`;
  return field(key, name, {
    values: { [key]: given.values[name] ?? '' },
    type: input.secret ? 'password' : 'text',
    optional: !input.required || otherwise.length > 0,
    ...(input.options
      ? { choices: ['', ...input.options].map((value) => ({ value, label: value || '(not given)' })) }
      : {}),
    ...(hint ? { hint: visible(hint) } : {}),
  });
}

const typeWords: Record<Exclude<RunbookInput['type'], 'text'>, string> = {
  number: 'number',
  boolean: 'word: true or false',
  host: 'host name or address',
  url: 'URL',
};
