/** A program that runs the program behind it, so that an allow list asks for that one. */
interface Wrapper {
  /** Options that stand alone. */
  alone?: RegExp;
  /** Options with a value in the next word. */
  valued?: RegExp;
  /** What stands between the options and the program. */
  operand?: RegExp;
  assignments?: true;
}

/** Only with options that are known here: else the wrapper itself is the program that an allow list has to name. */
const wrappers = new Map<string, Wrapper>([
  ['sudo', { alone: /^-[nEHSkb]+$/, valued: /^-[nEHSkb]*[ug]$/, assignments: true }],
  ['env', { alone: /^-i?$/, valued: /^-u$/, assignments: true }],
  ['nice', { alone: /^-(?:n?-?\d+)$/, valued: /^-n$/ }],
  ['timeout', { alone: /^--(?:foreground|preserve-status)$/, valued: /^-[ks]$/, operand: /^[\d.]+[smhd]?$/ }],
  ['setsid', { alone: /^-[fwc]+$/ }],
  ['time', { alone: /^-p$/ }],
  // `command -v` only says where it is
  ['command', { alone: /^-[pvV]+$/ }],
  ['nohup', {}],
  ['exec', {}],
]);

const assignment = /^[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=/;

export function isAssignment(word: string): boolean {
  return assignment.test(word);
}

/** Where the program stands that is run in the end, and which words before it set variables for it. */
export function behindWrappers(words: readonly string[]): { programAt: number; assignments: string[] } {
  let programAt = 0;
  const assignments: string[] = [];
  for (;;) {
    const wrapper = wrappers.get(words[programAt] ?? '');
    const behind = wrapper && behindOne(wrapper, words, programAt + 1);
    if (!wrapper || behind === undefined) return { programAt, assignments };
    if (wrapper.assignments) assignments.push(...words.slice(programAt, behind).filter(isAssignment));
    programAt = behind;
  }
}

function behindOne(wrapper: Wrapper, words: readonly string[], from: number): number | undefined {
  let at = from;
  for (; /^-/.test(words[at] ?? ''); at++) {
    const word = words[at] ?? '';
    if (word === '--') {
      at++;
      break;
    }
    if (wrapper.alone?.test(word)) continue;
    if (!wrapper.valued?.test(word)) return undefined;
    at++;
  }
  while (wrapper.assignments && isAssignment(words[at] ?? '')) at++;
  if (wrapper.operand && !wrapper.operand.test(words[at++] ?? '')) return undefined;
  return at < words.length ? at : undefined;
}
