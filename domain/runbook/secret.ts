import type { RunbookDefinition } from './definition.ts';
import type { LayoutScope } from './layout.ts';

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

/** The values of the scope that are masked whether or not they are used. */
export function secretValuesOf({ secretInputs, values }: LayoutScope): string[] {
  return secretInputs.flatMap((name) => (Object.hasOwn(values, name) && values[name] ? [values[name]] : []));
}

/** The values for people: those of secrets masked, those that are read later too. */
export function shownScope(scope: LayoutScope): Record<string, string> {
  const hidden = new Set(scope.secretInputs);
  const shown = Object.entries(scope.values).map(([name, value]) => [
    name,
    hidden.has(name) && value !== '' ? masked : value,
  ]);
  const later = Object.keys(scope.secretReferences).map((name) => [name, masked]);
  return Object.fromEntries([...shown, ...later]);
}
