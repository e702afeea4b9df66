import type { SecretReference, StepDefinition } from './definition.ts';

/**
 * What one execution runs, written once when it is asked for: its runbook with nested ones laid flat, each step with
 * the values of the runbook that it comes from. A later version of any of them changes nothing here.
 */
export interface RunbookLayout {
  /** The first is the runbook that was asked for; the others are nested ones, once for each time they are called. */
  scopes: LayoutScope[];
  steps: LayoutStep[];
}

export interface LayoutScope {
  runbook: string;
  version: number;
  /** By input. An input that is read from a secret stands in `secretReferences` and has no value here. */
  values: Record<string, string>;
  secretReferences: Record<string, SecretReference>;
  /** Inputs whose values are masked. */
  secretInputs: string[];
  allowedHosts: string[];
}

export interface LayoutStep {
  /** Position in `scopes`. */
  scope: number;
  /** For people: 'fail over / promote the replica' of a nested step. */
  name: string;
  part: StepPart;
  /** Never of type `runbook`; a nested runbook's conditions are its steps' too. */
  definition: StepDefinition;
}

/** `verify`: after the last step. */
export type StepPart = 'step' | 'verify';

/** Runbooks in runbooks, counted from the first nested one. */
export const deepestNesting = 5;
/** With those of nested runbooks. */
export const mostSteps = 200;
