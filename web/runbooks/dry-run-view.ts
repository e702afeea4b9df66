import type { RunbookDetail } from '../../db/runbooks.ts';
import type { DryRunReport, DryRunStep } from '../../domain/dry-run.ts';
import { type Field, field } from '../layout/fields.ts';
import type { Mark } from '../layout/words.ts';
import { inputField } from './view.ts';

/** What the person has typed into the form. */
export interface DryRunAsked {
  incident: number | null;
  environment: string;
  /** By input. */
  values: Record<string, string>;
}

export interface DryRunView {
  name: string;
  href: string;
  action: string;
  incident: number | null;
  fields: Field[];
  problems: string[];
  result: DryRunResult | null;
}

interface DryRunResult {
  state: Mark;
  sentence: string;
  about: string;
  refusal: { reason: string; until: string | null } | null;
  lock: { href: string; runbook: string; waiting: number } | null;
  approvals: { when: string; who: string; able: number }[];
  steps: StepRow[];
  run: { ready: boolean; action: string; hidden: { name: string; value: string }[]; secrets: Field[] };
}

interface StepRow {
  number: number;
  name: string;
  kind: string;
  where: string;
  description: string;
  rollback: { where: string; description: string } | null;
  condition: { state: Mark; detail: string } | null;
  findings: { state: Mark; what: string; detail: string }[];
  /** Why there are none. */
  unlooked: string;
}

export function dryRunView(
  runbook: RunbookDetail,
  asked: DryRunAsked,
  outcome: { problems: string[] } | { report: DryRunReport } | null,
): DryRunView {
  const href = `/runbooks/${encodeURIComponent(runbook.name)}`;
  const about = asked.incident === null ? '' : `?incident=${asked.incident}`;
  const inputs = Object.entries(runbook.definition.inputs).filter(([, input]) => !input.fromSecret);
  // what is secret is typed again: no page holds it
  const values = Object.fromEntries(
    inputs.map(([name, input]) => [name, input.secret ? '' : (asked.values[name] ?? '')]),
  );
  const given = { values, incident: asked.incident };
  return {
    name: runbook.name,
    href: href + about,
    action: `${href}/dry-run`,
    incident: asked.incident,
    fields: [
      ...inputs.map(([name, input]) => inputField(name, input, given)),
      field('environment', 'environment', {
        values: { environment: asked.environment },
        optional: true,
        hint: "Empty: the alert's own, if it names one.",
      }),
    ],
    problems: outcome && 'problems' in outcome ? outcome.problems : [],
    result:
      outcome && 'report' in outcome
        ? resultOf(outcome.report, {
            ready: outcome.report.ready,
            action: `${href}/run`,
            hidden: [
              ...(asked.incident === null ? [] : [{ name: 'incident', value: `${asked.incident}` }]),
              ...(asked.environment === '' ? [] : [{ name: 'environment', value: asked.environment }]),
              ...Object.entries(values).flatMap(([name, value]) =>
                value === '' ? [] : [{ name: `input.${name}`, value }],
              ),
            ],
            secrets: inputs.flatMap(([name, input]) =>
              input.secret && asked.values[name]
                ? [{ ...inputField(name, input, given), id: `run-${name}` }]
                : [],
            ),
          })
        : null,
  };
}

function resultOf(report: DryRunReport, run: DryRunResult['run']): DryRunResult {
  const environment = report.environment === null ? '' : ` in ${report.environment}`;
  return {
    state: report.ready
      ? { word: 'Ready', icon: 'done', tone: 'good' }
      : { word: 'Not ready', icon: 'failed', tone: 'bad' },
    sentence: report.sentence,
    about: `Version ${report.version} on ${report.target}${environment}`,
    refusal: report.refusal && { reason: report.refusal.reason, until: report.refusal.until },
    lock: report.lock && {
      href: `/executions/${report.lock.heldBy}`,
      runbook: report.lock.runbook,
      waiting: report.lock.waiting,
    },
    approvals: report.approvals.map(({ when, who, able }) => ({ when, who, able })),
    steps: report.steps.map(rowOf),
    run,
  };
}

const conditionMarks: Record<NonNullable<DryRunStep['condition']>['state'], Mark> = {
  met: { word: 'Runs', icon: 'done', tone: 'good' },
  not_met: { word: 'Skipped', icon: 'skipped', tone: 'quiet' },
  open: { word: 'Depends', icon: 'pending', tone: 'plain' },
};

function rowOf(step: DryRunStep, index: number): StepRow {
  const { condition, rollback } = step;
  return {
    number: index + 1,
    name: step.name,
    kind: step.part === 'verify' ? `${step.type}, verification` : step.type,
    where: step.where,
    description: step.description,
    rollback: rollback && { where: rollback.where, description: rollback.description },
    condition: condition && { state: conditionMarks[condition.state], detail: condition.detail },
    unlooked:
      condition?.state === 'not_met'
        ? 'Not looked at: it would be skipped.'
        : 'It needs nothing from outside.',
    findings: step.findings.map(({ ok, what, detail }) => ({
      state: ok
        ? { word: 'In order', icon: 'done', tone: 'good' }
        : { word: 'Missing', icon: 'failed', tone: 'bad' },
      what,
      detail,
    })),
  };
}
