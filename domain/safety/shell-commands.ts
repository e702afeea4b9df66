/** Words that stand before a program or between commands. */
const notPrograms = new Set(
  'if then else elif fi for while until do done case esac in ! time exec nohup env command sudo nice'.split(
    ' ',
  ),
);

/**
 * The single commands of a shell line, with `{{vars}}` still in them: 'cd /tmp && rm -rf x' are two. A line can hide a
 * command from this (by a variable, by eval): deny lists are a net under people who mean well, and a line that is taken
 * apart too far is refused by an allow list rather than let through.
 */
export function shellCommands(line: string): { line: string; program: string }[] {
  return segmentsOf(line).flatMap((segment) => {
    const words = wordsOf(segment);
    const first = words.findIndex((word) => !passedOver(word));
    const program = unquoted(words[first] ?? '');
    return program === '' ? [] : [{ line: words.slice(first).join(' '), program }];
  });
}

function passedOver(word: string): boolean {
  return (
    notPrograms.has(word) ||
    /^[A-Za-z_]\w*=/.test(word) ||
    // options of env, sudo and nice; redirections
    /^-/.test(word) ||
    /^\d*[<>]/.test(word)
  );
}

/** Cut at what begins another command, outside quotes; a substitution is a command inside quotes too. */
function segmentsOf(line: string): string[] {
  const segments: string[] = [];
  let segment = '';
  let quote = '';
  const around: { segment: string; quote: string; end: string }[] = [];
  const enter = (end: string): void => {
    around.push({ segment, quote, end });
    segment = '';
    quote = '';
  };
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    const outer = around.at(-1);
    const placeholder = /^\{\{\s*\w+\s*\}\}/.exec(line.slice(at, at + 300))?.[0];
    if (placeholder) {
      segment += placeholder;
      at += placeholder.length - 1;
    } else if (char === '\\' && quote !== "'") {
      segment += line.slice(at, at + 2);
      at++;
    } else if (quote !== '' && char === quote) {
      segment += char;
      quote = '';
    } else if (quote === "'") {
      segment += char;
    } else if (quote === '' && outer?.end === char) {
      segments.push(segment);
      around.pop();
      ({ segment, quote } = outer);
    } else if (char === '$' && line.charAt(at + 1) === '(') {
      enter(')');
      at++;
    } else if (char === '`') {
      enter('`');
    } else if (quote === '' && (char === "'" || char === '"')) {
      quote = char;
      segment += char;
    } else if (quote === '' && /[;&|\n(){}]/.test(char)) {
      segments.push(segment);
      segment = '';
    } else {
      segment += char;
    }
  }
  return [...around.map((outer) => outer.segment), ...segments, segment];
}

/** By white space outside quotes. */
function wordsOf(segment: string): string[] {
  return segment.match(/(?:\{\{\s*\w+\s*\}\}|\\.|'[^']*'?|"(?:\\.|[^"\\])*"?|[^\s'"\\])+/g) ?? [];
}

function unquoted(word: string): string {
  return word.replaceAll(/\\(.)|['"]/g, '$1');
}
