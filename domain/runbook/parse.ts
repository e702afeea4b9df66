import { isMap, LineCounter } from 'yaml';
import { defaultApproval } from './approval-rules.ts';
import type { RunbookDefinition, RunbookProblem } from './definition.ts';
import { definitionProblems } from './definition-problems.ts';
import { readExecutionRules } from './execution-rules.ts';
import { issueProblems, type Place, type PlacedProblem } from './problems.ts';
import { readInput } from './read-input.ts';
import { readYaml } from './read-yaml.ts';
import { knownKeys, type RunbookFrame, runbookFrame } from './schema.ts';
import { present } from './step-types/step-type.ts';
import { type ReadStep, readSteps } from './steps.ts';
import { placeholders } from './template.ts';
import { toMs } from './written.ts';
import { offsetOf } from './yaml-offset.ts';

export type ParsedRunbook =
  | {
      definition: RunbookDefinition;
      /** Where the value at a place (or the nearest that there is around it) stands; for what is found out later. */
      locate(place: Place): { line: number; col: number };
    }
  | { problems: RunbookProblem[] };

const longestSource = 256 * 1024;
/** More than that nobody mends at once. */
const mostProblems = 100;

/**
 * Reads one runbook file. Every problem names the file, line, column, the rule and what to write instead;
 * `file` is what they call it. Throws nothing.
 */
export function parseRunbook(source: string, file: string): ParsedRunbook {
  const lines = new LineCounter();
  const found: RunbookProblem[] = [];
  const positionOf = (offset: number) => {
    const { line, col } = lines.linePos(Math.max(0, offset));
    return { line: line || 1, col: col || 1 };
  };
  const report = (offset: number, message: string) => found.push({ file, ...positionOf(offset), message });
  const failed = (): ParsedRunbook => ({ problems: sorted(found) });

  if (source.length > longestSource) {
    report(
      0,
      `a runbook file must be at most ${longestSource / 1024} KiB; this one has ${source.length} characters`,
    );
    return failed();
  }
  const { document, problems: broken } = readYaml(source, lines);
  for (const { offset, message } of broken) report(offset, `this is no valid YAML: ${message}`);
  if (found.length > 0) return failed();
  const root = document.contents;
  if (!isMap(root)) {
    report(0, 'a runbook is a mapping with at least name and steps; this file holds something else');
    return failed();
  }
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    report(0, `this YAML cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return failed();
  }

  const reportAt = (problem: PlacedProblem) => report(offsetOf(source, root, problem), problem.message);
  const frame = runbookFrame.safeParse(raw);
  if (!frame.success)
    for (const problem of issueProblems(frame.error, raw, { known: knownKeys })) reportAt(problem);
  const rules = frame.success ? readExecutionRules(frame.data.execution) : undefined;
  const { steps, verify, problems } = readSteps(
    { steps: listOf(raw, 'steps'), verify: listOf(raw, 'verify') },
    rules?.approval ?? defaultApproval,
  );
  for (const problem of problems) reportAt(problem);
  if (!frame.success || !rules) return failed();

  const definition = toDefinition(frame.data, steps, verify);
  for (const problem of definitionProblems(frame.data, definition, [...steps, ...verify])) reportAt(problem);
  if (found.length > 0) return failed();
  return { definition, locate: (place) => positionOf(offsetOf(source, root, { place, message: '' })) };
}

function toDefinition(
  frame: RunbookFrame,
  steps: readonly ReadStep[],
  verify: readonly ReadStep[],
): RunbookDefinition {
  const definition: RunbookDefinition = {
    name: frame.name,
    description: frame.description,
    ...present({ category: frame.category }),
    tags: frame.tags,
    triggers: frame.triggers.map((trigger) => ({
      alertPattern: trigger.alert_pattern,
      ...(trigger.severity === undefined ? {} : { severity: [trigger.severity].flat() }),
      minDurationMs: toMs(trigger.min_duration_seconds),
      labels: Object.fromEntries(
        Object.entries(trigger.labels ?? {}).map(([name, glob]) => [name, String(glob)]),
      ),
    })),
    inputs: Object.fromEntries(Object.entries(frame.inputs).map(([name, input]) => [name, readInput(input)])),
    execution: readExecutionRules(frame.execution),
    steps: steps.map(({ definition }) => definition),
    verify: verify.map(({ definition }) => definition),
  };
  const targetVariables = placeholders(definition.execution.target ?? '').map(({ name }) => name);
  declareUsed(definition, [
    ...targetVariables,
    ...[...steps, ...verify].flatMap(({ variables }) => variables),
  ]);
  return definition;
}

/** A variable that no input declares is a required input: an alert's label of that name gives it, or the person. */
function declareUsed(definition: RunbookDefinition, names: readonly string[]): void {
  for (const name of names) {
    if (!Object.hasOwn(definition.inputs, name)) definition.inputs[name] = readInput(null);
  }
}

function listOf(raw: unknown, key: 'steps' | 'verify'): unknown[] {
  const list = typeof raw === 'object' && raw !== null ? Reflect.get(raw, key) : undefined;
  return Array.isArray(list) ? list : [];
}

function sorted(problems: RunbookProblem[]): RunbookProblem[] {
  problems.sort((a, b) => a.line - b.line || a.col - b.col || a.message.localeCompare(b.message));
  const next = problems[mostProblems];
  if (!next) return problems;
  const more = `here and further on ${problems.length - mostProblems} more problems; mend those before first`;
  return [...problems.slice(0, mostProblems), { ...next, message: more }];
}
