import { type Document, isScalar, type LineCounter, parseDocument, visit, type YAMLMap } from 'yaml';

/** Aliases that are followed: for each the whole file is searched for its anchor. */
const mostAliases = 500;

export interface YamlProblem {
  /** In characters. */
  offset: number;
  message: string;
}

/**
 * Reads YAML, strictly, in time that grows with its length: yaml's own way to find keys that stand twice compares each
 * with each, so they are found here.
 */
export function readYaml(
  source: string,
  lines: LineCounter,
): { document: Document; problems: YamlProblem[] } {
  const document = parseDocument(source, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    uniqueKeys: false,
  });
  const problems = document.errors.map(({ pos, message }) => ({ offset: pos[0], message }));
  let aliases = 0;
  visit(document, {
    Map: (_, map) => {
      problems.push(...keysTwice(map));
    },
    Alias: (_, alias) => {
      if (++aliases <= mostAliases) return undefined;
      const message = `more than ${mostAliases} aliases; write out what they stand for`;
      problems.push({ offset: alias.range?.[0] ?? 0, message });
      return visit.BREAK;
    },
  });
  return { document, problems: problems.sort((a, b) => a.offset - b.offset) };
}

function keysTwice(map: YAMLMap): YamlProblem[] {
  const seen = new Set<unknown>();
  const problems: YamlProblem[] = [];
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) {
      problems.push({
        offset: key.range?.[0] ?? 0,
        message: 'Map keys must be unique',
      });
    }
    seen.add(key.value);
  }
  return problems;
}
