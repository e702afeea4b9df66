import { codeWordProblem } from './code-words.ts';
import { type CommandWord, hole, isVariable } from './command-word.ts';
import type { Placeholder, TemplateProblem } from './template.ts';

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
const groupStarters = new Set(['if', 'while', 'until', '{']);
const groupEnds = new Set(['fi', 'done', '}', 'esac']);
const loops = new Set(['for', 'select']);

/** The commands of a line, or of a group of them, which share their input and output. */
interface Group {
  /** What a variable holds may come by the input. */
  input: boolean;
  /** The next command is behind a pipe. */
  piped: boolean;
  /** There was a variable in this pipeline, in any of the group's commands. */
  inPipeline: boolean;
  inGroup: boolean;
}

interface ScanStart {
  /** Names of the shell's own variables that may hold what a variable holds. */
  holders: ReadonlySet<string>;
  /** The text is a script that gets variables as its parameters, by its input or both. */
  script?: { input: boolean };
  scriptProblem: (script: string, input: boolean) => string | undefined;
}

/**
 * Reads a shell line as far as it takes to know in which quotes each variable stands and which word of which
 * command it belongs to. It errs towards refusing: what it does not follow to the end is no place for a variable.
 */
export class ShellScan {
  private readonly text: string;
  private readonly byStart: Map<number, Placeholder>;
  private readonly contexts: Context[] = [];
  private readonly found: TemplateProblem[] = [];
  private words: CommandWord[] = [];
  private word: CommandWord | undefined;
  private readonly outer: { words: CommandWord[]; word: CommandWord; depth: number; input: boolean }[] = [];
  private readonly groups: Group[];
  /** How many groups there were before each of the parentheses that are open. */
  private readonly parentheses: number[] = [];
  /** '<': the word behind is the input itself. */
  private afterRedirect: '' | '<' | '>' = '';
  /** `&>` was read: bash goes on with the command, other shells begin a new one. */
  private perhapsEnded = false;
  private redirectedVariable = false;
  private redirectedInput = false;
  private at = 0;
  private readonly scriptProblem: ScanStart['scriptProblem'];
  private readonly script: { input: boolean } | undefined;
  readonly holders: Set<string>;

  constructor(text: string, found: readonly Placeholder[], start: ScanStart) {
    this.text = text;
    this.holders = new Set(start.holders);
    this.script = start.script;
    this.scriptProblem = start.scriptProblem;
    this.groups = [{ input: start.script?.input ?? false, piped: false, inPipeline: false, inGroup: false }];
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
      this.takeRedirect(char);
    } else if (char === '&' && this.text[this.at + 1] === '>') {
      this.endWord();
      // the words so far may be all of the command
      this.endProgram(this.words.slice(1));
      this.perhapsEnded = true;
      this.at += 1;
    } else if (char === '(') {
      if (this.text.startsWith('()', this.at))
        this.refuse('a function has a $1 of its own; write its commands out');
      this.endCommand();
      if (this.text.startsWith('((', this.at)) this.open('arithmetic', 2);
      else this.openParenthesis(1);
    } else if (char === ')') {
      this.endCommand();
      if (this.contexts.at(-1) === 'paren') {
        this.contexts.pop();
        this.resumeOuter(this.endGroups(this.parentheses.pop() ?? 1));
      }
      this.at += 1;
    } else if (/[;&|\n]/.test(char)) {
      this.endCommand();
      const operator = /^(?:\|\||&&|\|&|.|\n)/.exec(this.text.slice(this.at))?.[0] ?? char;
      const group = this.group();
      group.piped = operator === '|' || operator === '|&';
      if (!group.piped) group.inPipeline = false;
      this.at += operator.length;
    } else if (/[ \t]/.test(char)) {
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
    this.takeHole(placeholder.start);
    this.at = placeholder.end;
  }

  private takeHole(offset: number): void {
    this.word ??= { text: '' };
    this.word.text += hole;
    this.word.variableAt ??= offset;
    if (this.perhapsEnded && this.afterRedirect === '') {
      this.refuse(
        "'&>' ends the command in some shells, so a variable behind it could become the program; write '>file 2>&1'",
        offset,
      );
    }
  }

  private takeRedirect(char: '<' | '>'): void {
    // 2>&1: the number is part of the operator where nothing stands between, and nothing is quoted
    const own = /(?:^|[\s;&|()])(\d+|\{\w+\})$/.exec(this.text.slice(0, this.at))?.[1];
    if (own !== undefined && this.word?.text === own) this.word = undefined;
    this.endWord();
    const operator = /^(?:<<<|<<-?|<&|<>|>>|>&|>\||[<>])/.exec(this.text.slice(this.at))?.[0] ?? char;
    this.at += operator.length;
    if (this.text[this.at] === '(') {
      this.refuse(`'${operator}(' is known to some shells alone; write the command in front of a pipe`);
    }
    this.afterRedirect = operator === '<<<' ? '<' : '>';
  }

  private group(): Group {
    const group = this.groups.at(-1);
    if (!group) throw new Error('a shell line has one group at least');
    return group;
  }

  /** Whether what a variable holds may come by the input of the command that is read. */
  private input(): boolean {
    const { input, piped, inPipeline } = this.group();
    return input || (piped && inPipeline) || this.redirectedInput;
  }

  private beginGroup(input = this.input()): void {
    this.groups.push({ input, piped: false, inPipeline: false, inGroup: false });
  }

  /** Ends groups until `left` are left, and says whether there were variables in them. */
  private endGroups(left: number): boolean {
    let variables = false;
    while (this.groups.length > Math.max(left, 1)) {
      variables = this.groups.pop()?.inGroup || variables;
      const group = this.group();
      group.inPipeline ||= variables;
      group.inGroup ||= variables;
    }
    return variables;
  }

  private openParenthesis(length: number): void {
    this.parentheses.push(this.groups.length);
    this.beginGroup();
    this.open('paren', length);
  }

  private takeEscape(): void {
    if (this.byStart.has(this.at + 1)) {
      this.refuse('a backslash before a variable would undo its quoting; take it away');
      this.at += 1;
      return;
    }
    // a line that goes on: the shell takes both characters out
    if (this.text[this.at + 1] !== '\n') {
      this.word ??= { text: '' };
      this.word.text += this.text[this.at + 1] ?? '';
    }
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
      const depth = this.contexts.length;
      const word = this.word ?? { text: '' };
      this.outer.push({ words: this.words, word, depth, input: this.redirectedInput });
      this.markSplit(word);
      this.words = [];
      this.word = undefined;
      this.openParenthesis(2);
      this.redirectedInput = false;
    } else if (next === '{') {
      if (/^\$\{[#!]?[0-9@*]/.test(this.text.slice(this.at))) this.refusePositional();
      this.takeParameter(/^\$\{!?(\w+|[@*])/);
      this.open('brace', 2);
    } else if (/[0-9@*#]/.test(next)) {
      this.refusePositional();
      this.takeParameter(/^\$([0-9@*])/);
      this.take();
      this.take();
    } else if (/\w/.test(next)) {
      this.takeParameter(/^\$(\w+)/);
      this.take();
    } else if (/['"]/.test(next) && this.contexts.at(-1) !== 'double') {
      this.refuse(`$${next}…${next} means different things to different shells; use plain quotes`);
      this.take();
    } else {
      this.take();
    }
  }

  /** A parameter of the script, or a variable of the shell: it may hold what a variable holds. */
  private takeParameter(pattern: RegExp): void {
    const name = pattern.exec(this.text.slice(this.at))?.[1] ?? '';
    const indirect = /^\$\{(?:!|\w+@P)/.test(this.text.slice(this.at)) && this.holders.has(name);
    if (indirect)
      this.report('bash may run what stands in a name that is itself looked up; write the name out');
    const positional = this.script !== undefined && /^(?:[1-9@*]|\d\d+)$/.test(name);
    this.word ??= { text: '' };
    this.markSplit(this.word);
    if (!positional && !this.holders.has(name)) return;
    if (positional && this.contexts.includes('arithmetic')) {
      this.report(
        'a shell evaluates what stands in arithmetic, and bash runs what it finds there; calculate with a program such as awk',
        this.at,
      );
    }
    this.takeHole(this.at);
    this.word.splits = this.contexts.at(-1) !== 'double';
  }

  private markSplit(word: CommandWord): void {
    if (word.text === '' && this.contexts.at(-1) !== 'double') word.splits = true;
  }

  /** After the `)` of a `$(…)`, the command that it stood in goes on, with what came out of the commands inside. */
  private resumeOuter(variables: boolean): void {
    const outer = this.outer.at(-1);
    if (outer?.depth !== this.contexts.length) return;
    this.outer.pop();
    this.words = outer.words;
    this.word = outer.word;
    this.redirectedInput = outer.input;
    if (!variables) return;
    this.takeHole(this.at);
    if (this.contexts.at(-1) !== 'double') this.word.splits = true;
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
      if (isVariable(word)) this.redirectedVariable = true;
      if (isVariable(word) && this.afterRedirect === '<') this.redirectedInput = true;
      this.afterRedirect = '';
      return;
    }
    const held = isVariable(word) ? /^([A-Za-z_]\w*)(?:\[.*\])?\+?=/s.exec(word.text)?.[1] : undefined;
    if (held) this.holders.add(held);
    const begins = this.words.length === 0 && !isVariable(word);
    if (begins && groupEnds.has(word.text)) {
      this.endGroups(this.groups.length - 1);
      return;
    }
    if (begins && (groupStarters.has(word.text) || loops.has(word.text))) this.beginGroup();
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
    this.afterRedirect = '';
    this.endWords();
    this.perhapsEnded = false;
    this.redirectedVariable = false;
    this.redirectedInput = false;
  }

  private endWords(): void {
    const [program, ...rest] = this.words;
    const movesParameters = program?.text === 'shift' || rest.some((word) => !/^[-+][a-z]/i.test(word.text));
    if ((program?.text === 'set' || program?.text === 'shift') && movesParameters) this.refusePositional();
    if (this.words.some(isVariable) || this.redirectedVariable) {
      const group = this.group();
      group.inPipeline = true;
      group.inGroup = true;
    }
    if (program && loops.has(program.text)) this.beginLoop(rest);
    else if (program?.text !== 'case') this.endProgram(rest);
    this.words = [];
  }

  /** `for name in {{x}}`, and in a script `for name` */
  private beginLoop([name, ...list]: readonly CommandWord[]): void {
    if (name && (list.some(isVariable) || (this.script && list.length === 0))) this.holders.add(name.text);
  }

  private endProgram(rest: readonly CommandWord[]): void {
    const input = this.input();
    const reader = this.words.findIndex(({ text }) => /^(?:read|mapfile|readarray)$/.test(text));
    if (input && reader !== -1) {
      for (const { text } of this.words.slice(reader + 1))
        if (/^[A-Za-z_]\w*$/.test(text)) this.holders.add(text);
      this.holders.add('REPLY').add('MAPFILE');
    }
    const printed = this.words.findIndex(({ text }) => text === '-v');
    const target = this.words[printed + 1]?.text;
    if (this.words[0]?.text === 'printf' && printed !== -1 && target && rest.some(isVariable))
      this.holders.add(target);
    const compared = rest.some(({ text }) => /^-(?:eq|ne|lt|le|gt|ge|v)$/.test(text));
    if (this.words[0]?.text === '[[' && compared && rest.some(isVariable)) {
      this.report(
        '[[ … ]] evaluates numbers in bash, and runs what it finds there; write [ … ] instead',
        this.at,
      );
    }
    const functions = this.script !== undefined && /\(\s*\)/.test(this.text);
    const problem = codeWordProblem(this.words, {
      input,
      scriptProblem: this.scriptProblem,
      functions,
    });
    if (problem) this.report(problem.message, problem.word.variableAt);
  }

  private refusePositional(): void {
    this.refuse('$1, $@, $# and their like are what the variables are passed in; write {{name}} instead');
  }

  /** What holds for {{variables}} alone: a script's own parameters may stand where these may not. */
  private refuse(message: string, offset: number = this.at): void {
    if (!this.script) this.report(message, offset);
  }

  private report(message: string, offset: number = this.at): void {
    this.found.push({ offset, message });
  }
}
