import {
  byOptionOnly,
  commandOption,
  commandOptions,
  commandReaders,
  commandVariable,
  containerPrograms,
  everydayWords,
  inputReaders,
  insideContainer,
  interpreterOf,
  plainPrograms,
  programName,
  runsInside,
  shellStateCommands,
  type Wrapper,
  wrapperOf,
} from './command-programs.ts';
import { type CommandWord, hole, isVariable, type WordProblem } from './command-word.ts';
import { readInterpreter } from './interpreter-words.ts';
import { wrappedPrograms } from './wrapped-program.ts';

/** What surrounds a command. */
export interface CommandSurroundings {
  /** Its input may hold what a variable holds. */
  input?: boolean;
  /** What a shell script that is given variables as its parameters does with them, if that is to run them. */
  scriptProblem: (script: string, input: boolean) => string | undefined;
  /** A shell script's functions have parameters of their own, which may be commands. */
  functions?: boolean;
}

const assignment = /^[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]\0]*\])?\+?=/;

/**
 * Why a variable in this command, or in what comes by its input, would be read as code, or undefined. A value stays
 * one argument, which is no help where the program takes that argument for a program: `sh -c {{x}}`,
 * `ssh host {{x}}`, `sudo {{x}}`. A program that is not known may run any word that names a program which is.
 */
export function codeWordProblem(
  words: readonly CommandWord[],
  surroundings: CommandSurroundings,
): { word: CommandWord; message: string } | undefined {
  const variable = words.findIndex(isVariable);
  if (variable === -1 && !surroundings.input) return undefined;
  const setting = words.find((word) => isVariable(word) && commandVariable.test(word.text));
  if (setting) {
    const name = setting.text.slice(0, setting.text.indexOf('='));
    return { word: setting, message: `programs read '${name}' to find what to run; write its value out` };
  }
  const start = words.findIndex((word) => !assignment.test(word.text));
  if (start === -1) return undefined;
  const problem = new CommandReading(words, surroundings).from(start);
  const word = problem && (words[problem.index] ?? words.at(-1));
  return word && { word, message: problem.message };
}

class CommandReading {
  private readonly words: readonly CommandWord[];
  private readonly surroundings: CommandSurroundings;
  private readonly filled: boolean;
  private readonly seen = new Set<number>();

  /** `filled`: the words of find or xargs already stand where their {} stood. */
  constructor(words: readonly CommandWord[], surroundings: CommandSurroundings, filled = false) {
    this.words = words;
    this.surroundings = surroundings;
    this.filled = filled;
  }

  /** What is wrong if the word at `start` is a program, and those behind it are its own. */
  from(start: number, behind?: string): WordProblem | undefined {
    const word = this.words[start];
    if (!word || this.seen.has(start)) return undefined;
    this.seen.add(start);
    if (isVariable(word)) {
      if (this.surroundings.functions && !behind) return undefined;
      const message = behind
        ? `'${behind}' runs what stands here, and a variable cannot name the program to run; write the program itself`
        : 'a variable cannot name the program to run; write the program itself';
      return { index: start, message };
    }
    const name = programName(word.text);
    return this.ownWords(start, name) ?? this.otherPrograms(start, name);
  }

  private ownWords(start: number, name: string): WordProblem | undefined {
    const later = this.words.findIndex((word, index) => index > start && isVariable(word));
    if (later !== -1 && commandReaders.has(name)) {
      return {
        index: later,
        message: `'${name}' reads its arguments as commands, so a value could become one; call the program that does the work as a list, or pass the value to a script by args`,
      };
    }
    if (later !== -1 && shellStateCommands.has(name)) {
      return {
        index: later,
        message: `'${name}' cannot take variables; pass the value to a script by args instead`,
      };
    }
    if (this.surroundings.input && inputReaders.has(name)) return this.readsInput(start, name);
    return this.commandOption(start, name);
  }

  /** `tar --to-command={{x}}`, `rsync -e {{x}}` */
  private commandOption(start: number, name: string): WordProblem | undefined {
    const option = commandOptions.get(name) ?? (plainPrograms.has(name) ? undefined : commandOption);
    if (!option) return undefined;
    for (const [index, { text }] of this.words.entries()) {
      if (index <= start || !isVariable(this.words[index])) continue;
      const written = text.split(/[=\0]/, 1)[0] ?? '';
      const before = this.words[index - 1]?.text ?? '';
      const open = [written, ...(index - 1 > start ? [before] : [])].find((text) => option.test(text));
      if (open !== undefined || written === '-' || written === '--') {
        const shown = open ?? written;
        return {
          index,
          message: `'${name} ${shown}' takes a command, or the way to one, and a value could become that; write it out`,
        };
      }
    }
    return undefined;
  }

  private otherPrograms(start: number, name: string): WordProblem | undefined {
    const interpreter = interpreterOf(name);
    const wrapper = wrapperOf(name);
    const named =
      name !== 'runuser' ||
      this.words.slice(start + 1).some(({ text }) => /^(?:-[lmpfPT]*u|--user)/.test(text));
    if (interpreter || !named) return this.interpreted(start, name, !named);
    if (
      name === 'env' &&
      this.words.some(({ text }, index) => index > start && /^(?:-[i0v]*S|--sp)/.test(text))
    ) {
      return this.refuseLater(
        start,
        `'env -S' makes words of its own, so a value could become the program; write them as a list`,
      );
    }
    // command -v says where a program is
    if (name === 'command' && /^-p?[vV]/.test(this.words[start + 1]?.text ?? '')) return undefined;
    if (name === 'xargs') return this.byXargs(start);
    if (wrapper) return this.wrapped(start, name, wrapper);
    if (name === 'find') return this.byFind(start);
    if (containerPrograms.has(name)) return this.inContainers(start, name);
    if (plainPrograms.has(name)) return undefined;
    return this.unknown(start);
  }

  private interpreted(start: number, name: string, byOption: boolean): WordProblem | undefined {
    const interpreter = (byOption ? undefined : interpreterOf(name)) ?? byOptionOnly;
    const reading = readInterpreter(this.words, start, name, interpreter);
    if ('problem' in reading) return reading.problem;
    if (reading.fromInput && this.surroundings.input) return this.readsInput(start, name);
    const { script } = reading;
    const input = this.surroundings.input ?? false;
    const given = this.words.findIndex((word, index) => index > (script ?? 0) && isVariable(word));
    if (script === undefined || (given === -1 && !input)) return undefined;
    const problem = this.surroundings.scriptProblem(this.words[script]?.text ?? '', input);
    return problem === undefined
      ? undefined
      : {
          index: given === -1 ? script : given,
          message: `the script that '${name}' is given here: ${problem}`,
        };
  }

  private readsInput(index: number, name: string): WordProblem {
    return {
      index,
      message: `'${name}' runs what comes by its input, and a value is part of that; give it a script, and the value as an argument of it`,
    };
  }

  private refuseLater(start: number, message: string): WordProblem | undefined {
    const index = this.words.findIndex((word, at) => at > start && isVariable(word));
    return index === -1 ? undefined : { index, message };
  }

  private wrapped(start: number, name: string, wrapper: Wrapper): WordProblem | undefined {
    const found = wrappedPrograms(this.words, start + 1, name, wrapper);
    if ('problem' in found) return found.problem;
    const { programs } = found;
    const own = this.words.slice(start + 1, programs[0]);
    if (wrapper.code && own.some(({ text }) => /^(?:-[A-Za-z]*c|--com)/.test(text))) {
      const ofCode = this.interpreted(start, name, true);
      if (ofCode) return ofCode;
    }
    if (name === 'ssh' && programs.length === 0 && this.surroundings.input)
      return this.readsInput(start, name);
    return first(programs, (index) => this.from(index, name));
  }

  /** xargs puts words of its input behind the program's, or where its {} stands. */
  private byXargs(start: number): WordProblem | undefined {
    const wrapper = wrapperOf('xargs') ?? {};
    if (!this.surroundings.input) return this.wrapped(start, 'xargs', wrapper);
    const replaced = this.words.flatMap(({ text }, index) => {
      if (index <= start) return [];
      const option = /^(?:-[0rtpxo]*[IiJ]|--replace=?)(.*)$/.exec(text);
      if (!option) return [];
      const next = /^-[0rtpxo]*[IJ]$/.test(text) ? this.words[index + 1]?.text : undefined;
      return [option[1] || next || '{}'];
    });
    const words = this.words.map((word, index) => (index > start ? withHoles(word, replaced) : word));
    // what comes by the input has the place of the last word
    const value: CommandWord = { text: hole, variableAt: this.words.at(-1)?.variableAt ?? 0 };
    const inner = { ...this.surroundings, input: false };
    return new CommandReading([...words, value], inner, true).wrapped(start, 'xargs', wrapper);
  }

  /** The program behind -exec is given names that begin with find's own words. */
  private byFind(start: number): WordProblem | undefined {
    const reading = this.filled
      ? this
      : new CommandReading(
          this.words.map((word, index) => (index > start ? withHoles(word, ['{}']) : word)),
          this.surroundings,
          true,
        );
    const programs = this.words.flatMap(({ text }, index) =>
      index > start && /^-(?:exec|ok)(?:dir)?$/.test(text) ? [index + 1] : [],
    );
    const unclear = this.words.findIndex(({ text }, index) => index > start && /^-[a-z]*\0/.test(text));
    if (unclear !== -1)
      return {
        index: unclear,
        message: `a variable cannot be an option of 'find', which may run programs; write the option out`,
      };
    return first(programs, (index) => reading.from(index, 'find'));
  }

  private inContainers(start: number, name: string): WordProblem | undefined {
    const verbs = this.words.flatMap(({ text }, index) =>
      index > start && runsInside.has(text) ? [index] : [],
    );
    const unclear = this.words[start + 1];
    if (unclear && isVariable(unclear)) {
      return {
        index: start + 1,
        message: `a variable cannot say what '${name}' does, for it may run programs; write that out`,
      };
    }
    const remote = this.words.findIndex(({ text }, index) => index > start && text === 'ssh');
    const onAnother = remote === -1 ? undefined : this.ownWords(remote, 'ssh');
    if (onAnother) return onAnother;
    return first(verbs, (index) =>
      this.wrapped(
        index,
        `${name} ${this.words[index]?.text}`,
        name === 'npm' || name === 'bundle' || name === 'poetry' ? {} : insideContainer,
      ),
    );
  }

  /** Each word of a program that is not known may be the program that it runs. */
  private unknown(start: number): WordProblem | undefined {
    for (let index = start + 1; index < this.words.length; index += 1) {
      const word = this.words[index];
      if (!word || isVariable(word)) continue;
      const name = programName(word.text);
      if (everydayWords.has(name)) continue;
      const known =
        interpreterOf(name) ||
        wrapperOf(name) ||
        commandReaders.has(name) ||
        containerPrograms.has(name) ||
        name === 'find';
      const problem = known ? this.from(index) : undefined;
      const insideProblem =
        problem ?? (word.text === 'exec' ? this.wrapped(index, word.text, insideContainer) : undefined);
      if (insideProblem) return insideProblem;
    }
    return undefined;
  }
}

function withHoles(word: CommandWord, replaced: readonly string[]): CommandWord {
  const text = replaced.reduce((text, one) => text.replaceAll(one, hole), word.text);
  return text === word.text ? word : { ...word, text, variableAt: word.variableAt ?? 0 };
}

function first<T>(
  items: readonly T[],
  problem: (item: T) => WordProblem | undefined,
): WordProblem | undefined {
  for (const item of items) {
    const found = problem(item);
    if (found) return found;
  }
  return undefined;
}
