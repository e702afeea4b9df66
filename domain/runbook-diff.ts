import { createTwoFilesPatch, structuredPatch } from 'diff';

export interface DiffSide {
  version: number;
  source: string;
}

/** A line of a diff; `from` and `to` are its numbers in the two texts, null where it does not stand. */
export interface DiffLine {
  kind: 'same' | 'added' | 'removed';
  from: number | null;
  to: number | null;
  text: string;
}

/** In the unified format, as `git diff` prints it. */
export function unifiedDiff(name: string, from: DiffSide, to: DiffSide): string {
  const [before, after] = [`${name} (version ${from.version})`, `${name} (version ${to.version})`];
  return createTwoFilesPatch(before, after, from.source, to.source, undefined, undefined, { context: 3 });
}

/** What differs, with three lines around each change. Empty when nothing does. */
export function diffHunks(from: DiffSide, to: DiffSide): DiffLine[][] {
  const { hunks } = structuredPatch('', '', from.source, to.source, undefined, undefined, { context: 3 });
  return hunks.map((hunk) => {
    let [left, right] = [hunk.oldStart, hunk.newStart];
    return hunk.lines
      .filter((line) => !line.startsWith('\\'))
      .map((line): DiffLine => {
        const text = line.slice(1);
        if (line.startsWith('+')) return { kind: 'added', from: null, to: right++, text };
        if (line.startsWith('-')) return { kind: 'removed', from: left++, to: null, text };
        return { kind: 'same', from: left++, to: right++, text };
      });
  });
}
