import type { StepAction, StepType } from './definition.ts';
import type { RunbookLayout, StepPart } from './layout.ts';
import { runnerOf } from './runner.ts';
import { shownScope } from './secret.ts';
import { stepTypeShapes } from './step-types.ts';

export interface StepDescription {
  name: string;
  type: StepType;
  part: StepPart;
  /** Null: Holdfast's own worker. */
  runner: string | null;
  /** What will be run, exactly; secrets are masked, control characters shown as \xNN. */
  description: string;
  rollback?: string;
}

/** What an execution will do, step by step. */
export function describeLayout(layout: RunbookLayout): StepDescription[] {
  return layout.steps.map((step) => {
    const { definition } = step;
    const scope = layout.scopes[step.scope];
    const shown = scope ? shownScope(scope) : {};
    return {
      name: step.name,
      type: definition.type,
      part: step.part,
      runner: runnerOf(definition, 'step') ?? null,
      description: describeAction(definition.action, shown),
      ...(definition.rollback ? { rollback: describeAction(definition.rollback.action, shown) } : {}),
    };
  });
}

/** In words; `values` have masked secrets. */
export function describeAction(action: StepAction, values: Readonly<Record<string, string>>): string {
  return stepTypeShapes[action.kind].describe(action, values);
}
