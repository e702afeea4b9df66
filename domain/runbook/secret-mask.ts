import { masked } from './secret.ts';

/** Shorter than this, a secret would blot out ordinary text and hide nothing. */
const shortestSecret = 3;
/** Shorter lines of a key or a file of credentials are structure. */
const shortestSecretLine = 20;
/** Shorter pieces of base64 stand in ordinary text by chance. */
const shortestEncoded = 6;
/** Columns after which `openssl base64` and `base64` begin a new line. */
const wrappings = [64, 76];
/** Slots of the filter that says where no secret can begin; a power of two. */
const slots = 1 << 14;

/**
 * Masks secrets in whatever notation gives them away. What a secret looks like is worked out once, when it is added;
 * a text is then gone through once, however many secrets there are.
 */
export class SecretMask {
  /** By their first three characters, the longest first. */
  private readonly forms = new Map<string, string[]>();
  private readonly mayBegin = new Uint8Array(slots);
  /** Characters of the longest form. */
  longest = 0;

  constructor(secrets: readonly string[] = []) {
    for (const secret of secrets) this.add(secret);
  }

  add(secret: string): void {
    for (const form of new Set(formsOf(secret))) {
      const beginning = form.slice(0, shortestSecret);
      const known = this.forms.get(beginning) ?? [];
      if (known.includes(form)) continue;
      this.forms.set(
        beginning,
        [...known, form].sort((a, b) => b.length - a.length),
      );
      this.mayBegin[slotOf(form, 0)] = 1;
      this.longest = Math.max(this.longest, form.length);
    }
  }

  /** Where secrets overlap, all that belongs to one of them is masked. */
  apply(text: string): string {
    if (this.forms.size === 0) return text;
    let shown = '';
    let from = 0;
    let begun = -1;
    let end = 0;
    for (let at = 0; at + shortestSecret <= text.length; at += 1) {
      if (this.mayBegin[slotOf(text, at)] === 0) continue;
      const forms = this.forms.get(text.slice(at, at + shortestSecret));
      const form = forms?.find((each) => text.startsWith(each, at));
      if (form === undefined) continue;
      if (begun >= 0 && at >= end) {
        shown += text.slice(from, begun) + masked;
        from = end;
        begun = -1;
      }
      if (begun < 0) begun = at;
      end = Math.max(end, at + form.length);
    }
    return begun < 0 ? shown + text.slice(from) : shown + text.slice(from, begun) + masked + text.slice(end);
  }
}

function slotOf(text: string, at: number): number {
  const first = text.charCodeAt(at) * 961 + text.charCodeAt(at + 1) * 31 + text.charCodeAt(at + 2);
  return first & (slots - 1);
}

/** What of a secret would give it away: itself as other notations write it, its long lines, a URL's password. */
function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const parts = lines.length > 1 ? lines.filter((line) => line.length >= shortestSecretLine) : [];
  const password = URL.parse(secret)?.password ?? '';
  const whole = [secret, secret.trim(), password, decodeLeniently(password)].filter(isHidden);
  return [...[...whole, ...parts].flatMap(notationsOf), ...whole.flatMap(base64Of)];
}

function isHidden(form: string): boolean {
  return form.trim().length >= shortestSecret;
}

function notationsOf(text: string): string[] {
  const percent = encodeURIComponent(text.toWellFormed());
  const form = new URLSearchParams([['', text]]).toString().slice(1);
  const encoded = [percent, form, form.replaceAll('+', '%20')];
  return [
    text,
    ...encoded,
    ...encoded.map((each) => each.replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())),
    JSON.stringify(text).slice(1, -1),
    // as the shells write a quote when they trace what they run
    text.replaceAll("'", "'\\''"),
    text.replaceAll("'", `'"'"'`),
    text.replaceAll("'", "\\'"),
  ];
}

/** As base64 writes it, alone or in the middle of something, in both alphabets. */
function base64Of(text: string): string[] {
  const { length } = new TextEncoder().encode(text);
  // `echo` adds the line break
  const alone = [encode(text), encode(`${text}\n`)];
  const within = [0, 1, 2].map((before) => {
    const encoded = encode('.'.repeat(before) + text);
    // what is before and behind has a part in the characters at the ends
    return encoded.slice(Math.ceil((8 * before) / 6), Math.floor((8 * (before + length)) / 6));
  });
  const wrapped = alone.flatMap((encoded) =>
    wrappings.flatMap((columns) => (encoded.length > columns ? piecesOf(encoded, columns) : [])),
  );
  return [...alone, ...alone.map((encoded) => encoded.replace(/=+$/, '')), ...within, ...wrapped]
    .filter((form) => form.length >= shortestEncoded)
    .flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}

function piecesOf(text: string, columns: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += columns) pieces.push(text.slice(at, at + columns));
  return pieces.filter((piece) => piece.length >= shortestSecretLine);
}

function encode(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
