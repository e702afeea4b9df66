import { formatDuration } from '../../domain/duration.ts';
import type {
  RunbookDefinition,
  RunbookTrigger,
  StepAction,
  StepCondition,
} from '../../domain/runbook/definition.ts';
import { describeAction } from '../../domain/runbook/describe.ts';
import { visible } from '../../domain/runbook/shown-text.ts';

export const modeWords: Record<RunbookDefinition['execution']['mode'], string> = {
  manual: 'By hand',
  semi_auto: 'Asks first',
  auto: 'By itself',
};

/** What runs, with `{{vars}}` as they are written where the values of an execution will stand. */
export function actionText(action: StepAction, inputs: readonly string[]): string {
  const placeholders = Object.fromEntries(inputs.map((name) => [name, `{{${name}}}`]));
  try {
    // quoted as a value would be, it would be shown as no runbook may have it
    return describeAction(action, placeholders).replaceAll(/'(\{\{[^{}']+\}\})'/g, '$1');
  } catch (error) {
    // a placeholder is no value: what needs one to be described says so in the dry run
    if (error instanceof RangeError) return 'as its inputs say: see the dry run';
    throw error;
  }
}

/** 'critical or warning alerts ServiceDown* that fire for 5 min, with team=pay' */
export function triggerText(trigger: RunbookTrigger): string {
  const severity = trigger.severity?.length ? `${trigger.severity.join(' or ')} alerts` : 'alerts';
  const labels = Object.entries(trigger.labels).map(([name, value]) => `${name}=${value}`);
  const lasting = trigger.minDurationMs > 0 ? ` that fire for ${formatDuration(trigger.minDurationMs)}` : '';
  return visible(
    `${severity} ${trigger.alertPattern}${lasting}${labels.length > 0 ? `, with ${labels.join(', ')}` : ''}`,
  );
}

/** 'only if mode is fast and ‘Check’ succeeded' */
export function conditionText(conditions: readonly StepCondition[]): string | null {
  if (conditions.length === 0) return null;
  const one = (condition: StepCondition): string => {
    if ('step' in condition)
      return `‘${condition.step}’ ${condition.status === 'skipped' ? 'was skipped' : condition.status}`;
    if ('equals' in condition) return `${condition.variable} is ${condition.equals}`;
    if ('notEquals' in condition) return `${condition.variable} is not ${condition.notEquals}`;
    return `${condition.variable} matches ${condition.matches}`;
  };
  return visible(`only if ${conditions.map(one).join(' and ')}`);
}

/** One sentence: the description alone may be several, or none. */
export function whatItDoes({ description, steps, verify }: RunbookDefinition): string {
  const undone = steps.filter((step) => step.rollback !== undefined).length;
  const parts = [
    `${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`,
    ...(undone > 0 ? [`${undone} with an undo`] : []),
    ...(verify.length > 0 ? [`verified at the end`] : []),
  ];
  return visible(`${description.trim().replace(/(?<!\.)\.+$/, '')} (${parts.join(', ')}).`);
}
