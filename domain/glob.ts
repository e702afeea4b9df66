import picomatch from 'picomatch';

const compiled = new Map<string, (text: string) => boolean>();
/** Patterns come from reviewed configuration; the bound only keeps a long life from growing the cache. */
const cacheLimit = 1_000;
/** Texts come from outside: matching stars against a very long one would hold up everything else. */
const textLimit = 1_024;
/** Names are not paths: a slash is a character like any other, so it is swapped for one that means nothing. */
const slash = '\u0001';

/**
 * Whether `text` matches the glob `pattern` as a whole: `*` any characters, `?` one, `[abc]` one of these,
 * `{a,b}` either. Case does not count. Only the first 1,024 characters of the text do.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let matches = compiled.get(pattern);
  if (!matches) {
    if (compiled.size >= cacheLimit) compiled.clear();
    const isMatch = picomatch(pattern.replaceAll('/', slash), { nocase: true, dot: true, noext: true });
    matches = (candidate) =>
      pattern === '*' ? true : isMatch(candidate.slice(0, textLimit).replaceAll('/', slash));
    compiled.set(pattern, matches);
  }
  return matches(text);
}
