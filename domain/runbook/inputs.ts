import type { RunbookDefinition } from './definition.ts';
import { renderAction } from './render.ts';
import { masked, secretValues } from './secret.ts';
import { fillTemplate } from './template.ts';

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

/**
 * A value for every variable, before anything runs: what was given, else the alert's label, else the service,
 * else the default. Every problem names the input and the remedy; the value of a secret is never repeated.
 */
export function resolveInputs(definition: RunbookDefinition, sources: InputSources): ResolvedInputs {
  const problems: string[] = [];
  const values: Record<string, string> = {};
  const names = Object.keys(definition.inputs);
  for (const name of Object.keys(sources.given ?? {})) {
    if (!Object.hasOwn(definition.inputs, name)) {
      const known = names.length > 0 ? `it has: ${names.join(', ')}` : 'it has none';
      problems.push(`the runbook '${definition.name}' has no input '${name}'; ${known}`);
    }
  }
  for (const [name, input] of Object.entries(definition.inputs)) {
    const label = input.fromLabel ?? name;
    const value =
      nonEmpty(sources.given, name) ??
      nonEmpty(sources.labels, label) ??
      (name === 'service' || name === 'service_name' ? sources.service || undefined : undefined) ??
      input.default;
    if (value === undefined || (value === '' && input.required)) {
      if (!input.required) values[name] = '';
      else {
        problems.push(
          `'${name}' has no value: give it when running '${definition.name}', add the label '${label}' to the alert, or a default to the runbook`,
        );
      }
      continue;
    }
    const shown = input.secret ? 'the value' : `'${value.slice(0, 80)}'`;
    if (value.includes('\0')) {
      problems.push(`'${name}' holds a NUL character, which no command and no url can carry; take it out`);
    } else if (Buffer.byteLength(value) > longestValue) {
      problems.push(`'${name}' is longer than ${longestValue} bytes; shorten it`);
    } else if (value.startsWith('-') && !input.allowLeadingDash) {
      problems.push(
        `'${name}' is refused: ${shown} begins with '-' and would read as an option; the runbook may allow it with allow_leading_dash: true`,
      );
    } else {
      values[name] = value;
    }
  }
  if (problems.length === 0) problems.push(...renderProblems(definition, values));
  return problems.length > 0 ? { problems } : { values };
}

/** Whether each step and undo can be made with these values: a url that is none shows here, not in mid-run. */
function renderProblems(definition: RunbookDefinition, values: Readonly<Record<string, string>>): string[] {
  const secrets = secretValues(definition, values);
  const problems: string[] = [];
  for (const step of definition.steps) {
    for (const action of [step.action, ...(step.rollback ? [step.rollback.action] : [])]) {
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
