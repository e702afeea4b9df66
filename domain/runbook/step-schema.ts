import { z } from 'zod';
import { writtenCondition } from './condition.ts';
import { type EffectAction, type StepType, stepTypes } from './definition.ts';
import { commandText } from './step-types/command-form.ts';
import type { Keys } from './step-types/step-type.ts';
import { effectTypes, isEffectType, stepTypeShapes } from './step-types.ts';
import { flag, runnerName, seconds, text, wholeNumber } from './written.ts';

/** Steps and rollbacks in YAML, put together from the keys of every step and those of its type. */

const everyStep = { name: text('name', 200), condition: writtenCondition.optional() };
const effectStep = {
  timeout: seconds(0.1, 'timeout').optional().describe('Seconds for one attempt.'),
  retries: wholeNumber('retries', 0, 100).default(0).describe('Attempts after the first.'),
  retry_delay: seconds(0, 'retry_delay').default(5).describe('Seconds between two attempts.'),
  continue_on_fail: flag('continue_on_fail')
    .default(false)
    .describe('Go on with the next step when it failed.'),
  idempotent: flag('idempotent')
    .optional()
    .describe('May be run again when a crash left its outcome unknown; otherwise it counts as failed.'),
  runner: runnerName.optional().describe('The runner that carries it out.'),
};
const effectRollback = {
  timeout: seconds(0.1, 'timeout').optional(),
  runner: runnerName.optional().describe('Default: the one of its step.'),
};

/** What every step says, as far as it is there: a step of the workflow's own has name and condition alone. */
const common = z.object({ ...everyStep, ...effectStep });
export type WrittenStep = z.output<typeof common>;
const commonRollback = z.object(effectRollback);
export type WrittenRollback = z.output<typeof commonRollback>;

/** `api` is another word for `http`. A type that follows from `command` or `url` may be left out. */
function typeKey(type: StepType): z.ZodType {
  if (type === 'http') return z.enum(['http', 'api']).optional();
  return type === 'command' ? z.literal(type).optional() : z.literal(type);
}

function stepKeys(type: StepType): Keys {
  return {
    ...everyStep,
    type: typeKey(type),
    ...(isEffectType(type) ? effectStep : {}),
    ...stepTypeShapes[type].keys,
  };
}

/** `rollback` is validated by itself, so that a problem names the form that was meant. */
export function stepSchema(type: StepType): z.ZodObject<Keys> {
  return z.strictObject({
    ...stepKeys(type),
    ...(isEffectType(type) ? { rollback: z.unknown().optional() } : {}),
  });
}

export function rollbackSchema(type: EffectAction['kind']): z.ZodObject<Keys> {
  return z.strictObject({ ...effectRollback, ...effectTypes[type].keys, type: typeKey(type).optional() });
}

export function keysOf(type: StepType): string[] {
  return Object.keys(stepSchema(type).shape);
}
export const knownStepKeys = stepTypes.flatMap(keysOf);

/** For editors: either a command or a script with its own keys, where the parser tells why not both. */
function formsOf(keys: Keys): z.ZodObject<Keys>[] {
  const { command, script, interpreter, args, ...others } = keys;
  if (!command || !script || !interpreter || !args) return [z.strictObject(keys)];
  return [
    z.strictObject({ ...others, command: z.nonoptional(command) }),
    z.strictObject({ ...others, script: z.nonoptional(script), interpreter, args }),
  ];
}

/** As it may be written: the keys that it takes from its step may be left out. */
function rollbackForms(type: EffectAction['kind']): z.ZodType[] {
  const { inherited } = effectTypes[type];
  const entries = Object.entries(rollbackSchema(type).shape);
  return formsOf(
    Object.fromEntries(
      entries.map(([key, value]) => [key, inherited.includes(key) ? z.optional(value) : value]),
    ),
  );
}

const effectKinds = stepTypes.filter(isEffectType);
const rollback = z
  .union([commandText, ...effectKinds.flatMap(rollbackForms)])
  .nullable()
  .meta({
    id: 'rollback',
    description:
      'Undoes the step; of any type, by default the one of its step. It may run more than once, so it must do no harm when repeated.',
  });

export const publishedStep = z
  .union(
    stepTypes.flatMap((type) =>
      formsOf({ ...stepKeys(type), ...(isEffectType(type) ? { rollback: rollback.optional() } : {}) }),
    ),
  )
  .meta({ id: 'step' });

/** What may stand in `verify`: what looks, and what waits for it. */
export const verifyTypes: readonly StepType[] = [...effectKinds, 'wait'];
export const publishedVerifyStep = z
  .union(verifyTypes.flatMap((type) => formsOf(stepKeys(type))))
  .meta({ id: 'verification' });
