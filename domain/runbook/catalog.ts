import type { RunbookDefinition, RunbookProblem } from './definition.ts';
import { valueProblem } from './inputs.ts';
import { deepestNesting, mostSteps } from './layout.ts';
import { closest, type Place } from './problems.ts';
import { placeholders } from './template.ts';

/** A runbook with where its parts stand in its file, as `parseRunbook` gives them. */
export interface LocatedRunbook {
  file: string;
  definition: RunbookDefinition;
  locate(place: Place): { line: number; col: number };
}

/** The runbook that another one means: of its own environment ('prod:name') first. */
export function nestedName(
  catalog: { has(name: string): boolean },
  caller: string,
  called: string,
): string | undefined {
  const environment = /^(.*):/.exec(caller)?.[1];
  const own = environment === undefined ? called : `${environment}:${called}`;
  return [own, called].find((name) => catalog.has(name));
}

/**
 * What only shows once all runbooks are known: nested ones that do not exist, wrong inputs for them, runbooks that
 * run themselves, and too deep or too long ones. `known` are runbooks from elsewhere that these may call.
 */
export function checkCatalog(
  runbooks: readonly LocatedRunbook[],
  known: ReadonlyMap<string, RunbookDefinition> = new Map(),
): RunbookProblem[] {
  const catalog = new Map([
    ...known,
    ...runbooks.map(({ definition }) => [definition.name, definition] as const),
  ]);
  return runbooks.flatMap((runbook) => {
    const found = [
      ...callProblems(runbook.definition, catalog),
      ...shapeProblems(runbook.definition, catalog),
    ];
    return found.map(({ place, message }) => ({ file: runbook.file, ...runbook.locate(place), message }));
  });
}

interface Found {
  place: Place;
  message: string;
}
type Catalog = ReadonlyMap<string, RunbookDefinition>;

/** The runbooks that one calls, with the place of the step. */
function callsOf(definition: RunbookDefinition, catalog: Catalog): { place: Place; called: string }[] {
  return definition.steps.flatMap(({ action }, index) => {
    if (action.kind !== 'runbook') return [];
    const called = nestedName(catalog, definition.name, action.runbook);
    return called === undefined ? [] : [{ place: ['steps', index, 'runbook'], called }];
  });
}

function* callProblems(definition: RunbookDefinition, catalog: Catalog): Generator<Found> {
  for (const [index, { action }] of definition.steps.entries()) {
    if (action.kind !== 'runbook') continue;
    const name = nestedName(catalog, definition.name, action.runbook);
    const nested = name === undefined ? undefined : catalog.get(name);
    if (!nested) {
      const near = closest(action.runbook, [...catalog.keys()]);
      const meant = near ? `did you mean '${near}'?` : 'add it, or take the step out';
      yield {
        place: ['steps', index, 'runbook'],
        message: `there is no runbook '${action.runbook}'; ${meant}`,
      };
      continue;
    }
    for (const [input, template] of Object.entries(action.inputs)) {
      const message = givenProblem(nested, input, template);
      if (message) yield { place: ['steps', index, 'inputs', input], message };
    }
  }
}

function givenProblem(nested: RunbookDefinition, name: string, template: string): string | undefined {
  const input = Object.hasOwn(nested.inputs, name) ? nested.inputs[name] : undefined;
  if (!input) {
    const names = Object.keys(nested.inputs);
    const near = closest(name, names);
    const known = near
      ? `did you mean '${near}'?`
      : names.length > 0
        ? `it has: ${names.join(', ')}`
        : 'it has none';
    return `the runbook '${nested.name}' has no input '${name}'; ${known}`;
  }
  if (input.fromSecret !== undefined) {
    return `'${name}' of '${nested.name}' is read from a secret and given by nobody; take it out`;
  }
  if (placeholders(template).length > 0 || template === '') return undefined;
  return valueProblem(name, input, template);
}

/** Whether a runbook that it calls leads back to it, and how deep and long it gets with all of them. */
function* shapeProblems(definition: RunbookDefinition, catalog: Catalog): Generator<Found> {
  for (const { place, called } of callsOf(definition, catalog)) {
    const way = wayTo(definition.name, called, catalog);
    if (way) {
      yield {
        place,
        message: `'${definition.name}' would run itself: ${[definition.name, ...way].join(' → ')}`,
      };
      return;
    }
  }
  const { depth, steps } = measure(definition, catalog, new Map());
  if (depth > deepestNesting) {
    yield {
      place: ['steps'],
      message: `runbooks are nested at most ${deepestNesting} deep; here it would be ${depth}`,
    };
  }
  if (steps > mostSteps) {
    yield {
      place: ['steps'],
      message: `with its nested runbooks it has ${steps} steps, of at most ${mostSteps}; split it`,
    };
  }
}

/** The calls that lead from one runbook to another, shortest first. */
function wayTo(target: string, from: string, catalog: Catalog): string[] | undefined {
  const ways = [[from]];
  const seen = new Set([from]);
  for (const way of ways) {
    const last = way.at(-1) ?? '';
    if (last === target) return way;
    const definition = catalog.get(last);
    for (const { called } of definition ? callsOf(definition, catalog) : []) {
      if (seen.has(called)) continue;
      seen.add(called);
      ways.push([...way, called]);
    }
  }
  return undefined;
}

/** Another runbook's loop is reported there; here it counts as one that calls nothing more. */
function measure(
  definition: RunbookDefinition,
  catalog: Catalog,
  measured: Map<string, { depth: number; steps: number }>,
): { depth: number; steps: number } {
  const before = measured.get(definition.name);
  if (before) return before;
  measured.set(definition.name, { depth: 0, steps: 0 });
  let depth = 0;
  let steps = definition.verify.length;
  for (const { action } of definition.steps) {
    const name = action.kind === 'runbook' ? nestedName(catalog, definition.name, action.runbook) : undefined;
    const nested = name === undefined ? undefined : catalog.get(name);
    if (action.kind !== 'runbook') steps += 1;
    if (!nested) continue;
    const inner = measure(nested, catalog, measured);
    depth = Math.max(depth, inner.depth + 1);
    steps += inner.steps;
  }
  measured.set(definition.name, { depth, steps });
  return { depth, steps };
}
