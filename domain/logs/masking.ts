/** Stands in a template for a value that differs from line to line. */
export const wildcard = '<*>';

/** Characters of a message that are looked at: what tells templates apart stands at the beginning. */
const lookedAt = 1000;

const month = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*';
const weekday = '(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?';
const clock = String.raw`\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?`;

const timestamps = new RegExp(
  [
    // Fri Jul 01 08:16:53 PDT 2005, 17 Jun 2009 20:10:40
    String.raw`\b${weekday}(?:${month} \d{1,2}|\d{1,2} ${month}),?(?: \d{4})? ${clock}(?: [A-Z]{3,4})?(?: \d{4})?\b`,
    // 2026-11-21T02:14:07.123Z, 2015/10/18 18:01:47,978, 2005-06-03-15.42.50.675872
    String.raw`\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T :-]\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?\b`,
    // 21/Nov/2026:02:14:07 +0000
    String.raw`\b\d{1,2}\/${month}\/\d{4}:${clock}(?: [+-]\d{4})?`,
  ].join('|'),
  'gi',
);

/** The value in `key=value`, also an empty one, so that `user=` and `user=root` look the same. */
const assignedValue =
  /(?<=[\w\])]\s?=)(?: ?(?![^\s=]*=)(?:"[^"]*"|'[^']*'|[^\s,;(){}[\]<>"'=]+)|(?=[\s,;)\]}]|$))/g;

const addresses = new RegExp(
  [
    String.raw`\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s,;'"<>\])}]+`,
    String.raw`\b[a-z]:\\[^\s,;'"<>\])}]*`,
    // an absolute path, or one relative to ~ . ..; 'input/output' is none
    String.raw`(?<![\w.])(?:~|\.{1,2})?(?:\/+[\w.@:+~%*$#-]+)+\/?`,
    String.raw`\b0x[0-9a-f]+\b`,
    String.raw`\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`,
    String.raw`\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5,}\b`,
    // digits and hex letters mixed: a commit, a handle, a request id
    String.raw`\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,}\b`,
  ].join('|'),
  'gi',
);

/**
 * A number with what hangs together with it (1.2.3.4:80, 12:30, 6-1-4), and a word from its first digit on:
 * 'attempt_14_m_0' becomes 'attempt_<*>', 'web-7.example.org' becomes 'web-<*>'.
 */
const numbered =
  /((?:(?<![A-Za-z0-9_]|[A-Za-z0-9_][-.$])[A-Za-z_]+(?:[-.$][A-Za-z_]+)*(?:(?<!_)[-.$])?)?)[-+]?\d\w*(?:[-.:/,+@]?\d\w*|[-.$~@]+\w+)*/g;

/** Abbreviated units change with the size of the number before them. */
const units = /<\*> ?(?:[KMGTP]i?B|kB|B|[µmun]?s|secs?|mins?|%)(?!\w)/g;
const constants = /\b(?:true|false|null|nil|none|undefined)\b/gi;
/** Dots that lead the eye from a label to its value. */
const leaders = /\.{4,}/g;
const neighbours = /<\*>(?:[\s.,:;/|#-]*<\*>)+/g;

/**
 * The line with everything replaced that is a value by its looks: times, addresses, paths, ids, numbers,
 * assigned values. A run of values ('7 12 9', 'cn1, cn2, cn3') becomes one, so that its length does not matter.
 */
export function maskValues(line: string): string {
  const masked = line
    .slice(0, lookedAt)
    .replace(leaders, ' ')
    .replace(timestamps, wildcard)
    .replace(addresses, wildcard)
    .replace(assignedValue, wildcard)
    .replace(numbered, `$1${wildcard}`)
    .replace(units, wildcard)
    .replace(constants, wildcard);
  return collapseRuns(masked.split(/\s+/)).join(' ').trim().replace(neighbours, wildcard);
}

function collapseRuns(tokens: string[]): string[] {
  const kept: string[] = [];
  let previous: string | undefined;
  for (const token of tokens) {
    const bare = token.replace(/[,;]$/, '');
    if (bare === previous && bare.includes(wildcard)) continue;
    kept.push(token);
    previous = bare;
  }
  return kept;
}
