import type { RunbookProblemRecord, RunbookRecord } from '../../db/runbooks.ts';
import { formatDuration } from '../../domain/duration.ts';
import type {
  RunbookDefinition,
  RunbookInput,
  RunbookTrigger,
  StepAction,
} from '../../domain/runbook/definition.ts';
import { type Field, field } from '../layout/fields.ts';

export interface RunbookRow {
  name: string;
  href: string;
  description: string;
  category: string;
  tags: string[];
  mode: string;
  triggers: string;
  steps: number;
  /** '11 of 12 succeeded' of its executions of the last 30 days. */
  lately: string;
}

const modes: Record<RunbookDefinition['execution']['mode'], string> = {
  manual: 'By hand',
  semi_auto: 'Asks first',
  auto: 'By itself',
};

export function runbookRow(runbook: RunbookRecord, incident: number | null): RunbookRow {
  const { definition } = runbook;
  return {
    name: runbook.name,
    href: `/runbooks/${encodeURIComponent(runbook.name)}${incident === null ? '' : `?incident=${incident}`}`,
    description: definition.description,
    category: definition.category ?? '',
    tags: definition.tags,
    mode: modes[definition.execution.mode],
    triggers: definition.triggers.map((trigger) => trigger.alertPattern).join(', '),
    steps: definition.steps.length,
    lately:
      runbook.runs.finished === 0
        ? 'no run'
        : `${runbook.runs.succeeded} of ${runbook.runs.finished} succeeded`,
  };
}

export interface RunbookView extends RunbookRow {
  version: number;
  file: string;
  source: string;
  loadedAt: string;
  rules: { name: string; value: string }[];
  calledBy: string[];
  plan: { name: string; does: string; undo: string | null }[];
  problems: RunbookProblemRecord[];
  removed: boolean;
  inputs: Field[];
  incident: number | null;
  runAction: string;
  runProblems: string[];
}

export function runbookView(
  runbook: RunbookRecord,
  given: {
    problems: RunbookProblemRecord[];
    incident: number | null;
    values: Record<string, string>;
    runProblems: string[];
  },
): RunbookView {
  const { definition } = runbook;
  const { execution } = definition;
  return {
    ...runbookRow(runbook, given.incident),
    version: runbook.version,
    file: runbook.file,
    source: runbook.source,
    loadedAt: runbook.loadedAt.toISOString(),
    removed: runbook.removedAt !== null,
    rules: [
      { name: 'Mode', value: modes[execution.mode] },
      ...(execution.mode === 'auto'
        ? []
        : [
            { name: 'Approvals needed', value: `${execution.approvalsNeeded}` },
            { name: 'They expire', value: `after ${formatDuration(execution.approvalTimeoutMs)}` },
          ]),
      { name: 'At most', value: `${execution.maxPerHour} an hour` },
      { name: 'Cooldown', value: formatDuration(execution.cooldownMs) },
      ...(execution.target ? [{ name: 'Target', value: execution.target }] : []),
      ...(execution.allowedHosts.length > 0
        ? [{ name: 'Allowed hosts', value: execution.allowedHosts.join(', ') }]
        : []),
    ],
    calledBy: definition.triggers.map(triggerText),
    plan: planOf(definition),
    problems: given.problems.filter((problem) => problem.file === runbook.file),
    inputs: Object.entries(definition.inputs).map(([name, input]) => inputField(name, input, given)),
    incident: given.incident,
    runAction: `/runbooks/${encodeURIComponent(runbook.name)}/run`,
    runProblems: given.runProblems,
  };
}

/** The steps as they are written, with `{{vars}}` still in them. */
function planOf(definition: RunbookDefinition): RunbookView['plan'] {
  return definition.steps.map((step) => ({
    name: step.name,
    does: actionText(step.action),
    undo: step.rollback ? actionText(step.rollback.action) : null,
  }));
}

export function actionText(action: StepAction): string {
  if (action.kind === 'http') return `${action.method} ${action.url}`;
  const command = 'shell' in action.form ? action.form.shell : action.form.argv.join(' ');
  return action.requiresSudo ? `sudo ${command}` : command;
}

/** 'critical or warning alerts ServiceDown* that fire for 5 min, with team=pay' */
export function triggerText(trigger: RunbookTrigger): string {
  const severity = trigger.severity?.length ? `${trigger.severity.join(' or ')} alerts` : 'alerts';
  const labels = Object.entries(trigger.labels).map(([name, value]) => `${name}=${value}`);
  const lasting = trigger.minDurationMs > 0 ? ` that fire for ${formatDuration(trigger.minDurationMs)}` : '';
  return `${severity} ${trigger.alertPattern}${lasting}${labels.length > 0 ? `, with ${labels.join(', ')}` : ''}`;
}

function inputField(
  name: string,
  input: RunbookInput,
  given: { values: Record<string, string>; incident: number | null },
): Field {
  const fromLabel = `the alert’s label ${input.fromLabel ?? name}`;
  const otherwise = [
    ...(given.incident === null ? [] : [fromLabel]),
    ...(input.default === undefined || input.secret ? [] : [`“${input.default}”`]),
  ];
  const hint = [input.description, otherwise.length > 0 ? `Empty: ${otherwise.join(', else ')}.` : undefined]
    .filter((part) => part !== undefined)
    .join(' ');
  return field(`input.${name}`, name, {
    values: { [`input.${name}`]: given.values[name] ?? '' },
    type: input.secret ? 'password' : 'text',
    optional: !input.required || otherwise.length > 0,
    ...(hint ? { hint } : {}),
  });
}
