/** HTML that is safe to send: made only by `html`, which escapes every value that is not Markup itself. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = Markup | string | number | null | undefined | false | readonly Value[];

/** Tagged template: strings from outside (labels, alert texts, log lines) come out as text, never as markup. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Markup {
  let text = strings[0] ?? '';
  values.forEach((value, index) => {
    text += render(value) + (strings[index + 1] ?? '');
  });
  return new Markup(text);
}

function render(value: Value): string {
  if (value instanceof Markup) return value.text;
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'object') return value.map(render).join('');
  return escapeText(String(value));
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

// controls (but tab and newline), and the marks that reorder text so that it reads as something else
const unreadable = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** One line of at most `limit` characters, without controls and reordering marks: for subjects and cells. */
export function oneLine(text: string, limit: number): string {
  return shorten(text.replace(unreadable, ' ').replace(/\s+/g, ' ').trim(), limit);
}

/** Several lines of at most `limit` characters in all, without controls and reordering marks. */
export function lines(text: string, limit: number): string {
  return shorten(text.replaceAll('\r\n', '\n').replace(unreadable, '').trim(), limit);
}

function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // never half of a surrogate pair
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
