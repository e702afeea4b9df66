import { ansiText } from './ansi-text.ts';

/** A word or a redirection of a command. */
export interface ShellPart {
  /** As it is written, but a substitution is `$()` and no blank stands behind an operator. */
  raw: string;
  /** As the program gets it: without quotes and escapes. */
  text: string;
  /** Of a redirection. */
  operator?: string;
  /** Of a redirection, without quotes. */
  target?: string;
}

/** What stands between two separators of a shell line. */
export interface ShellSegment {
  /** `pattern`: of a `case`. `unreadable`: from a quote or bracket on that nothing closes. */
  kind: 'command' | 'pattern' | 'unreadable';
  parts: ShellPart[];
  /** Which line of the text it stands in, or that of the pipeline that it belongs to. */
  row: number;
  hereDocuments: string[];
}

interface HereDocument {
  delimiter: string;
  literal: boolean;
  indented: boolean;
  segment: ShellSegment;
}

type Word = Pick<ShellPart, 'raw' | 'text'>;

/** Words that stand before a command and are none. */
export const keywords = new Set('if then else elif fi while until do done esac ! { }'.split(' '));

const operators = /&>>?|<<<|<<-?|<>|<&|<|>>|>\||>&|>/y;
const placeholder = /\{\{\s*\w{1,200}\s*\}\}/y;
/** Nobody means well who writes deeper. */
const deepest = 50;

/**
 * The commands of a shell line, innermost first, with `{{vars}}` still in them: 'cd /tmp && rm -rf x' are two, and
 * each substitution is one of its own, inside quotes too.
 */
export function shellSegments(text: string): ShellSegment[] {
  return new ShellReader(text, 0).commands();
}

/** The words of a text that is no shell line, or none that can be read: whatever stands between punctuation. */
export function looseWords(text: string): string[] {
  return text.split(/[\s;&|()<>{}[\]'"`$\\,=]+/).filter((word) => word !== '');
}

class ShellReader {
  private readonly text: string;
  private readonly segments: ShellSegment[] = [];
  private segment: ShellSegment;
  private hereDocuments: HereDocument[] = [];
  private depth: number;
  private row = 0;
  private at = 0;
  private afterPipe = false;

  constructor(text: string, depth: number) {
    this.text = text;
    this.depth = depth;
    this.segment = this.empty();
  }

  commands(): ShellSegment[] {
    this.readList(false);
    return this.segments;
  }

  /** Of a text that is read as if double quotes stood around it. */
  substitutions(): ShellSegment[] {
    const word = { raw: '', text: '' };
    while (this.at < this.text.length) this.takeQuoted(word);
    return this.segments;
  }

  /** To the end, or past the `)` of a substitution; false where that is missing. */
  private readList(inSubstitution: boolean): boolean {
    const outer = this.segment;
    this.segment = this.empty();
    const open: ('(' | 'case')[] = [];
    let closed = !inSubstitution;
    while (this.at < this.text.length) {
      if (inSubstitution && open.length === 0 && this.char() === ')') {
        this.at++;
        closed = true;
        break;
      }
      this.readNext(open);
    }
    this.endSegment();
    this.segment = outer;
    return closed;
  }

  private readNext(open: ('(' | 'case')[]): void {
    const char = this.char();
    if (/[^\S\n]/.test(char)) this.at++;
    else if (this.text.startsWith('\\\n', this.at)) this.at += 2;
    else if (char === '#') this.at = this.endOfLine();
    else if (char === '\n') this.endLine();
    else if (this.matchHere(operators)) this.readRedirection('');
    else if (/[;&|]/.test(char)) {
      this.endSegment();
      this.afterPipe = char === '|';
      this.at++;
    } else if (char === '(') {
      this.endSegment();
      open.push('(');
      this.at++;
    } else if (char === ')') {
      if (open.at(-1) === 'case') this.segment.kind = 'pattern';
      else open.pop();
      this.endSegment();
      this.at++;
    } else this.readPart(open);
  }

  private readPart(open: ('(' | 'case')[]): void {
    const starts = this.segment.parts.every(({ raw }) => keywords.has(raw));
    const word = this.readWord();
    if (/^\d+$/.test(word.raw) && /[<>]/.test(this.char())) {
      this.readRedirection(word.raw);
      return;
    }
    this.segment.parts.push(word);
    this.afterPipe = false;
    if (starts && word.raw === 'case') open.push('case');
    if (starts && word.raw === 'esac' && open.at(-1) === 'case') open.pop();
  }

  private readRedirection(descriptor: string): void {
    const operator = this.matchHere(operators) ?? '';
    this.at += operator.length;
    this.afterPipe = false;
    if (/^[<>]$/.test(operator) && this.char() === '(') {
      const word = { raw: '', text: '' };
      this.takeSubstitution(word, 1);
      this.segment.parts.push(word);
      return;
    }
    while (/^[^\S\n]$/.test(this.char())) this.at++;
    const target = this.readWord();
    const before = `${operator.startsWith('>') && descriptor === '1' ? '' : descriptor}${operator}`;
    this.segment.parts.push({
      raw: before + target.raw,
      text: before + target.text,
      operator,
      target: target.text,
    });
    if (operator !== '<<' && operator !== '<<-') return;
    this.hereDocuments.push({
      delimiter: target.text,
      literal: target.raw !== target.text,
      indented: operator === '<<-',
      segment: this.segment,
    });
  }

  private readWord(): Word {
    const word = { raw: '', text: '' };
    while (this.at < this.text.length && !/[\s;&|()<>]/.test(this.char())) this.takePiece(word);
    return word;
  }

  private takePiece(word: Word): void {
    const char = this.char();
    const variable = char === '{' ? this.matchHere(placeholder) : undefined;
    if (variable) this.take(word, variable);
    else if (char === '\\') this.takeEscape(word);
    else if (char === "'") this.takeSingle(word);
    else if (char === '"') this.takeDouble(word);
    else if (this.text.startsWith("$'", this.at)) this.takeAnsi(word);
    else if (this.text.startsWith('$"', this.at)) {
      this.at++;
      this.takeDouble(word);
    } else this.takeExpansion(word, false);
  }

  private takeEscape(word: Word): void {
    const escaped = this.text.slice(this.at, this.at + 2);
    this.at += 2;
    if (escaped === '\\\n') return;
    word.raw += escaped;
    word.text += escaped.slice(1);
  }

  private takeSingle(word: Word): void {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) {
      this.giveUp(this.at);
      return;
    }
    word.text += this.text.slice(this.at + 1, end);
    word.raw += this.text.slice(this.at, end + 1);
    this.at = end + 1;
  }

  private takeDouble(word: Word): void {
    const start = this.at++;
    word.raw += '"';
    while (this.at < this.text.length) {
      if (this.char() === '"') {
        word.raw += '"';
        this.at++;
        return;
      }
      this.takeQuoted(word);
    }
    this.giveUp(start);
  }

  /** One piece of what stands inside double quotes. */
  private takeQuoted(word: Word): void {
    const next = this.text.charAt(this.at + 1);
    if (this.char() === '\\' && /[$`"\\\n]/.test(next)) this.takeEscape(word);
    else this.takeExpansion(word, true);
  }

  private takeExpansion(word: Word, quoted: boolean): void {
    if (this.char() === '`') this.takeBackticks(word, quoted);
    else if (this.text.startsWith('$((', this.at)) this.takeArithmetic(word);
    else if (this.text.startsWith('$(', this.at)) this.takeSubstitution(word, 2);
    else if (this.text.startsWith('${', this.at)) this.takeBraced(word, quoted);
    else this.take(word, this.char());
  }

  /** `$'…'` of bash. Where it escapes its own quote, a plain shell reads on in another way: that is not followed. */
  private takeAnsi(word: Word): void {
    const quoted = /\$'((?:[^'\\]|\\[^'])*)'/sy;
    quoted.lastIndex = this.at;
    const match = quoted.exec(this.text);
    if (match?.[1] === undefined) {
      this.giveUp(this.at);
      return;
    }
    word.raw += match[0];
    word.text += ansiText(match[1]);
    this.at += match[0].length;
  }

  private takeSubstitution(word: Word, opening: number): void {
    const start = this.at;
    this.at += opening;
    this.deeper(start, () => {
      if (!this.readList(true)) this.giveUp(start);
    });
    word.raw += '$()';
    word.text += '$()';
  }

  private takeArithmetic(word: Word): void {
    const end = this.endOfArithmetic();
    // '$((' may also be a subshell in a substitution
    if (end === undefined) {
      this.takeSubstitution(word, 2);
      return;
    }
    const inside = this.text.slice(this.at + 3, end - 2);
    this.deeper(this.at, () => this.adopt(new ShellReader(inside, this.depth).substitutions()));
    this.take(word, this.text.slice(this.at, Math.max(end, this.at)));
  }

  private endOfArithmetic(): number | undefined {
    let depth = 0;
    for (let at = this.at + 2; at < this.text.length; at++) {
      if (this.text[at] === '(') depth++;
      if (this.text[at] === ')' && --depth === 0) return this.text[at + 1] === ')' ? at + 2 : undefined;
    }
    return undefined;
  }

  private takeBraced(word: Word, quoted: boolean): void {
    const start = this.at;
    this.take(word, '${');
    this.deeper(start, () => {
      while (this.at < this.text.length) {
        const char = this.char();
        if (char === '}') {
          this.take(word, char);
          return;
        }
        if (char === '"') this.takeDouble(word);
        else if (char === "'" && !quoted) this.takeSingle(word);
        else if (char === '\\') this.takeEscape(word);
        else this.takeExpansion(word, quoted);
      }
      this.giveUp(start);
    });
  }

  private takeBackticks(word: Word, quoted: boolean): void {
    const backticks = /`((?:[^`\\]|\\.)*)`/sy;
    backticks.lastIndex = this.at;
    const match = backticks.exec(this.text);
    if (match?.[1] === undefined) {
      this.giveUp(this.at);
      return;
    }
    const inside = match[1].replaceAll(quoted ? /\\([`$\\"])/g : /\\([`$\\])/g, '$1');
    const end = this.at + match[0].length;
    this.deeper(this.at, () => {
      this.adopt(new ShellReader(inside, this.depth).commands());
      this.at = end;
    });
    word.raw += '$()';
    word.text += '$()';
  }

  private take(word: Word, text: string): void {
    word.raw += text;
    word.text += text;
    this.at += text.length;
  }

  private deeper(start: number, read: () => void): void {
    if (this.depth >= deepest) {
      this.giveUp(start);
      return;
    }
    this.depth++;
    read();
    this.depth--;
  }

  private endLine(): void {
    this.endSegment();
    this.at++;
    if (!this.afterPipe) this.row++;
    for (const document of this.hereDocuments.splice(0)) this.readHereDocument(document);
    this.segment = this.empty();
  }

  private readHereDocument({ delimiter, literal, indented, segment }: HereDocument): void {
    const start = this.at;
    const lines: string[] = [];
    while (this.at < this.text.length) {
      const end = this.endOfLine();
      const line = this.text.slice(this.at, end);
      this.at = Math.min(end + 1, this.text.length);
      if ((indented ? line.replace(/^\t+/, '') : line) !== delimiter) {
        lines.push(line);
        continue;
      }
      const body = lines.join('\n');
      segment.hereDocuments.push(body);
      if (!literal) this.deeper(start, () => this.adopt(new ShellReader(body, this.depth).substitutions()));
      return;
    }
    this.giveUp(start);
  }

  /** What cannot be read to its end is kept as it stands, for deny lists to look through. */
  private giveUp(start: number): void {
    const raw = this.text.slice(start);
    this.at = this.text.length;
    const parts = looseWords(raw).map((text) => ({ raw: text, text }));
    if (parts.length > 0) this.segments.push({ ...this.empty(), kind: 'unreadable', parts });
  }

  private adopt(segments: readonly ShellSegment[]): void {
    this.segments.push(...segments.map((segment) => ({ ...segment, row: this.row })));
  }

  private endSegment(): void {
    if (this.segment.parts.length > 0) this.segments.push(this.segment);
    this.segment = this.empty();
  }

  private empty(): ShellSegment {
    return { kind: 'command', parts: [], row: this.row, hereDocuments: [] };
  }

  private endOfLine(): number {
    const end = this.text.indexOf('\n', this.at);
    return end < 0 ? this.text.length : end;
  }

  private matchHere(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0];
  }

  private char(): string {
    return this.text.charAt(this.at);
  }
}
