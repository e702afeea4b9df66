/**
 * Whether all of `text` matches `pattern`: `*` any characters, `?` one; case does not count. Unlike `matchesGlob` it
 * looks at the whole text however long it is (a deny list must not be dodged by padding), takes every other character
 * as itself (commands are full of braces and brackets), and never takes more than pattern × text steps.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = text.toLowerCase();
  let at = 0;
  let next = 0;
  // where the last star stood, and how much of the text it has swallowed so far
  let star = -1;
  let swallowed = 0;
  while (at < given.length) {
    if (wanted[next] === '*') {
      star = next++;
      swallowed = at;
    } else if (next < wanted.length && (wanted[next] === '?' || wanted[next] === given[at])) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++swallowed;
    } else {
      return false;
    }
  }
  while (wanted[next] === '*') next++;
  return next === wanted.length;
}
