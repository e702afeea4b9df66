/** What one word of a command is to the program that reads it. */
export interface Code {
  text: string;
  /** `shell`: taken apart like any line; `other`: only its words are looked at. */
  language: 'shell' | 'other';
  /** Whether an allow list has to name its commands too, and not only the program that reads them. */
  asked: boolean;
}

const shells = /^(?:ba|da|a|z|k|mk|c|tc|fi)?sh$/;
const otherInterpreters = /^(?:python[\d.]*|perl|ruby|node|php|lua|psql|mysql)$/;
const textPrograms = /^(?:sed|[gm]?awk)$/;
/** Their words are commands, here or on another machine. */
const readers = /^(?:ssh|watch|parallel|xargs)$/;
const moreReaders = new Set(['eval', 'trap', 'env', 'su', 'runuser']);
/** A command with more of them means no good, and looking at each takes long. */
const mostInterpreters = 20;

/** The code among the words of a command, which runs the word at `programAt`. */
export function codeIn(words: readonly string[], programAt: number): Code[] {
  const at = words.flatMap((word, index) => (readsCode(baseName(word)) ? [index] : []));
  const code = at
    .slice(0, mostInterpreters)
    .flatMap((index) => codeBehind(words, index, index === programAt));
  // the words behind the first reader hold those of the next ones, which are found when they are taken apart
  const joined = code.find(({ rest }) => rest);
  return code.filter((one) => (one.text !== '' && !one.rest) || one === joined);
}

function codeBehind(words: readonly string[], at: number, isProgram: boolean): (Code & { rest?: true })[] {
  const name = baseName(words[at] ?? '');
  const behind = words.slice(at + 1);
  if (shells.test(name)) return [{ text: shellCode(behind), language: 'shell', asked: true }];
  if (name === 'trap') return [{ text: behind[0] ?? '', language: 'shell', asked: isProgram }];
  if (name === 'eval') return [{ text: behind.join(' '), language: 'shell', asked: isProgram, rest: true }];
  if (readers.test(name)) return [{ text: behind.join(' '), language: 'shell', asked: false, rest: true }];
  if (name === 'env')
    return splitByEnv(behind).map((text) => ({ text, language: 'shell', asked: false, rest: true }));
  if (name === 'su' || name === 'runuser') {
    return [{ text: codeOfUser(behind), language: 'shell', asked: false }];
  }
  const texts = textPrograms.test(name) ? behind.filter((word) => !word.startsWith('-')) : otherCode(behind);
  return texts.map((text) => ({ text, language: 'other', asked: false }));
}

/** Who reads what comes by its input as code. */
export function readsInput(words: readonly string[]): Code['language'] | undefined {
  const names = words.map(baseName);
  if (names.some((name) => shells.test(name) || readers.test(name))) return 'shell';
  return names.some((name) => otherInterpreters.test(name)) ? 'other' : undefined;
}

export function baseName(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1);
}

function readsCode(name: string): boolean {
  return (
    [shells, otherInterpreters, textPrograms, readers].some((names) => names.test(name)) ||
    moreReaders.has(name)
  );
}

/** The first word that is no option, where one of the options is -c; else ''. */
function shellCode(words: readonly string[]): string {
  let coded = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const glued = /^--command=(.*)$/s.exec(word)?.[1];
    if (glued !== undefined) return glued;
    const operand = word === '--' ? words[at + 1] : /^[-+]./.test(word) ? undefined : word;
    if (word === '--' || operand !== undefined) return (coded && operand) || '';
    coded ||= /^-[A-Za-z]*c/.test(word) || word === '--command';
    // these have a value
    if (/^(?:[-+][A-Za-z]*[oO]|--rcfile|--init-file)$/.test(word)) at++;
  }
  return '';
}

function otherCode(words: readonly string[]): string[] {
  return words.flatMap((word, at) => {
    if (/^(?:-[A-Za-z]*[ceErp]|--(?:command|eval|execute|print))$/.test(word))
      return words.slice(at + 1, at + 2);
    return /^(?:-[ceErp]|--(?:command|eval|execute|print)=)(.+)$/s.exec(word)?.slice(1) ?? [];
  });
}

function codeOfUser(words: readonly string[]): string {
  const at = words.findIndex((word) => /^(?:-c|--(?:session-)?command(?:=|$))/.test(word));
  if (at < 0) return '';
  return /^(?:-c|--[a-z-]+=)(.+)$/s.exec(words[at] ?? '')?.[1] ?? words[at + 1] ?? '';
}

/** `env -S 'a b'` makes words out of one. */
function splitByEnv(words: readonly string[]): string[] {
  const split = /^(?:-[A-Za-z]*S|--split-string=?)/;
  const option = words.findIndex((word) => split.test(word));
  if (option < 0) return [];
  return [[(words[option] ?? '').replace(split, ''), ...words.slice(option + 1)].join(' ')];
}
