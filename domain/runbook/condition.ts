import { z } from 'zod';
import { matchesGlob } from '../glob.ts';
import type { StepCondition, StepDefinition } from './definition.ts';
import type { PlacedProblem } from './problems.ts';
import { variableName } from './step-types/runbook.ts';
import { scalar, text } from './written.ts';

const variable = z
  .string('write variable as the name of an input')
  .regex(variableName, 'write variable as the name of an input alone, without {{ and }}');
const conditionRule =
  'write a condition as {variable: name, equals: value} (or not_equals, or matches with a glob), or as {step: name, status: succeeded|failed|skipped}';
const one = z.union(
  [
    z.strictObject({ variable, equals: scalar }),
    z.strictObject({ variable, not_equals: scalar }),
    z.strictObject({ variable, matches: text('matches', 300).describe('A glob.') }),
    z.strictObject({
      step: text('step', 200).describe('Name of an earlier step of this runbook.'),
      status: z.enum(['succeeded', 'failed', 'skipped']),
    }),
  ],
  conditionRule,
);
export const writtenCondition = z
  .union([one, z.array(one).min(1).max(20)], conditionRule)
  .meta({ id: 'condition', description: 'The step is skipped unless all of these hold.' });

export function readConditions(
  written: z.output<typeof writtenCondition> | undefined,
): StepDefinition['conditions'] {
  return [written ?? []].flat().map((condition): StepCondition => {
    if ('step' in condition) return { step: condition.step, status: condition.status };
    const { variable: name } = condition;
    if ('equals' in condition) return { variable: name, equals: String(condition.equals) };
    if ('not_equals' in condition) return { variable: name, notEquals: String(condition.not_equals) };
    return { variable: name, matches: condition.matches };
  });
}

/** Whether the conditions on variables hold; those on steps are not looked at. */
export function variablesHold(
  conditions: readonly StepCondition[],
  values: Readonly<Record<string, string>>,
): boolean {
  return conditions.every((condition) => {
    if ('step' in condition) return true;
    const value = Object.hasOwn(values, condition.variable) ? (values[condition.variable] ?? '') : '';
    if ('equals' in condition) return value === condition.equals;
    if ('notEquals' in condition) return value !== condition.notEquals;
    return matchesGlob(condition.matches, value);
  });
}

/** A condition on a step needs one that stands before it, once, and that has a status of its own. */
export function* stepConditionProblems(
  conditions: readonly StepCondition[],
  earlier: readonly StepDefinition[],
): Generator<PlacedProblem> {
  for (const [index, condition] of conditions.entries()) {
    if (!('step' in condition)) continue;
    const named = earlier.filter(({ name }) => name === condition.step);
    const place = conditions.length > 1 ? ['condition', index, 'step'] : ['condition', 'step'];
    if (named.length === 0) {
      const known = earlier.map(({ name }) => `'${name}'`).join(', ');
      yield {
        place,
        message: `no step before this one is called '${condition.step}'; ${known ? `those are: ${known}` : 'this is the first'}`,
      };
    } else if (named.length > 1) {
      yield { place, message: `two steps are called '${condition.step}'; give them names of their own` };
    } else if (named[0]?.action.kind === 'runbook') {
      yield {
        place,
        message: `'${condition.step}' is a runbook, whose steps have a status each; name a step of this runbook`,
      };
    }
  }
}
