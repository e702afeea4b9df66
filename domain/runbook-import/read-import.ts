import { checkCatalog, type LocatedRunbook } from '../runbook/catalog.ts';
import type { RunbookDefinition, RunbookProblem } from '../runbook/definition.ts';
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

/** A runbook from elsewhere: it has its name for itself, and may be called. */
export interface OtherRunbook {
  /** In words that follow 'the name … belongs to'. */
  owner: string;
  definition: RunbookDefinition;
}

/** One file by itself: as a runbook with where its parts stand, or what is wrong with it. */
export type ReadFile = (ImportedRunbook & LocatedRunbook) | { problems: RunbookProblem[] };

export function readImportFile(file: ImportFile, environment: string): ReadFile {
  if (file.text === null) {
    return { problems: [{ file: file.path, line: 1, col: 1, message: file.reason }] };
  }
  const read = parseRunbook(file.text, file.path);
  if ('problems' in read) return read;
  const { locate } = read;
  const definition = inEnvironment(read.definition, environment);
  return { file: file.path, source: file.text, definition, locate };
}

/** All of the files together, or what is wrong with them: a part of a push is never taken over. */
export function checkImport(
  files: readonly ReadFile[],
  others: ReadonlyMap<string, OtherRunbook>,
): { runbooks: ImportedRunbook[] } | { problems: RunbookProblem[] } {
  const problems: RunbookProblem[] = [];
  const runbooks: (ImportedRunbook & LocatedRunbook)[] = [];
  const fileOf = new Map<string, string>();
  for (const read of files) {
    if ('problems' in read) {
      problems.push(...read.problems);
      continue;
    }
    const { file } = read;
    const { name } = read.definition;
    const wrong = nameProblem(name, fileOf.get(name), others);
    if (wrong !== undefined) problems.push({ file, ...read.locate(['name']), message: wrong });
    fileOf.set(name, fileOf.get(name) ?? file);
    runbooks.push(read);
  }
  // without all of the files it is not known which runbooks there are
  if (problems.length > 0) return { problems };
  const known = new Map([...others].map(([name, { definition }]) => [name, definition]));
  const calls = checkCatalog(runbooks, known);
  if (calls.length > 0) return { problems: calls };
  return { runbooks: runbooks.map(({ file, source, definition }) => ({ file, source, definition })) };
}

/** Its longer name, and that automation starts it for alerts of that environment alone. */
function inEnvironment(definition: RunbookDefinition, environment: string): RunbookDefinition {
  if (environment === '') return definition;
  return {
    ...definition,
    name: `${environment}:${definition.name}`,
    execution: { ...definition.execution, environments: [environment] },
  };
}

function nameProblem(
  name: string,
  twin: string | undefined,
  others: ReadonlyMap<string, OtherRunbook>,
): string | undefined {
  if (twin !== undefined) {
    return `another file, ${twin}, has a runbook of the name '${name}' too; give one of them another name`;
  }
  const owner = others.get(name)?.owner;
  return owner === undefined
    ? undefined
    : `the name '${name}' belongs to ${owner} already; give this runbook another name, or take the other one away`;
}
