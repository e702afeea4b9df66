import { createHash } from 'node:crypto';
import type { ApprovalPlan, ExecutionPlan, StepPlan, StepWork } from '../domain/execution/plan.ts';
import { executionTriggers } from '../domain/execution/state.ts';
import type { AnnouncedTrigger } from '../domain/incident/state.ts';
import type { NotificationTrigger } from '../domain/notification-rules/rule.ts';
import type { EscalationTarget } from '../domain/policies.ts';
import { variablesHold } from '../domain/runbook/condition.ts';
import type { ApprovalRules, RunbookDefinition, StepDefinition } from '../domain/runbook/definition.ts';
import type { LayoutStep, RunbookLayout } from '../domain/runbook/layout.ts';
import { shownScope } from '../domain/runbook/secret.ts';
import { shownValue } from '../domain/runbook/shown-text.ts';
import { fillTemplate } from '../domain/runbook/template.ts';
import type { Tx } from './database.ts';
import { listPeople } from './identity.ts';
import { listAnnouncedTriggers } from './notification-rules.ts';
import { getEscalationPolicy } from './policies.ts';
import { mayApprove } from './voters.ts';

/** What the execution's workflow goes by: its layout, and whom it concerns. */
export async function loadExecutionPlan(
  tx: Tx,
  executionId: string,
): Promise<Omit<ExecutionPlan, 'approveBySignal' | 'runnerPatienceMs'>> {
  const row = await tx
    .selectFrom('executions as e')
    .innerJoin('runbook_versions as v', (join) =>
      join.onRef('v.name', '=', 'e.runbook').onRef('v.version', '=', 'e.runbook_version'),
    )
    .leftJoin('incidents as i', 'i.id', 'e.incident_id')
    .select(['e.runbook', 'e.mode', 'e.target', 'e.requested_by', 'e.incident_id', 'e.layout', 'e.retry_of'])
    .select('e.team_id')
    .select(['i.number', 'i.escalation_policy', 'v.definition'])
    .where('e.id', '=', executionId)
    .executeTakeFirst();
  if (!row) throw new Error(`there is no execution ${executionId} with its runbook's version`);
  const policy =
    (row.escalation_policy ? await getEscalationPolicy(tx, row.escalation_policy) : undefined) ??
    (await getEscalationPolicy(tx, 'default'));
  const definition = row.definition as unknown as RunbookDefinition;
  const takenOver = row.retry_of === null ? [] : await stepsTakenOver(tx, executionId);
  const levels = (policy?.definition.levels ?? []).map(({ targets }) => targets);
  const inMidRun = row.layout.steps.flatMap(({ definition: { action } }) =>
    action.kind === 'approval' ? [action.rules] : [],
  );
  const voters = await votersBesides(tx, levels[0] ?? [], [definition.execution.approval, ...inMidRun], row);
  const approvalPlan = (id: string, rules: ApprovalRules, message: string): ApprovalPlan => ({
    id,
    message,
    ...rules,
    voters: voters(rules),
  });
  const announces = (await listAnnouncedTriggers(tx)).filter(isOfExecutions);
  return {
    ...(announces.length > 0 ? { announces } : {}),
    runbook: row.runbook,
    mode: row.mode,
    target: row.target,
    requestedBy: row.requested_by,
    incident: row.incident_id && row.number !== null ? { id: row.incident_id, number: row.number } : null,
    levels,
    // the approval before the start shares the execution's id
    approval: approvalPlan(executionId, definition.execution.approval, ''),
    steps: row.layout.steps.map((step, index) =>
      stepPlan(row.layout, step, index, {
        takenOver: takenOver.includes(index),
        approval: (rules, message) => approvalPlan(stepId(executionId, index), rules, message),
      }),
    ),
  };
}

function isOfExecutions(trigger: AnnouncedTrigger): trigger is NotificationTrigger {
  return (executionTriggers as readonly string[]).includes(trigger);
}

/** They stand as succeeded from the beginning. */
async function stepsTakenOver(tx: Tx, executionId: string): Promise<number[]> {
  const rows = await tx
    .selectFrom('execution_steps')
    .select('index')
    .where('execution_id', '=', executionId)
    .where('status', '=', 'succeeded')
    .where('attempts', '=', 0)
    .execute();
  return rows.map(({ index }) => index);
}

function stepPlan(
  layout: RunbookLayout,
  step: LayoutStep,
  index: number,
  { takenOver, approval }: { takenOver: boolean; approval: StepApproval },
): StepPlan {
  const { definition } = step;
  const scope = layout.scopes[step.scope];
  const values = scope ? shownScope(scope) : {};
  return {
    name: step.name,
    part: step.part,
    work: workOf(definition, values, approval),
    timeoutMs: definition.timeoutMs,
    retries: definition.retries,
    retryDelayMs: definition.retryDelayMs,
    continueOnFail: definition.continueOnFail,
    idempotent: definition.idempotent,
    undoTimeoutMs: definition.rollback?.timeoutMs ?? null,
    runner: definition.runner ?? null,
    undoRunner: definition.rollback?.runner ?? definition.runner ?? null,
    skipped: unmetCondition(layout, step),
    needs: needsOf(layout, step, index),
    takenOver,
  };
}

type StepApproval = (rules: ApprovalRules, message: string) => ApprovalPlan;

function workOf(
  { action }: StepDefinition,
  values: Readonly<Record<string, string>>,
  approval: StepApproval,
): StepWork {
  switch (action.kind) {
    case 'wait':
      return { kind: 'wait', durationMs: action.durationMs };
    case 'approval':
      return {
        kind: 'approval',
        approval: approval(action.rules, messageOf(action.message, values)),
      };
    case 'notify':
      return {
        kind: 'notify',
        targets: action.targets,
        message: messageOf(action.message, values),
      };
    default:
      return { kind: 'effect' };
  }
}

/** More than this and the rules leave out hardly anybody: the policy's own people suffice. */
const mostVoters = 20;

/**
 * Where not everybody may vote, the first level may hold nobody who can, and nobody who can would hear of it: those
 * are told, too. `asked`: all rules that it is going to be asked for.
 */
async function votersBesides(
  tx: Tx,
  told: readonly EscalationTarget[],
  asked: readonly ApprovalRules[],
  of: { team_id: string | null; requested_by: string },
): Promise<(rules: ApprovalRules) => EscalationTarget[]> {
  const people = asked.every(isForEverybody)
    ? []
    : (await listPeople(tx)).filter(({ disabledAt }) => disabledAt === null);
  const known = told.map((target) =>
    'address' in target ? target.address : 'email' in target && target.email,
  );
  return (rules) =>
    isForEverybody(rules)
      ? []
      : people
          .filter((person) => mayApprove(person, rules, { teamId: of.team_id, requestedBy: of.requested_by }))
          .filter(({ email }) => !known.includes(email))
          .slice(0, mostVoters)
          .map(({ email }) => ({ type: 'user', email }));
}

function isForEverybody({ role, teams, notRequester }: ApprovalRules): boolean {
  return role === 'operator' && teams.length === 0 && !notRequester;
}

/** The same for every load, so that a repeated one asks for the same approval. A UUID of version 8 (RFC 9562). */
function stepId(executionId: string, index: number): string {
  const hex = createHash('sha256').update(`approval:${executionId}:${index}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Cut: the plan stands in the history of the workflow, however many steps tell something. */
function messageOf(template: string, values: Readonly<Record<string, string>>): string {
  return fillTemplate(template, values, shownValue).slice(0, 2_000);
}

/** Conditions on variables are known from the start. */
function unmetCondition(layout: RunbookLayout, step: LayoutStep): string | null {
  for (const condition of step.definition.conditions) {
    if ('step' in condition) continue;
    const scope = layout.scopes[condition.scope ?? step.scope];
    if (variablesHold([condition], scope?.values ?? {})) continue;
    const shown = (scope && shownScope(scope)[condition.variable]) ?? '';
    const is = `${condition.variable} is '${shownValue(shown)}'`;
    if ('equals' in condition) return `only if it is '${condition.equals}': ${is}`;
    if ('notEquals' in condition) return `not if it is '${condition.notEquals}': ${is}`;
    return `only if it matches '${condition.matches}': ${is}`;
  }
  return null;
}

/** Of the steps that come before, the nearest that a condition names. */
function needsOf(layout: RunbookLayout, step: LayoutStep, index: number): StepPlan['needs'] {
  return step.definition.conditions.flatMap((condition) => {
    if (!('step' in condition)) return [];
    const scope = condition.scope ?? step.scope;
    const named = layout.steps.findLastIndex(
      (other, n) => n < index && other.scope === scope && other.definition.name === condition.step,
    );
    return named < 0 ? [] : [{ index: named, status: condition.status }];
  });
}
