import type { Role } from './roles.ts';
import type { ApprovalRules, EffectAction, StepAction, StepType } from './runbook/definition.ts';
import type { LayoutScope, StepPart } from './runbook/layout.ts';
import { masked } from './runbook/secret.ts';
import { visible } from './runbook/shown-text.ts';
import { fillTemplate, variablesIn } from './runbook/template.ts';
import { shownUrl } from './runbook/url-template.ts';
import type { Refusal } from './safety/refusal.ts';

/** What running a runbook now would do and what would stand in its way. Nothing is changed by finding it out. */
export interface DryRunReport {
  runbook: string;
  version: number;
  target: string;
  environment: string | null;
  /** Of whoever asked. */
  permission: { needed: Role; held: Role | null };
  /** What the rules of safety say now; null: nothing against it. */
  refusal: Refusal | null;
  /** Who works on the target now: it would wait. */
  lock: TargetInUse | null;
  approvals: DryRunApproval[];
  steps: DryRunStep[];
  ready: boolean;
  /** Why it is ready or not, for people. */
  sentence: string;
}

export interface TargetInUse {
  /** The execution. */
  heldBy: string;
  runbook: string;
  /** Executions in the queue already. */
  waiting: number;
}

export interface DryRunApproval {
  /** 'before the first step' or the step that asks. */
  when: string;
  /** In words. */
  who: string;
  rules: ApprovalRules;
  /** How many people may give one; without whoever asked, where the rules say so. */
  able: number;
}

export interface DryRunStep {
  name: string;
  type: StepType;
  part: StepPart;
  /** Null: Holdfast's own worker, or its workflow. */
  runner: string | null;
  /** Who acts on what. */
  where: string;
  /** The exact command, request or statement; secrets are masked. */
  description: string;
  rollback: { runner: string | null; where: string; description: string } | null;
  /** Null where it has none. `open`: it depends on how earlier steps end. */
  condition: { state: 'met' | 'not_met' | 'open'; detail: string } | null;
  /** Of the step and of its undo. Empty where nothing is needed, or the step would not be run. */
  findings: Finding[];
}

/** One thing that was looked at. `what` is a short noun phrase, `detail` what was found or what mends it. */
export interface Finding {
  ok: boolean;
  what: string;
  detail: string;
}

/** The workflow's input, which everybody sees who can see Temporal: no value of a secret input is in it. */
export interface DryRunInput {
  orgId: string;
  checks: StepCheck[];
}

/** A step or its undo, to be looked at where it would run. */
export interface StepCheck {
  /** Position in the layout. */
  index: number;
  phase: 'step' | 'undo';
  action: EffectAction;
  /** With the values that the action uses, but for those in `withheld`. */
  scope: LayoutScope;
  /** Secret inputs whose values were given: they are not passed on. */
  withheld: string[];
  runner: { name: string; lastSeenAt: string | null } | null;
}

/** A check of `action` with no more of its scope than it takes, and none of its secrets. */
export function stepCheck(
  of: Pick<StepCheck, 'index' | 'phase' | 'action' | 'runner'>,
  scope: LayoutScope,
): StepCheck {
  const used = new Set(variablesIn(of.action));
  const pick = (from: Readonly<Record<string, string>>, take: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(from).filter(([name]) => used.has(name) && take(name)));
  const isSecret = (name: string) => scope.secretInputs.includes(name);
  const values = pick(scope.values, (name) => !isSecret(name));
  const references = pick(scope.secretReferences, () => true);
  return {
    ...of,
    scope: { ...scope, values, secretReferences: references },
    withheld: [...used].filter((name) => isSecret(name) && Object.hasOwn(scope.values, name)),
  };
}

/** Who acts on what. `values` have masked secrets. */
export function whereText(
  action: StepAction,
  values: Readonly<Record<string, string>>,
  runner: string | null,
): string {
  const fill = (template: string) => visible(fillTemplate(template, values));
  const from = runner === null ? "Holdfast's worker" : `runner ${runner}`;
  switch (action.kind) {
    case 'command':
      return `on ${runner === null ? "the machine of Holdfast's worker" : `the machine of runner ${runner}`}`;
    case 'ssh':
      return `on ${fill(action.user)}@${fill(action.host)}:${action.port}, from ${from}`;
    case 'http':
      return `at ${originOf(shownUrl(action.url, values))}, from ${from}`;
    case 'kubernetes': {
      const context = action.context === undefined ? '' : ` of context ${action.context}`;
      return `on ${action.workload} ${fill(action.namespace)}/${fill(action.name)}${context}, from ${from}`;
    }
    case 'aws_ssm':
      return `on ${action.instanceIds.map(fill).join(', ')} in ${fill(action.region)}, from ${from}`;
    case 'sql':
      return `in the database of ${action.connection}, from ${from}`;
    case 'prometheus':
      return `at ${action.url === undefined ? 'PROMETHEUS_URL' : originOf(shownUrl(action.url, values))}, from ${from}`;
    case 'wait':
    case 'approval':
    case 'notify':
    case 'runbook':
      return 'in Holdfast';
  }
}

/** The report once all checks have said what they found. `findings` stand in the order of `checks`. */
export function dryRunReport(
  plan: Omit<DryRunReport, 'ready' | 'sentence'>,
  checks: readonly StepCheck[],
  findings: readonly Finding[][],
): DryRunReport {
  const steps = plan.steps.map((step, index) => ({
    ...step,
    findings: [
      ...step.findings,
      ...checks.flatMap((check, at) =>
        check.index === index ? (findings[at] ?? []).map((found) => ofPhase(found, check.phase)) : [],
      ),
    ],
  }));
  const failed = steps.flatMap((step, index) =>
    step.findings.filter(({ ok }) => !ok).map((found) => ({ number: index + 1, step, found })),
  );
  const unreachable = plan.approvals.filter(({ able, rules }) => able < rules.needed);
  const ready = plan.refusal === null && failed.length === 0 && unreachable.length === 0;
  return { ...plan, steps, ready, sentence: sentenceOf(plan, failed) };
}

function ofPhase(found: Finding, phase: StepCheck['phase']): Finding {
  return phase === 'undo' ? { ...found, what: `undo: ${found.what}` } : found;
}

function sentenceOf(
  plan: Pick<DryRunReport, 'refusal' | 'lock' | 'approvals' | 'target'>,
  failed: readonly { number: number; step: DryRunStep; found: Finding }[],
): string {
  if (plan.refusal) return `It would be refused now by the rule '${plan.refusal.rule}'.`;
  const [first] = failed;
  if (first) {
    const more = failed.length > 1 ? `, and ${failed.length - 1} more` : '';
    return `Step ${first.number} (${first.step.name}) lacks something: ${first.found.what}: ${first.found.detail}${more}.`;
  }
  const stuck = plan.approvals.find(({ able, rules }) => able < rules.needed);
  if (stuck) {
    const { needed } = stuck.rules;
    return `It could not pass ${stuck.when}: it takes ${needed} ${needed === 1 ? 'approval' : 'approvals'}, and ${stuck.able} ${stuck.able === 1 ? 'person' : 'people'} may give one.`;
  }
  const waits = [
    ...(plan.approvals.length > 0 ? ['asks for approval'] : []),
    ...(plan.lock ? [`waits until ${plan.lock.runbook} is done with ${plan.target}`] : []),
  ];
  return `All that it needs is there${waits.length > 0 ? `; it ${waits.join(' and ')}` : ''}.`;
}

function originOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  return parsed && !parsed.hostname.includes(masked) ? parsed.origin : url;
}
