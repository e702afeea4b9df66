import type { RunbookDefinition } from './definition.ts';

/** What stands where a secret was. */
export const masked = '***';

/** The values of the inputs that are marked as secret: what is masked in output. */
export function secretValues(
  definition: RunbookDefinition,
  values: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(definition.inputs).flatMap(([name, input]) =>
    input.secret && Object.hasOwn(values, name) && values[name] ? [values[name]] : [],
  );
}

/** `values` with those of secret inputs replaced by ***. */
export function maskSecrets(
  definition: RunbookDefinition,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      definition.inputs[name]?.secret && value !== '' ? masked : value,
    ]),
  );
}
