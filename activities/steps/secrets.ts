import type { EffectAction } from '../../domain/runbook/definition.ts';
import type { LayoutScope } from '../../domain/runbook/layout.ts';
import { variablesIn } from '../../domain/runbook/template.ts';
import type { SecretSource } from '../secrets/secret-source.ts';
import type { StepOutput } from './output.ts';

/** What is read through it is masked in `output` from then on. */
export function maskingSecrets(source: SecretSource, output: Pick<StepOutput, 'addSecret'>): SecretSource {
  return {
    async read(reference) {
      const value = await source.read(reference);
      output.addSecret(value);
      return value;
    },
  };
}

/**
 * The values that the action is rendered with: those of its scope, and of the inputs that stand for secrets those that
 * it uses, read now. Throws SecretUnavailableError.
 */
export async function valuesFor(
  action: EffectAction,
  { values, secretReferences }: LayoutScope,
  secrets: SecretSource,
): Promise<Record<string, string>> {
  const used = [...new Set(variablesIn(action))].filter((name) => Object.hasOwn(secretReferences, name));
  const read = await Promise.all(
    used.map(
      async (name): Promise<[string, string]> => [name, await secrets.read(secretReferences[name] ?? '')],
    ),
  );
  return { ...values, ...Object.fromEntries(read) };
}

/** Whether a value of the action is known only when a secret has been read. */
export function usesSecretInput(action: EffectAction, { secretReferences }: LayoutScope): boolean {
  return variablesIn(action).some((name) => Object.hasOwn(secretReferences, name));
}
