import type { RunbookDefinition, RunbookInput } from './definition.ts';
import { hoursProblems } from './execution-rules.ts';
import { valueProblem } from './inputs.ts';
import { closest, type PlacedProblem } from './problems.ts';
import type { RunbookFrame } from './schema.ts';
import type { ReadStep } from './steps.ts';
import { malformedPlaceholders, placeholders } from './template.ts';
import { readValuePattern } from './value-pattern.ts';

/** What the schema of one value alone cannot see, and what steps and inputs mean to each other. */
export function* definitionProblems(
  frame: RunbookFrame,
  definition: RunbookDefinition,
  steps: readonly ReadStep[],
): Generator<PlacedProblem> {
  const target = frame.execution.target ?? '';
  for (const { message } of malformedPlaceholders(target)) {
    yield { place: ['execution', 'target'], message };
  }
  for (const problem of frame.execution.hours ? hoursProblems(frame.execution.hours) : []) {
    yield { ...problem, place: ['execution', 'hours', ...problem.place] };
  }
  const inTarget = placeholders(target).map(({ name }) => name);
  const used = new Set([...inTarget, ...steps.flatMap(({ variables }) => variables)]);
  const undeclared = [...used].filter((name) => !Object.hasOwn(frame.inputs, name));
  for (const name of Object.keys(frame.inputs)) {
    const input = definition.inputs[name];
    if (!input) continue;
    yield* inputProblems(name, input, frame);
    if (input.secret && inTarget.includes(name)) {
      yield {
        place: ['execution', 'target'],
        message: `{{${name}}} is a secret, and the target is shown; use another input`,
      };
    }
    if (input.fromSecret !== undefined) yield* secretProblems(name, definition);
    const near = used.has(name) ? undefined : closest(name, undeclared);
    if (near) {
      yield {
        place: ['inputs', name],
        message: `no step uses the input '${name}', but one uses {{${near}}}; make the two names agree`,
        atKey: true,
      };
    }
  }
}

function* inputProblems(name: string, input: RunbookInput, frame: RunbookFrame): Generator<PlacedProblem> {
  if (input.fromSecret !== undefined) {
    for (const key of ['default', 'from_label', 'options', 'pattern', 'required'] as const) {
      if (frame.inputs[name]?.[key] === undefined) continue;
      yield {
        place: ['inputs', name, key],
        message: `'${name}' is read from a secret when a step needs it; take '${key}' out`,
        atKey: true,
      };
    }
    return;
  }
  if (input.pattern !== undefined) {
    const pattern = readValuePattern(input.pattern);
    if ('problem' in pattern) {
      yield { place: ['inputs', name, 'pattern'], message: pattern.problem };
      return;
    }
  }
  const preset = input.default ?? '';
  if (preset === '') return;
  if (preset.startsWith('-') && !input.allowLeadingDash) {
    yield {
      place: ['inputs', name, 'default'],
      message: `the default of '${name}' begins with '-'; add allow_leading_dash: true if that is meant`,
    };
    return;
  }
  const problem = valueProblem(name, input, preset);
  if (problem) yield { place: ['inputs', name, 'default'], message: `of the default: ${problem}` };
}

/** A value that is read only when a step begins can decide nothing before. */
function* secretProblems(name: string, definition: RunbookDefinition): Generator<PlacedProblem> {
  for (const key of ['steps', 'verify'] as const) {
    for (const [index, step] of definition[key].entries()) {
      if (step.conditions.some((condition) => 'variable' in condition && condition.variable === name)) {
        yield {
          place: [key, index, 'condition'],
          message: `'${name}' is read from a secret, which no condition can look at; use another input`,
        };
      }
      if (step.action.kind !== 'runbook') continue;
      for (const [input, template] of Object.entries(step.action.inputs)) {
        const [only] = placeholders(template);
        const inIt = placeholders(template).some((placeholder) => placeholder.name === name);
        if (!inIt || (only?.start === 0 && only.end === template.length)) continue;
        yield {
          place: [key, index, 'inputs', input],
          message: `the secret '${name}' can be passed on only as a whole: write "{{${name}}}"`,
        };
      }
    }
  }
}
