import { commonHeader, hasHeader } from './line-headers.ts';
import { maskValues, wildcard } from './masking.ts';

/**
 * Template mining. Lines are masked (masking.ts); the distinct results, few even for many lines, are then
 * generalised: lines that differ in one or two words only form a family, and such a word becomes a wildcard
 * when the family says that it is a value: by its look, by the word before it, or because many different words
 * stand there. What a person would call another event (a state, a leading word) needs far more proof.
 * One set of parameters serves all kinds of logs.
 */
const parameters = {
  /** Different words at one place of otherwise equal lines that make it a value. */
  words: 5,
  /** As `words`, where a single other word holds the lines together. */
  wordsOnThinEvidence: 8,
  /** As `words`, for words in capitals (states, commands, signals) and for the word that opens the line. */
  wordsOfWeight: 12,
  /** Different words, at least one of them with digits in it. */
  numberedWords: 3,
  /** Words that may be compared for families of two differing words: bounds the time on hostile input. */
  pairBudget: 4_000_000,
  passes: 4,
};

export interface MinedLine {
  /** Equal for lines of one template; counts up from 0 in order of first appearance. */
  group: number;
  template: string;
}

/** One entry per line, in order. Deterministic: the same lines give the same groups. */
export function minePatterns(lines: readonly string[]): MinedLine[] {
  const shapeIndex = new Map<string, number>();
  const shapeOfLine = lines.map((line) => {
    const shape = maskValues(line);
    const known = shapeIndex.get(shape);
    if (known !== undefined) return known;
    shapeIndex.set(shape, shapeIndex.size);
    return shapeIndex.size - 1;
  });

  const counts = new Array<number>(shapeIndex.size).fill(0);
  for (const shape of shapeOfLine) counts[shape] = (counts[shape] ?? 0) + 1;
  const whole = [...shapeIndex.keys()].map(
    (shape, index): Cluster => ({ tokens: shape.split(' '), count: counts[index] ?? 0, shapes: [index] }),
  );
  const header = commonHeader(whole);
  const stripped = whole.map((cluster): Cluster => {
    if (!hasHeader(cluster.tokens, header)) return cluster;
    return { ...cluster, tokens: cluster.tokens.slice(header.length), header: header.text };
  });
  // what differed in its header only is one now
  const clusters = [...Map.groupBy(stripped, ({ tokens }) => tokens.join(' ')).values()].map((same) =>
    combine(same, []),
  );

  const byLength = [...Map.groupBy(clusters, (cluster) => cluster.tokens.length).values()];
  const merged = joinEqualWords(byLength.flatMap(generalise));
  const ofShape = new Map(merged.flatMap((cluster) => cluster.shapes.map((shape) => [shape, cluster])));

  const groups = new Map<Cluster, MinedLine>();
  return shapeOfLine.flatMap((shape) => {
    const cluster = ofShape.get(shape);
    if (!cluster) return [];
    const { header, tokens } = cluster;
    const template = header === undefined ? tokens.join(' ') : `${header} ${tokens.join(' ')}`;
    const known = groups.get(cluster) ?? { group: groups.size, template };
    groups.set(cluster, known);
    return [{ ...known }];
  });
}

interface Cluster {
  /** Without the header that nearly all lines have. */
  tokens: string[];
  header?: string;
  /** Lines in it. */
  count: number;
  /** Indexes of the masked lines in it. */
  shapes: number[];
}

/** `rows` have equally many tokens. One differing word at a time, the last first; then two at a time. */
function generalise(rows: Cluster[]): Cluster[] {
  let current = rows;
  for (let pass = 0; pass < parameters.passes && current.length > 1; pass++) {
    const before = current.length;
    const places = differingPlaces(current);
    for (const place of places.toReversed()) current = mergeFamilies(current, [place]);
    const pairs = (places.length * (places.length - 1)) / 2;
    if (pairs * current.length * (current[0]?.tokens.length ?? 0) <= parameters.pairBudget) {
      for (const [i, first] of places.entries()) {
        for (const second of places.slice(i + 1)) current = mergeFamilies(current, [first, second]);
      }
    }
    if (current.length === before) break;
  }
  return current;
}

function differingPlaces(rows: Cluster[]): number[] {
  const first = rows[0]?.tokens ?? [];
  return [...first.keys()].filter((place) => rows.some((row) => row.tokens[place] !== first[place]));
}

/** Merges the rows that are equal but for `places`, where the words there turn out to be values. */
function mergeFamilies(rows: Cluster[], places: number[]): Cluster[] {
  if (rows.length < 2) return rows;
  const families = Map.groupBy(rows, (row) =>
    row.tokens
      .with(places[0] ?? 0, '')
      .with(places.at(-1) ?? 0, '')
      .join(' '),
  );
  if (families.size === rows.length) return rows;
  return [...families.values()].flatMap((family) => (family.length < 2 ? family : decide(family, places)));
}

function decide(family: Cluster[], places: number[]): Cluster[] {
  const tokens = family[0]?.tokens ?? [];
  const kept = tokens.filter((token, place) => !places.includes(place) && hasWord(token)).length;
  if (kept === 0) return family;
  if (places.every((place) => isValue(family, place, kept))) return [combine(family, places)];
  if (places.length > 1) return family;
  // the family holds several templates, but names that begin alike and end in numbers are one
  const alike = Map.groupBy(family, (row) => stem(row.tokens[places[0] ?? 0] ?? ''));
  return [...alike.values()].flatMap((group) => (group.length > 1 ? [combine(group, places)] : group));
}

function isValue(family: Cluster[], place: number, kept: number): boolean {
  const words = [...new Set(family.map((row) => row.tokens[place] ?? ''))];
  const opens = place === 0;
  if (words.some(isBareValue) && (kept >= 2 || words.every((word) => word.includes(wildcard) || !opens))) {
    return true;
  }
  const numbered = words.filter((word) => word.includes(wildcard)).length;
  if (numbered === words.length && kept >= 2) return true;
  if (numbered > 0 && words.length >= parameters.numberedWords && (kept >= 2 || words.length >= 5))
    return true;
  if (kept >= 2 && (words.every(isDotted) || words.every(isQuoted))) return true;
  if (kept >= 2 && namesEntity.test(family[0]?.tokens[place - 1] ?? '')) return true;
  if (opens || words.some(isCapitals)) return words.length >= parameters.wordsOfWeight;
  return words.length >= (kept >= 2 ? parameters.words : parameters.wordsOnThinEvidence);
}

const hasWord = (token: string): boolean => /\p{L}/u.test(token.replaceAll(wildcard, ''));
const isBareValue = (token: string): boolean => token.includes(wildcard) && !hasWord(token);
const isCapitals = (token: string): boolean => /^[A-Z][A-Z_]+[,.;:]?$/.test(token);
const isQuoted = (token: string): boolean => /^["'`].+["'`][,.;:]?$/.test(token);
/** A host, class or package name: three parts or more. */
const isDotted = (token: string): boolean => /^\W*[\w$-]+(?:\.[\w$-]+){2,}\W*$/.test(token);
/** After these words stands the name of one of many. */
const namesEntity =
  /^\W*(?:user|username|account|host|hostname|node|pod|container|namespace|queue|topic|table|database|bucket|tenant|client|device)[:=]?$/i;

/** What a numbered name begins with, if that is long enough to say something; otherwise the whole word. */
function stem(token: string): string {
  const end = token.indexOf(wildcard);
  if (end < 0) return token;
  const start = /^\W*([A-Za-z]{3,})/.exec(token.slice(0, end));
  return start?.[1] ? `${start[1]}${wildcard}` : token;
}

function combine(members: Cluster[], places: number[]): Cluster {
  const largest = members.reduce((a, b) => (b.count > a.count ? b : a));
  const tokens = largest.tokens.map((token, place) =>
    places.includes(place) ? generalWord(members.map((member) => member.tokens[place] ?? '')) : token,
  );
  return {
    tokens,
    ...(largest.header === undefined ? {} : { header: largest.header }),
    count: members.reduce((sum, member) => sum + member.count, 0),
    shapes: members.flatMap((member) => member.shapes),
  };
}

/** The wildcard, inside the brackets, quotes and commas that all of the words have. */
function generalWord(words: string[]): string {
  const edge = (pattern: RegExp): string => {
    const edges = new Set(words.map((word) => pattern.exec(word)?.[0] ?? ''));
    return edges.size === 1 ? ([...edges][0] ?? '') : '';
  };
  return `${edge(/^[^\p{L}\p{N}<]*/u)}${wildcard}${edge(/[^\p{L}\p{N}>]*$/u)}`;
}

/**
 * A value that is left out, or is one of several in a place that had one, changes
 * the number of tokens: what has the same words in the same order, and values between them, is one template.
 */
function joinEqualWords(clusters: Cluster[]): Cluster[] {
  const groups = Map.groupBy(clusters, ({ tokens }) => {
    const words = tokens.filter(hasWord);
    return words.length >= 3 && tokens.some(isBareValue) ? words.join(' ') : `\n${tokens.join(' ')}`;
  });
  return [...groups.values()].map((group) => combine(group, []));
}
