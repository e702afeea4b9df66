import type { StepAction } from './definition.ts';
import type { LayoutScope, LayoutStep } from './layout.ts';
import { runnerOf } from './runner.ts';
import { variablesIn } from './template.ts';

/** A step with the scope of the runbook that it comes from. */
export interface PlacedStep {
  step: LayoutStep;
  scope: LayoutScope;
}

/** Whether a runner of this queue carries the step out, or its undo. */
export function runsOn(queue: string, { step }: Pick<PlacedStep, 'step'>, phase: 'step' | 'undo'): boolean {
  const { definition } = step;
  const action = phase === 'undo' ? definition.rollback?.action : definition.action;
  return action !== undefined && isEffect(action) && runnerOf(definition, phase) === queue;
}

function isEffect({ kind }: StepAction): boolean {
  return kind !== 'wait' && kind !== 'approval' && kind !== 'notify' && kind !== 'runbook';
}

/**
 * What a runner has to know to carry the step out, or its undo, and nothing else: the one action, and of the values
 * and references to secrets those that it names.
 */
export function attemptView({ step, scope }: PlacedStep, phase: 'step' | 'undo'): PlacedStep {
  const { rollback, ...definition } = step.definition;
  const part = phase === 'undo' && rollback ? rollback : definition;
  const used = new Set(variablesIn(part.action));
  const pick = <T>(from: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(from).filter(([name]) => used.has(name)));
  return {
    step: {
      ...step,
      definition: {
        ...definition,
        type: part.action.kind,
        action: part.action,
        timeoutMs: part.timeoutMs,
        conditions: [],
        ...(phase === 'undo' && rollback ? { rollback } : {}),
      },
    },
    scope: {
      ...scope,
      values: pick(scope.values),
      secretReferences: pick(scope.secretReferences),
      secretInputs: scope.secretInputs.filter((name) => used.has(name)),
    },
  };
}
