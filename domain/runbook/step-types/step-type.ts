import type { z } from 'zod';
import type { ApprovalRules, EffectAction, StepAction } from '../definition.ts';
import type { PlacedProblem } from '../problems.ts';
import type { RenderedAction } from '../rendered.ts';

export type Values = Readonly<Record<string, string>>;
export type Keys = z.core.$ZodLooseShape;
export type Written<K extends Keys> = z.output<z.ZodObject<K>>;

/** What a step takes from the runbook around it. */
export interface Surroundings {
  approval: ApprovalRules;
}

/** One kind of step: how it is written in YAML, what may be wrong with it and how people read it. */
export interface StepTypeShape<A extends StepAction, K extends Keys> {
  kind: A['kind'];
  /** Its own keys in YAML, beside the ones of every step. */
  keys: K;
  /** The keys of these whose texts may hold variables; in the others a variable is a problem. */
  templates: readonly (keyof K & string)[];
  /** For one attempt. */
  defaultTimeoutMs: number;
  read(written: Written<K>, surroundings: Surroundings): A;
  /** Problems with their place in the step, beyond what the schema of a key alone can see. */
  validate(written: Written<K>, action: A): Iterable<PlacedProblem>;
  /** In words, exactly; `values` have masked secrets, the text has visible control characters. */
  describe(action: A, values: Values): string;
}

/** A kind of step that an adapter carries out, and that may stand as a rollback. */
export interface EffectTypeShape<A extends EffectAction, K extends Keys> extends StepTypeShape<A, K> {
  /** The keys that a rollback of the same kind takes from its step where it does not say them itself. */
  inherited: readonly (keyof K & string)[];
  /** Throws RangeError, with the reason for people, where the values do not fit. */
  render(action: A, values: Values): Extract<RenderedAction, { kind: A['kind'] }>;
}

/** Any of them, for who goes by the kind of an action: it gives each its own action and what its own keys gave. */
export interface AnyStepType {
  kind: StepAction['kind'];
  keys: Keys;
  templates: readonly string[];
  defaultTimeoutMs: number;
  read(written: Record<string, unknown>, surroundings: Surroundings): StepAction;
  validate(written: Record<string, unknown>, action: StepAction): Iterable<PlacedProblem>;
  describe(action: StepAction, values: Values): string;
}
export interface AnyEffectType extends AnyStepType {
  inherited: readonly string[];
  read(written: Record<string, unknown>, surroundings: Surroundings): EffectAction;
  render(action: EffectAction, values: Values): RenderedAction;
}

/** A key that is left out stays out. */
export function present<T extends object>(values: T): { [P in keyof T]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [P in keyof T]?: Exclude<T[P], undefined>;
  };
}
