/** What two names of alerts have in common, 0 to 1: the share of their words, however these are written together. */
export function textSimilarity(a: string, b: string): number {
  const words = wordsOf(a);
  const others = wordsOf(b);
  const shared = [...words].filter((word) => others.has(word)).length;
  const all = words.size + others.size - shared;
  return all === 0 ? 0 : shared / all;
}

/** Characters of a name that are looked at. */
const textLimit = 200;

function wordsOf(name: string): Set<string> {
  const spaced = name.slice(0, textLimit).replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2');
  return new Set(spaced.toLowerCase().match(/\p{L}+/gu));
}
