/**
 * Reads conditions as CloudWatch Logs Insights and Splunk write them, for the doubles of both: values are strings,
 * regular expressions or lists, and what is not among the words of the language is refused, as the real ones do.
 */
export interface QueryDialect {
  /** Between single quotes stands a field's name (Splunk) or a string (CloudWatch). */
  singleQuotes: 'field' | 'string';
  functions: Record<string, (args: Value[]) => Value>;
}

export type Value = string | number | boolean | null | RegExp | Value[];
export type Fields = (name: string) => string | null;
export type Condition = (fields: Fields) => Value;

export class BadQuery extends Error {}

interface Token {
  kind: 'string' | 'field' | 'regex' | 'word' | 'sign';
  text: string;
}

/** Divided at the pipes that stand outside of strings and regular expressions. Throws BadQuery. */
export function commandsOf(query: string): string[] {
  const commands = [''];
  for (const part of query.match(literals) ?? []) {
    if (part === '|') commands.push('');
    else commands.push((commands.pop() ?? '') + part);
  }
  return commands.map((command) => command.trim());
}

const literals = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|(?<=like )\/(?:[^/\\]|\\.)*\/|[\s\S]/g;

/** Throws BadQuery. */
export function conditionOf(text: string, dialect: QueryDialect): Condition {
  const tokens = tokensOf(text, dialect);
  let at = 0;
  const peek = (): string =>
    tokens[at]?.kind === 'word' ? tokens[at]!.text.toLowerCase() : (tokens[at]?.text ?? '');
  const take = (expected?: string): Token => {
    const token = tokens[at++];
    if (!token || (expected !== undefined && token.text !== expected)) {
      throw new BadQuery(`expected ${expected ?? 'more'} at '${text.slice(0, 60)}', found '${token?.text}'`);
    }
    return token;
  };
  const isWord = (word: string): boolean => tokens[at]?.kind === 'word' && peek() === word;

  function either(): Condition {
    let left = both();
    while (isWord('or')) {
      take();
      const [a, b] = [left, both()];
      left = (fields) => Boolean(a(fields)) || Boolean(b(fields));
    }
    return left;
  }
  function both(): Condition {
    let left = not();
    while (isWord('and')) {
      take();
      const [a, b] = [left, not()];
      left = (fields) => Boolean(a(fields)) && Boolean(b(fields));
    }
    return left;
  }
  function not(): Condition {
    if (!isWord('not')) return comparison();
    take();
    const inner = not();
    return (fields) => !inner(fields);
  }
  function comparison(): Condition {
    const left = value();
    if (isWord('in')) {
      take();
      const right = list();
      return (fields) => right.some((one) => one(fields) === left(fields));
    }
    if (isWord('like')) {
      take();
      const right = value();
      return (fields) => {
        const pattern = right(fields);
        const found = left(fields);
        if (typeof found !== 'string') return false;
        return pattern instanceof RegExp ? pattern.test(found) : found.includes(String(pattern));
      };
    }
    if (tokens[at]?.text === '=') {
      take();
      const right = value();
      return (fields) => String(left(fields)) === String(right(fields));
    }
    return left;
  }
  function list(): Condition[] {
    take('[');
    const all = [value()];
    while (tokens[at]?.text === ',') {
      take();
      all.push(value());
    }
    take(']');
    return all;
  }
  function value(): Condition {
    const token = take();
    if (token.kind === 'string') return () => token.text;
    if (token.kind === 'regex') {
      const insensitive = token.text.startsWith('(?i)');
      const pattern = new RegExp(insensitive ? token.text.slice(4) : token.text, insensitive ? 'i' : '');
      return () => pattern;
    }
    if (token.kind === 'field') return (fields) => fields(token.text);
    if (token.text === '(') {
      const inner = either();
      take(')');
      return inner;
    }
    if (token.kind !== 'word') throw new BadQuery(`unexpected '${token.text}'`);
    if (tokens[at]?.text !== '(') {
      if (/^\d+$/.test(token.text)) return () => Number(token.text);
      return (fields) => fields(token.text);
    }
    const call = dialect.functions[token.text.toLowerCase()];
    if (!call) throw new BadQuery(`unknown function ${token.text}`);
    take('(');
    const args: Condition[] = [];
    while (tokens[at]?.text !== ')') {
      args.push(either());
      if (tokens[at]?.text === ',') take();
    }
    take(')');
    return (fields) => call(args.map((arg) => arg(fields)));
  }

  const condition = either();
  if (at < tokens.length) throw new BadQuery(`unexpected '${tokens[at]?.text}' after a condition`);
  return condition;
}

function tokensOf(text: string, { singleQuotes }: QueryDialect): Token[] {
  const tokens: Token[] = [];
  const pattern =
    /\s+|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`([^`]*)`|(?<=like )\/((?:[^/\\]|\\.)*)\/|([@\w][\w.@]*)|([()[\],=])|([\s\S])/y;
  for (const [whole, double, single, tick, regex, word, sign, other] of text.matchAll(
    new RegExp(pattern, 'g'),
  )) {
    const plain = (escaped: string): string => escaped.replace(/\\(.)/g, '$1');
    if (other !== undefined) throw new BadQuery(`unexpected '${whole}' in ${text.slice(0, 80)}`);
    if (double !== undefined) tokens.push({ kind: 'string', text: plain(double) });
    else if (single !== undefined) tokens.push({ kind: singleQuotes, text: plain(single) });
    else if (tick !== undefined) tokens.push({ kind: 'field', text: tick });
    else if (regex !== undefined) tokens.push({ kind: 'regex', text: regex.replaceAll('\\/', '/') });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
  }
  return tokens;
}
