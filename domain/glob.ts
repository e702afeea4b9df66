import picomatch from 'picomatch';

/** Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for one. Case counts. */
export function matchesGlob(pattern: string, text: string): boolean {
  // bash: `*` also matches a slash, for names are not paths
  return picomatch.isMatch(text, pattern, {
    bash: true,
    dot: true,
    nonegate: true,
    noextglob: true,
    nobrace: true,
  });
}
