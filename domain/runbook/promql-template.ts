import { type Placeholder, placeholders, type TemplateProblem, valueFor } from './template.ts';

/** A string of a query, from its quote to after the closing one. */
interface QueryString {
  quote: string;
  start: number;
  end: number;
  /** It is the right side of =~ or !~. */
  regex: boolean;
}

/** What is wrong with the variables of a query: they may stand in double-quoted strings alone. */
export function queryProblems(text: string): TemplateProblem[] {
  const { strings, comments, problems } = scan(text);
  for (const placeholder of placeholders(text)) {
    const string = strings.find((one) => isInside(placeholder, one));
    if (comments.some((one) => isInside(placeholder, one))) {
      problems.push({
        offset: placeholder.start,
        message: 'a variable has no use in a comment; take it out',
      });
    } else if (string?.quote !== '"') {
      problems.push({
        offset: placeholder.start,
        message: `a variable stands in a double-quoted string of the query alone, e.g. {service="{{${placeholder.name}}}"}, where it is escaped`,
      });
    }
  }
  return problems;
}

/** Values stay inside their strings, and in a regular expression (=~, !~) they mean themselves. */
export function fillQuery(text: string, values: Readonly<Record<string, string>>): string {
  const [problem] = queryProblems(text);
  if (problem) throw new RangeError(problem.message);
  const { strings } = scan(text);
  let filled = '';
  let at = 0;
  for (const placeholder of placeholders(text)) {
    const string = strings.find((one) => isInside(placeholder, one));
    const value = valueFor(values, placeholder.name);
    filled += text.slice(at, placeholder.start) + escaped(string?.regex ? quotedMeta(value) : value);
    at = placeholder.end;
  }
  return filled + text.slice(at);
}

function scan(text: string): {
  strings: QueryString[];
  comments: Pick<QueryString, 'start' | 'end'>[];
  problems: TemplateProblem[];
} {
  const strings: QueryString[] = [];
  const comments: Pick<QueryString, 'start' | 'end'>[] = [];
  const problems: TemplateProblem[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? '';
    if (char === '#') {
      const line = text.indexOf('\n', at);
      comments.push({ start: at, end: line === -1 ? text.length : line });
      at = line === -1 ? text.length : line;
    } else if (char === '"' || char === "'" || char === '`') {
      const end = endOfString(text, at, char);
      if (end === undefined) problems.push({ offset: at, message: 'a string begins here and does not end' });
      strings.push({
        quote: char,
        start: at,
        end: end ?? text.length,
        regex: /[=!]~\s*$/.test(text.slice(0, at)),
      });
      at = end ?? text.length;
    } else {
      at += 1;
    }
  }
  return { strings, comments, problems };
}

function endOfString(text: string, start: number, quote: string): number | undefined {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\' && quote !== '`') at += 1;
    else if (text[at] === quote) return at + 1;
  }
  return undefined;
}

function isInside(placeholder: Placeholder, { start, end }: Pick<QueryString, 'start' | 'end'>): boolean {
  return placeholder.start > start && placeholder.end <= end;
}

/** RE2's QuoteMeta. */
function quotedMeta(value: string): string {
  return value.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

/** As in a string of Go, which is what PromQL's double-quoted strings are. */
function escaped(value: string): string {
  return (
    value
      .replaceAll('\\', '\\\\')
      .replaceAll('"', '\\"')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is escaped
      .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
        return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
      })
  );
}
