import { variablesHold } from './condition.ts';
import type { InputType, RunbookDefinition, RunbookInput, StepAction } from './definition.ts';
import { isHost } from './host.ts';
import { renderAction } from './render.ts';
import { masked, secretValues } from './secret.ts';
import { isEffect } from './step-types.ts';
import { fillTemplate, placeholders } from './template.ts';
import { urlProblem } from './url-template.ts';
import { readValuePattern } from './value-pattern.ts';

export interface InputSources {
  /** What the person or the policy gave, by input name. */
  given?: Readonly<Record<string, string>>;
  /** The labels of the alert. */
  labels?: Readonly<Record<string, string>>;
  /** The service that it is about: stands in for the inputs `service` and `service_name`. */
  service?: string | null;
}

export type ResolvedInputs = { values: Record<string, string> } | { problems: string[] };

/** Bytes that one value may have: far below what Linux takes as one argument (128 KiB). */
const longestValue = 16 * 1024;
/** Characters of a value that has a pattern: it takes up to so many times its own length in steps. */
const longestMatched = 1000;

/**
 * A value for every variable, before anything runs: what was given, else the alert's label, else the service,
 * else the default. Every problem names the input and the remedy; the value of a secret is never repeated. An input
 * that is read from a secret has no value yet.
 */
export function resolveInputs(definition: RunbookDefinition, sources: InputSources): ResolvedInputs {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  const names = Object.entries(definition.inputs).flatMap(([name, { fromSecret }]) =>
    fromSecret === undefined ? [name] : [],
  );
  for (const name of Object.keys(sources.given ?? {})) {
    if (names.includes(name)) continue;
    const known = names.length > 0 ? `it has: ${names.join(', ')}` : 'it has none';
    problems.push(
      Object.hasOwn(definition.inputs, name)
        ? `'${name}' of '${definition.name}' is read from a secret and given by nobody; leave it out`
        : `the runbook '${definition.name}' has no input '${name}'; ${known}`,
    );
  }
  for (const name of names) {
    const input = definition.inputs[name];
    if (!input) continue;
    const value = givenValue(name, input, sources);
    if (value === undefined || (value === '' && input.required)) {
      if (!input.required) values[name] = '';
      else problems.push(missing(definition, name, input));
      continue;
    }
    const problem = value === '' && !input.required ? undefined : valueProblem(name, input, value);
    if (problem) problems.push(problem);
    else values[name] = value;
  }
  if (problems.length === 0) problems.push(...renderProblems(definition, values));
  return problems.length > 0 ? { problems } : { values };
}

function givenValue(name: string, input: RunbookInput, sources: InputSources): string | undefined {
  return (
    nonEmpty(sources.given, name) ??
    nonEmpty(sources.labels, input.fromLabel ?? name) ??
    (name === 'service' || name === 'service_name' ? sources.service || undefined : undefined) ??
    input.default
  );
}

function missing(definition: RunbookDefinition, name: string, input: RunbookInput): string {
  return `'${name}' has no value: give it when running '${definition.name}', add the label '${input.fromLabel ?? name}' to the alert, or a default to the runbook`;
}

/** Why this cannot be a value of the input, with the remedy; undefined where it can. */
export function valueProblem(
  name: string,
  input: Pick<RunbookInput, 'type' | 'options' | 'pattern' | 'allowLeadingDash' | 'secret'>,
  value: string,
): string | undefined {
  const shown = input.secret ? 'the value' : `'${value.slice(0, 80)}'`;
  if (value.includes('\0')) {
    return `'${name}' holds a NUL character, which no command and no url can carry; take it out`;
  }
  if (Buffer.byteLength(value) > longestValue) {
    return `'${name}' is longer than ${longestValue} bytes; shorten it`;
  }
  if (value.startsWith('-') && !input.allowLeadingDash) {
    return `'${name}' is refused: ${shown} begins with '-' and would read as an option; the runbook may allow it with allow_leading_dash: true`;
  }
  const expected = expectedOf[input.type];
  if (!expected.holds(value)) return `'${name}' is refused: ${shown} is not ${expected.what}`;
  if (input.options && !input.options.includes(value)) {
    return `'${name}' is refused: ${shown} is none of ${input.options.join(', ')}`;
  }
  if (input.pattern !== undefined) {
    if (value.length > longestMatched) {
      return `'${name}' is longer than ${longestMatched} characters; shorten it`;
    }
    const pattern = readValuePattern(input.pattern);
    if ('problem' in pattern)
      return `the pattern of '${name}' has to be mended in the runbook: ${pattern.problem}`;
    if (!pattern.matches(value)) {
      return `'${name}' is refused: ${shown} does not match ${input.pattern}`;
    }
  }
  return undefined;
}

const expectedOf: Record<InputType, { what: string; holds(value: string): boolean }> = {
  text: { what: 'a text', holds: () => true },
  number: { what: 'a number such as 80 or 0.5', holds: (value) => /^-?\d{1,15}(?:\.\d{1,15})?$/.test(value) },
  boolean: { what: 'true or false', holds: (value) => value === 'true' || value === 'false' },
  host: {
    what: 'a host: a name or an address, without a port',
    holds: isHost,
  },
  url: {
    what: 'an http or https url without credentials',
    holds: (value) => urlProblem(value) === undefined,
  },
};

/** Whether each step and undo can be made with these values: a url that is none shows here, not in mid-run. */
function renderProblems(definition: RunbookDefinition, values: Readonly<Record<string, string>>): string[] {
  const secrets = secretValues(definition, values);
  const problems: string[] = [];
  for (const step of [...definition.steps, ...definition.verify]) {
    if (!variablesHold(step.conditions, values)) continue;
    for (const action of [step.action, ...(step.rollback ? [step.rollback.action] : [])]) {
      if (!isEffect(action) || readsSecret(action, definition)) continue;
      try {
        renderAction(action, values);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        const reason = secrets.reduce((text, secret) => text.replaceAll(secret, masked), error.message);
        problems.push(`step '${step.name}': ${reason}`);
      }
    }
  }
  return problems;
}

/** What is made of a secret can be made only once that was read. */
function readsSecret(action: StepAction, definition: RunbookDefinition): boolean {
  return placeholders(JSON.stringify(action)).some(
    ({ name }) => Object.hasOwn(definition.inputs, name) && definition.inputs[name]?.fromSecret !== undefined,
  );
}

/** What only one execution at a time may work on: the runbook's `target`, else the service, else the runbook. */
export function targetOf(
  definition: RunbookDefinition,
  values: Readonly<Record<string, string>>,
  service: string | null | undefined,
): string {
  const target = definition.execution.target;
  if (target !== undefined) return fillTemplate(target, values).trim();
  const named = ['service', 'service_name'].find((name) => Object.hasOwn(values, name) && values[name]);
  return (named && values[named]) || service || `runbook:${definition.name}`;
}

function nonEmpty(from: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return from && Object.hasOwn(from, name) && from[name] !== '' ? from[name] : undefined;
}
