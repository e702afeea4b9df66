import type { RunbookDefinition, RunbookProblem, StepAction, StepDefinition } from '../runbook/definition.ts';
import { parseRunbook } from '../runbook/parse.ts';

/** A file of the repository as it was read. `text` is null where it was not: `reason` says why and what to do. */
export type ImportFile = { path: string; text: string } | { path: string; text: null; reason: string };

export interface ImportedRunbook {
  /** In the repository. */
  file: string;
  source: string;
  /** Under the name that Holdfast knows it by: 'staging:restart' where the source has an environment. */
  definition: RunbookDefinition;
}

/** Who has a name already, in words that follow 'the name … belongs to'. */
export type TakenNames = ReadonlyMap<string, string>;

const longestName = 200;

/** All of the files as runbooks, or what is wrong with them: a part of a push is never taken over. */
export function readImport(args: {
  files: readonly ImportFile[];
  environment: string;
  taken: TakenNames;
}): { runbooks: ImportedRunbook[] } | { problems: RunbookProblem[] } {
  const problems: RunbookProblem[] = [];
  const parsed: ImportedRunbook[] = [];
  const fileOf = new Map<string, string>();
  for (const file of args.files) {
    const read = readFile(file);
    if ('problems' in read) {
      problems.push(...read.problems);
      continue;
    }
    const wrong = nameProblem(read.definition.name, file.path, { ...args, fileOf });
    if (wrong !== undefined) problems.push({ file: file.path, line: 1, col: 1, message: wrong });
    fileOf.set(read.definition.name, fileOf.get(read.definition.name) ?? file.path);
    parsed.push(read);
  }
  if (problems.length > 0) return { problems };
  const named = namesIn(args.environment, new Set(fileOf.keys()));
  return { runbooks: parsed.map((runbook) => ({ ...runbook, definition: named(runbook.definition) })) };
}

export function nameInEnvironment(environment: string, name: string): string {
  return environment === '' ? name : `${environment}:${name}`;
}

function readFile(file: ImportFile): ImportedRunbook | { problems: RunbookProblem[] } {
  if (file.text === null) {
    return { problems: [{ file: file.path, line: 1, col: 1, message: file.reason }] };
  }
  const read = parseRunbook(file.text, file.path);
  if ('problems' in read) return read;
  return { file: file.path, source: file.text, definition: read.definition };
}

function nameProblem(
  name: string,
  file: string,
  known: { environment: string; taken: TakenNames; fileOf: ReadonlyMap<string, string> },
): string | undefined {
  const twin = known.fileOf.get(name);
  if (twin !== undefined && twin !== file) {
    return `another file, ${twin}, has a runbook of the name '${name}' too; give one of them another name`;
  }
  const full = nameInEnvironment(known.environment, name);
  if (full.length > longestName) {
    return `the name '${full}' is longer than ${longestName} characters; shorten it`;
  }
  const owner = known.taken.get(full);
  return owner === undefined
    ? undefined
    : `the name '${full}' belongs to ${owner} already; give this runbook another name, or take the other one away`;
}

/**
 * Runbooks of an environment call each other by the names in their files; Holdfast knows them by the longer ones, and
 * automation starts them for alerts of that environment alone.
 */
function namesIn(environment: string, own: ReadonlySet<string>): (d: RunbookDefinition) => RunbookDefinition {
  if (environment === '') return (definition) => definition;
  const actionOf = (action: StepAction): StepAction =>
    action.kind === 'runbook' && own.has(action.runbook)
      ? { ...action, runbook: nameInEnvironment(environment, action.runbook) }
      : action;
  const stepOf = (step: StepDefinition): StepDefinition => ({ ...step, action: actionOf(step.action) });
  return (definition) => ({
    ...definition,
    name: nameInEnvironment(environment, definition.name),
    execution: { ...definition.execution, environments: [environment] },
    steps: definition.steps.map(stepOf),
    verify: definition.verify.map(stepOf),
  });
}
