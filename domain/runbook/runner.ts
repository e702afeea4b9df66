import type { StepDefinition } from './definition.ts';

/** The runner that carries a step or its undo out; undefined: Holdfast's own worker. An undo stays with its step. */
export function runnerOf(
  { runner, rollback }: Pick<StepDefinition, 'runner' | 'rollback'>,
  phase: 'step' | 'undo',
): string | undefined {
  return phase === 'undo' ? (rollback?.runner ?? runner) : runner;
}
