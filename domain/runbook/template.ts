/** `{{name}}` in a runbook's text: where the variables are, and what stands there once they have values. */

export interface Placeholder {
  name: string;
  start: number;
  end: number;
}

/** What is wrong in a template, at which character of it, and what mends it. */
export interface TemplateProblem {
  offset: number;
  message: string;
}

const opening = /\{\{\s*(?:([A-Za-z_][A-Za-z0-9_]*)\s*\}\})?/g;

/** The variables of `text` in order. `{{.Name}}` is a Go template of docker or kubectl and stays as it is. */
export function placeholders(text: string): Placeholder[] {
  const found: Placeholder[] = [];
  for (const match of text.matchAll(opening)) {
    const name = match[1];
    if (name) found.push({ name, start: match.index, end: match.index + match[0].length });
  }
  return found;
}

/** The names of all variables in the texts of an action. */
export function variablesIn(value: unknown): string[] {
  if (typeof value === 'string') return placeholders(value).map(({ name }) => name);
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(variablesIn);
}

/** Double braces that are neither a variable nor a Go template: most likely a mistyped name. */
export function malformedPlaceholders(text: string): TemplateProblem[] {
  const problems: TemplateProblem[] = [];
  for (const match of text.matchAll(opening)) {
    const rest = text.slice(match.index + match[0].length);
    if (match[1] === '__proto__') {
      problems.push({
        offset: match.index,
        message: "'__proto__' cannot be a variable; choose another name",
      });
    } else if (!match[1] && !rest.startsWith('.')) {
      problems.push({
        offset: match.index,
        message: "'{{' begins no variable here; write {{name}} with letters, digits and _ alone",
      });
    }
  }
  return problems;
}

/** The values of a run, by variable. Throws RangeError for a name that has none: callers resolve inputs first. */
export function valueFor(values: Readonly<Record<string, string>>, name: string): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined) throw new RangeError(`the variable '${name}' has no value`);
  return value;
}

/** `text` with each variable replaced by `encode(value)`. Values are never looked at for variables again. */
export function fillTemplate(
  text: string,
  values: Readonly<Record<string, string>>,
  encode: (value: string) => string = (value) => value,
): string {
  let filled = '';
  let at = 0;
  for (const { name, start, end } of placeholders(text)) {
    filled += text.slice(at, start) + encode(valueFor(values, name));
    at = end;
  }
  return filled + text.slice(at);
}
