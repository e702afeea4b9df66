import { codeWordProblem } from './code-words.ts';
import { type CommandWord, hole } from './command-word.ts';
import { ShellScan } from './shell-scan.ts';
import { type Placeholder, placeholders, type TemplateProblem } from './template.ts';

/** `sh -c line sh <values of variables, in order>`: the values are never part of what the shell parses. */
export interface ShellLine {
  line: string;
  variables: string[];
}

/** Turns each `{{var}}` of a shell line into `"$1"`, `"$2"`… and refuses where that would not hold it together. */
export function compileShellLine(text: string): ShellLine | { problems: TemplateProblem[] } {
  const found = placeholders(text);
  if (found.length === 0) return { line: text, variables: [] };
  const problems = scanned(text, found);
  if (problems.length > 0) return { problems };
  const variables = [...new Set(found.map(({ name }) => name))];
  let line = '';
  let at = 0;
  for (const { name, start, end } of found) {
    line += `${text.slice(at, start)}"\${${variables.indexOf(name) + 1}}"`;
    at = end;
  }
  return { line: line + text.slice(at), variables };
}

/** Why a variable among the words of a program that is run without a shell would be read as code, or undefined. */
export function argvProblem(argv: readonly string[]): { index: number; message: string } | undefined {
  const words = argv.map((word): CommandWord => {
    const found = placeholders(word);
    const variableAt = found[0]?.start;
    const text = found.reduceRight(
      (text, { start, end }) => text.slice(0, start) + hole + text.slice(end),
      word,
    );
    return variableAt === undefined ? { text } : { text, variableAt };
  });
  const problem = codeWordProblem(words, { scriptProblem });
  return problem && { index: words.indexOf(problem.word), message: problem.message };
}

/** What a shell script does with its parameters, or its input, that would run them. */
function scriptProblem(script: string, input: boolean): string | undefined {
  // the text between a here-document's marks is no command, but it is the input of one
  const text = script.replaceAll(
    /<<-?[ \t]*(['"]?)(\w+)\1([^\n]*\n)([\s\S]*?\n)??[ \t]*\2(?=\n|$)/g,
    (_, quote: string, __, rest: string, body = '') =>
      quote === '' && /[$`]/.test(body) ? `<<< "$1" ${rest}` : `< x ${rest}`,
  );
  return scanned(text, [], { input })[0]?.message;
}

function scanned(
  text: string,
  found: readonly Placeholder[],
  script?: { input: boolean },
): TemplateProblem[] {
  let holders: ReadonlySet<string> = new Set(script ? ['_', 'OPTARG'] : ['_']);
  for (;;) {
    const scan = new ShellScan(text, found, { holders, scriptProblem, ...(script && { script }) });
    const problems = scan.problems();
    // a loop may use at its beginning what is set at its end
    if (problems.length > 0 || scan.holders.size === holders.size) return problems;
    holders = scan.holders;
  }
}
