import { type CommandWord, codeWordProblem } from './code-words.ts';
import { type Placeholder, placeholders, type TemplateProblem } from './template.ts';

/** `sh -c line sh <values of variables, in order>`: the values are never part of what the shell parses. */
export interface ShellLine {
  line: string;
  variables: string[];
}

type Context = 'single' | 'double' | 'backtick' | 'brace' | 'arithmetic' | 'paren';

const contextRules: Partial<Record<Context, string>> = {
  single: 'a variable inside single quotes is not expanded; take the quotes away, it is quoted by itself',
  double: 'a variable inside double quotes would end them; take the quotes away, it is quoted by itself',
  backtick: 'a variable inside backticks cannot be quoted safely; write $(…) instead',
  brace: 'a variable inside a braced expansion cannot be quoted safely; use it outside of the braces',
  arithmetic:
    'a variable inside arithmetic is evaluated as an expression; pass it to a program as an argument',
};
const commandStarters = new Set(['if', 'then', 'else', 'elif', 'do', 'while', 'until', '!', '{', '}']);

/** Turns each `{{var}}` of a shell line into `"$1"`, `"$2"`… and refuses where that would not hold it together. */
export function compileShellLine(text: string): ShellLine | { problems: TemplateProblem[] } {
  const found = placeholders(text);
  if (found.length === 0) return { line: text, variables: [] };
  const problems = new ShellScan(text, found).problems();
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

/**
 * Reads a shell line as far as it takes to know in which quotes each variable stands and which word of which
 * command it belongs to. It errs towards refusing: what it does not follow to the end is no place for a variable.
 */
class ShellScan {
  private readonly text: string;
  private readonly byStart: Map<number, Placeholder>;
  private readonly contexts: Context[] = [];
  private readonly found: TemplateProblem[] = [];
  private words: CommandWord[] = [];
  private word: CommandWord | undefined;
  private readonly outer: { words: CommandWord[]; word: CommandWord; depth: number }[] = [];
  private afterRedirect = false;
  private at = 0;

  constructor(text: string, found: readonly Placeholder[]) {
    this.text = text;
    this.byStart = new Map(found.map((placeholder) => [placeholder.start, placeholder]));
  }

  problems(): TemplateProblem[] {
    while (this.at < this.text.length) this.step();
    this.endCommand();
    return this.found;
  }

  private step(): void {
    const placeholder = this.byStart.get(this.at);
    const context = this.contexts.at(-1);
    const char = this.text[this.at];
    if (placeholder) this.takePlaceholder(placeholder);
    else if (context === 'single') this.takeUntil("'");
    else if (context === 'brace' && char === '}') this.takeUntil('}');
    else if (context === 'arithmetic' && this.text.startsWith('))', this.at)) {
      this.contexts.pop();
      this.at += 2;
    } else if (char === '\\') this.takeEscape();
    else if (char === '$') this.takeDollar();
    else if (char === '`') this.toggle('backtick');
    else if (char === '"') this.toggle('double');
    else if (context === 'double' || context === 'brace') this.take();
    else this.unquoted(char ?? '');
  }

  private unquoted(char: string): void {
    if (this.text.startsWith('<<', this.at)) {
      this.refuse('a here-document cannot hold variables safely; give them to the program as arguments');
    }
    if (char === "'") {
      this.open('single', 1);
    } else if (char === '#' && !this.word) {
      while (this.at < this.text.length && this.text[this.at] !== '\n') this.at += 1;
    } else if (char === '<' || char === '>') {
      this.endWord();
      this.afterRedirect = true;
      this.at += 1;
    } else if (char === '(') {
      if (this.text.startsWith('()', this.at))
        this.refuse('a function has a $1 of its own; write its commands out');
      this.endCommand();
      if (this.text.startsWith('((', this.at)) this.open('arithmetic', 2);
      else this.open('paren', 1);
    } else if (char === ')') {
      this.endCommand();
      if (this.contexts.at(-1) === 'paren') {
        this.contexts.pop();
        this.resumeOuter();
      }
      this.at += 1;
    } else if (/[;&|\n]/.test(char)) {
      this.endCommand();
      this.at += 1;
    } else if (/\s/.test(char)) {
      this.endWord();
      this.at += 1;
    } else {
      this.take();
    }
  }

  private takePlaceholder(placeholder: Placeholder): void {
    const context = this.contexts.find((open) => contextRules[open]);
    const rule = context && contextRules[context];
    if (rule) this.refuse(rule, placeholder.start);
    this.word ??= { text: '' };
    this.word.variableAt ??= placeholder.start;
    this.at = placeholder.end;
  }

  private takeEscape(): void {
    if (this.byStart.has(this.at + 1)) {
      this.refuse('a backslash before a variable would undo its quoting; take it away');
      this.at += 1;
      return;
    }
    this.word ??= { text: '' };
    this.word.text += this.text[this.at + 1] ?? '';
    this.at += 2;
  }

  private takeDollar(): void {
    const next = this.text[this.at + 1] ?? '';
    if (this.byStart.has(this.at + 1)) {
      this.refuse("a '$' before a variable would undo its quoting; take it away");
      this.at += 1;
    } else if (this.text.startsWith('$((', this.at)) {
      this.open('arithmetic', 3);
    } else if (next === '(') {
      this.outer.push({ words: this.words, word: this.word ?? { text: '' }, depth: this.contexts.length });
      this.words = [];
      this.word = undefined;
      this.open('paren', 2);
    } else if (next === '{') {
      if (/^\$\{[#!]?[0-9@*]/.test(this.text.slice(this.at))) this.refusePositional();
      this.open('brace', 2);
    } else if (/[0-9@*#]/.test(next)) {
      this.refusePositional();
      this.take();
    } else if (/['"]/.test(next) && this.contexts.at(-1) !== 'double') {
      this.refuse(`$${next}…${next} means different things to different shells; use plain quotes`);
      this.take();
    } else {
      this.take();
    }
  }

  /** After the `)` of a `$(…)`, the command that it stood in goes on. */
  private resumeOuter(): void {
    const outer = this.outer.at(-1);
    if (outer?.depth !== this.contexts.length) return;
    this.outer.pop();
    this.words = outer.words;
    this.word = outer.word;
  }

  private toggle(context: 'double' | 'backtick'): void {
    if (this.contexts.at(-1) === context) this.contexts.pop();
    else this.contexts.push(context);
    this.word ??= { text: '' };
    this.at += 1;
  }

  private open(context: Context, length: number): void {
    this.contexts.push(context);
    if (context === 'single' || context === 'brace') this.word ??= { text: '' };
    this.at += length;
  }

  private take(): void {
    this.word ??= { text: '' };
    this.word.text += this.text[this.at] ?? '';
    this.at += 1;
  }

  private takeUntil(closing: string): void {
    if (this.text[this.at] === closing) {
      this.contexts.pop();
      this.at += 1;
    } else {
      this.take();
    }
  }

  private endWord(): void {
    const word = this.word;
    this.word = undefined;
    if (!word) return;
    if (this.afterRedirect) {
      this.afterRedirect = false;
      return;
    }
    if (word.text === '[[') this.refuse('[[ … ]] evaluates its words in bash; write [ … ] instead');
    if (word.text === 'case') this.refuse('case … esac cannot hold variables safely; put it into a script');
    if (word.text === 'function') this.refuse('a function has a $1 of its own; write its commands out');
    if (commandStarters.has(word.text) && word.variableAt === undefined) {
      this.endWords();
      return;
    }
    this.words.push(word);
  }

  private endCommand(): void {
    this.endWord();
    this.afterRedirect = false;
    this.endWords();
  }

  private endWords(): void {
    const [program, ...rest] = this.words;
    const movesParameters = program?.text === 'shift' || rest.some((word) => !/^[-+][a-z]/i.test(word.text));
    if ((program?.text === 'set' || program?.text === 'shift') && movesParameters) this.refusePositional();
    const problem = codeWordProblem(this.words);
    if (problem) this.refuse(problem.message, problem.word.variableAt);
    this.words = [];
  }

  private refusePositional(): void {
    this.refuse('$1, $@, $# and their like are what the variables are passed in; write {{name}} instead');
  }

  private refuse(message: string, offset: number = this.at): void {
    this.found.push({ offset, message });
  }
}
