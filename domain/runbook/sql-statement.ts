import { type Placeholder, placeholders, type TemplateProblem, valueFor } from './template.ts';

/** A statement with bind parameters in the places of its variables, in order. */
export interface BoundStatement {
  text: string;
  variables: string[];
}

/** Each `{{var}}` becomes a parameter of its own: one parameter could have two types in two places. */
export function compileStatement(text: string): BoundStatement | { problems: TemplateProblem[] } {
  const found = placeholders(text);
  const problems = [...statementProblems(text, found)];
  if (problems.length > 0) return { problems };
  let bound = '';
  let at = 0;
  for (const [index, { start, end }] of found.entries()) {
    bound += `${text.slice(at, start)}$${index + 1}`;
    at = end;
  }
  return { text: bound + text.slice(at), variables: found.map(({ name }) => name) };
}

export function bindStatement(
  text: string,
  values: Readonly<Record<string, string>>,
): { text: string; parameters: string[] } {
  const compiled = compileStatement(text);
  if ('problems' in compiled) {
    throw new RangeError(compiled.problems.map(({ message }) => message).join('; '));
  }
  return { text: compiled.text, parameters: compiled.variables.map((name) => valueFor(values, name)) };
}

const transactionCommand =
  /^(?:begin|start|commit|end|rollback|abort|prepare\s+transaction|set\s+(?:session\s+|local\s+)?(?:transaction|characteristics))\b/i;

/** Whether the statement, behind its comments, begins, ends or changes a transaction. */
export function controlsTransaction(text: string): boolean {
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at += 1;
    if (text.startsWith('/*', at)) at = endOfComment(text, at);
    else if (text.startsWith('--', at)) at += matchAt(/[^\n]*/y, text, at).length;
    else return transactionCommand.test(text.slice(at));
  }
}

/** What is quoted or commented out in PostgreSQL's grammar, each up to its end or the end of the text. */
const quoted: readonly { begins: RegExp; ends: (opened: string) => RegExp; what: string }[] = [
  { begins: /[eE]'/y, ends: () => /(?:\\[\s\S]|''|[^'\\])*'/y, what: 'quotes' },
  { begins: /'/y, ends: () => /(?:''|[^'])*'/y, what: 'quotes' },
  { begins: /"/y, ends: () => /(?:""|[^"])*"/y, what: 'double quotes' },
  { begins: /--/y, ends: () => /[^\n]*(?:\n|$)/y, what: 'a comment' },
  {
    begins: /\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$/y,
    ends: (opened) => new RegExp(`[\\s\\S]*?${opened.replaceAll('$', '\\$')}`, 'y'),
    what: 'dollar quotes',
  },
];

function* statementProblems(text: string, found: readonly Placeholder[]): Generator<TemplateProblem> {
  const isEscapeWord = (at: number) => at > 0 && /[A-Za-z0-9_$]/.test(text[at - 1] ?? '');
  const byStart = new Map(found.map((placeholder) => [placeholder.start, placeholder]));
  const ahead = [...found];
  let at = 0;
  let previous = '';
  while (at < text.length) {
    const placeholder = byStart.get(at);
    if (placeholder) {
      if (/[A-Za-z0-9_$"'.]/.test(previous) || /[A-Za-z0-9_$"'(]/.test(text[placeholder.end] ?? '')) {
        yield {
          offset: at,
          message:
            'a variable is a value of its own in SQL, no part of a name; leave space around it, and write names of tables and columns out',
        };
      }
      at = placeholder.end;
      previous = ' ';
      continue;
    }
    if (text.startsWith('/*', at)) {
      const end = endOfComment(text, at);
      yield* insideProblems(ahead, at, end, 'a comment');
      at = end;
      previous = ' ';
      continue;
    }
    const opening = quoted.find(({ begins }) => {
      begins.lastIndex = at;
      return begins.test(text) && !(begins.source.startsWith('[eE]') && isEscapeWord(at));
    });
    if (opening && !(text[at] === '$' && isEscapeWord(at))) {
      const opened = matchAt(opening.begins, text, at);
      const rest = matchAt(opening.ends(opened), text, at + opened.length);
      const end =
        rest === '' && opening.what !== 'a comment' ? text.length : at + opened.length + rest.length;
      if (rest === '' && opening.what !== 'a comment') {
        yield { offset: at, message: `${opening.what} begin here and do not end; close them` };
      }
      yield* insideProblems(ahead, at, end, opening.what);
      previous = text[end - 1] ?? '';
      at = end;
      continue;
    }
    const char = text[at] ?? '';
    if (char === '\0') yield { offset: at, message: 'a statement cannot hold NUL; take it out' };
    if (char === '$' && /\d/.test(text[at + 1] ?? '')) {
      yield { offset: at, message: '$1 and its like are what the variables become; write {{name}} instead' };
    }
    if (char === ';' && text.slice(at + 1).trim() !== '') {
      yield {
        offset: at,
        message: 'one statement each: make it two items of the list (they run in one transaction)',
      };
      return;
    }
    previous = char;
    at += 1;
  }
}

/** Those of `found` that begin in a range. Ranges come in the order of the text: what lies before one is done. */
function* insideProblems(
  found: Placeholder[],
  from: number,
  to: number,
  what: string,
): Generator<TemplateProblem> {
  const next = found.findIndex(({ start }) => start >= from);
  found.splice(0, next === -1 ? found.length : next);
  for (const { start } of found) {
    if (start >= to) return;
    yield {
      offset: start,
      message: `a variable inside ${what} would be text of the statement; take it out of there, it is a bind parameter by itself (e.g. like '%' || {{name}} || '%')`,
    };
  }
}

/** Comments nest in PostgreSQL. */
function endOfComment(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('/*', at)) {
      depth += 1;
      at += 1;
    } else if (text.startsWith('*/', at)) {
      depth -= 1;
      at += 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}
