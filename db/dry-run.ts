import {
  type DryRunApproval,
  type DryRunReport,
  type DryRunStep,
  type Finding,
  type StepCheck,
  stepCheck,
  type TargetInUse,
  whereText,
} from '../domain/dry-run.ts';
import type { Role } from '../domain/roles.ts';
import { approvalText } from '../domain/runbook/approval-rules.ts';
import { variablesHold } from '../domain/runbook/condition.ts';
import type { NotifyAction, StepCondition, StepDefinition } from '../domain/runbook/definition.ts';
import { describeLayout } from '../domain/runbook/describe.ts';
import type { LayoutScope, RunbookLayout } from '../domain/runbook/layout.ts';
import { runnerOf } from '../domain/runbook/runner.ts';
import { shownScope } from '../domain/runbook/secret.ts';
import { isEffect } from '../domain/runbook/step-types.ts';
import { admitPlanned } from './admission.ts';
import type { Tx } from './database.ts';
import { type ExecutionRequest, type PlannedExecution, planExecution } from './executions.ts';
import { listPeople } from './identity.ts';
import { mayApprove } from './voters.ts';

/** A dry run before anything was looked at where the steps would run. */
export interface DryRunPlan {
  /** Null: shared. */
  teamId: string | null;
  report: Omit<DryRunReport, 'ready' | 'sentence' | 'permission'>;
  checks: StepCheck[];
}

/** The least role that may run a runbook, and therefore try it: checks open connections. */
export const dryRunRole: Role = 'operator';

/** Lays out what running it now would do. Writes nothing. Throws ExecutionRefusedError. */
export async function planDryRun(
  tx: Tx,
  request: ExecutionRequest & { requestedBy: string },
): Promise<DryRunPlan> {
  const planned = await planExecution(tx, request);
  const { layout, target } = planned;
  const conditions = layout.steps.map((step) => conditionOf(step.definition, step.scope, layout));
  return {
    teamId: planned.teamId,
    report: {
      runbook: planned.runbook,
      version: planned.version,
      target,
      environment: planned.environment,
      refusal: await admitPlanned(tx, planned),
      lock: await targetInUse(tx, target),
      approvals: await approvalsOf(tx, planned, request.requestedBy),
      steps: stepsOf(layout, conditions, await addressesOf(tx, layout)),
    },
    checks: checksOf(layout, conditions, await lastSeen(tx)),
  };
}

type Condition = DryRunStep['condition'];

function stepsOf(
  layout: RunbookLayout,
  conditions: readonly Condition[],
  addresses: ReadonlySet<string>,
): DryRunStep[] {
  return describeLayout(layout).map((described, index): DryRunStep => {
    const { definition, scope } = stepAt(layout, index);
    const values = shownScope(scope);
    const { name, type, part, runner, description } = described;
    const undoRunner = runnerOf(definition, 'undo') ?? null;
    return {
      name,
      type,
      part,
      runner,
      where: whereText(definition.action, values, runner),
      description,
      rollback:
        definition.rollback && described.rollback !== undefined
          ? {
              runner: undoRunner,
              where: whereText(definition.rollback.action, values, undoRunner),
              description: described.rollback,
            }
          : null,
      condition: conditions[index] ?? null,
      findings:
        definition.action.kind === 'notify' && conditions[index]?.state !== 'not_met'
          ? addressed(definition.action, addresses)
          : [],
    };
  });
}

/** Whom a notice step names: of all that there are, or none where no step asks. */
async function addressesOf(tx: Tx, layout: RunbookLayout): Promise<Set<string>> {
  if (!layout.steps.some(({ definition }) => definition.action.kind === 'notify')) return new Set();
  const channels = await tx.selectFrom('notification_channels').select('name').execute();
  const people = await listPeople(tx);
  return new Set([
    ...channels.map(({ name }) => `channel ${name}`),
    ...people.flatMap(({ email, disabledAt }) =>
      disabledAt === null ? [`user ${email.toLowerCase()}`] : [],
    ),
  ]);
}

function addressed({ targets }: NotifyAction, addresses: ReadonlySet<string>): Finding[] {
  return targets.flatMap((target) => {
    // a plain address cannot be looked up
    if (target.type === 'email') return [];
    const what =
      target.type === 'user' ? `user ${target.email.toLowerCase()}` : `${target.type} ${target.name}`;
    const ok = addresses.has(what);
    return [{ ok, what, detail: ok ? 'is known' : 'is not known; name another one, or add it in Settings' }];
  });
}

function checksOf(
  layout: RunbookLayout,
  conditions: readonly Condition[],
  seen: ReadonlyMap<string, string>,
): StepCheck[] {
  const runner = (name: string | undefined) =>
    name === undefined ? null : { name, lastSeenAt: seen.get(name) ?? null };
  return layout.steps.flatMap((_, index) => {
    const { definition, scope } = stepAt(layout, index);
    const { action, rollback } = definition;
    if (!isEffect(action) || conditions[index]?.state === 'not_met') return [];
    const own = { index, phase: 'step', action, runner: runner(runnerOf(definition, 'step')) } as const;
    if (!rollback) return [stepCheck(own, scope)];
    const undo = {
      index,
      phase: 'undo',
      action: rollback.action,
      runner: runner(runnerOf(definition, 'undo')),
    } as const;
    return [stepCheck(own, scope), stepCheck(undo, scope)];
  });
}

function stepAt(layout: RunbookLayout, index: number): { definition: StepDefinition; scope: LayoutScope } {
  const step = layout.steps[index];
  const scope = step && layout.scopes[step.scope];
  if (!step || !scope) throw new RangeError(`the layout has no step ${index + 1} with its scope`);
  return { definition: step.definition, scope };
}

/** Those on variables are known now; how other steps will end is not. */
function conditionOf(definition: StepDefinition, own: number, layout: RunbookLayout): Condition {
  if (definition.conditions.length === 0) return null;
  const told = definition.conditions.map((condition) => {
    const values = layout.scopes[condition.scope ?? own]?.values ?? {};
    return { text: conditionText(condition, values), holds: variablesHold([condition], values) };
  });
  const unmet = told.filter(({ holds }) => !holds);
  if (unmet.length > 0) {
    return { state: 'not_met', detail: unmet.map(({ text }) => text).join(' and ') };
  }
  const detail = told.map(({ text }) => text).join(' and ');
  return { state: definition.conditions.some((each) => 'step' in each) ? 'open' : 'met', detail };
}

function conditionText(condition: StepCondition, values: Readonly<Record<string, string>>): string {
  if ('step' in condition) return `only if '${condition.step}' has ${condition.status}`;
  const is = `it is '${values[condition.variable] ?? ''}'`;
  if ('equals' in condition) return `only if ${condition.variable} is '${condition.equals}' (${is})`;
  if ('notEquals' in condition)
    return `only if ${condition.variable} is not '${condition.notEquals}' (${is})`;
  return `only if ${condition.variable} matches '${condition.matches}' (${is})`;
}

async function approvalsOf(
  tx: Tx,
  { definition, layout, teamId }: PlannedExecution,
  requestedBy: string,
): Promise<DryRunApproval[]> {
  const { mode, approval } = definition.execution;
  const asked = layout.steps.flatMap(({ name, definition: { action } }) =>
    action.kind === 'approval' ? [{ when: `at the step '${name}'`, rules: action.rules }] : [],
  );
  if (mode === 'semi_auto') asked.unshift({ when: 'before the first step', rules: approval });
  if (asked.length === 0) return [];
  const people = (await listPeople(tx)).filter(({ disabledAt }) => disabledAt === null);
  return asked.map(({ when, rules }) => ({
    when,
    who: approvalText(rules),
    rules,
    able: people.filter((person) => mayApprove(person, rules, { teamId, requestedBy })).length,
  }));
}

async function targetInUse(tx: Tx, target: string): Promise<TargetInUse | null> {
  const holder = await tx
    .selectFrom('target_locks as l')
    .innerJoin('executions as e', 'e.id', 'l.execution_id')
    .select(['e.id', 'e.runbook'])
    .where('l.target', '=', target)
    .where('e.finished_at', 'is', null)
    .executeTakeFirst();
  if (!holder) return null;
  const { waiting } = await tx
    .selectFrom('target_queue as q')
    .innerJoin('executions as e', 'e.id', 'q.execution_id')
    .select((eb) => eb.fn.countAll<number>().as('waiting'))
    .where('q.target', '=', target)
    .where('e.finished_at', 'is', null)
    .executeTakeFirstOrThrow();
  return { heldBy: holder.id, runbook: holder.runbook, waiting };
}

/** By the name of the queue (ISO 8601). */
async function lastSeen(tx: Tx): Promise<Map<string, string>> {
  const rows = await tx
    .selectFrom('runners')
    .select((eb) => ['queue', eb.fn.max('last_seen_at').as('at')] as const)
    .groupBy('queue')
    .execute();
  return new Map(rows.map(({ queue, at }) => [queue, at.toISOString()]));
}
