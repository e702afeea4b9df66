import { cut, isError, type LogLine } from './log-line.ts';

/** What the logs say of one service: evidence for or against its being the cause. */
export interface ServiceLogs {
  service: string;
  /** Lines of an error's level beyond those that are usual in a window of this length. */
  errors: number;
  /** Patterns of an error's or a warning's level that were not seen in the hour before. */
  newPatterns: number;
  /** One of its errors, of the most frequent new kind where there is one; absent where it has no errors. */
  sample?: string;
  /** Other services that its errors name, the most named first. */
  mentions: string[];
}

/** A line with what is known of its pattern, see log-evidence.ts. */
export interface LineOfPattern extends LogLine {
  group: number;
  isNew: boolean;
}

const most = { services: 200, mentions: 20 };
/** Names shorter than this ('db', 'a') stand in texts by chance. */
const shortestName = 3;
const sampleLength = 500;
/** Characters of a message in which names are looked for. */
const searched = 1000;

/**
 * `usualErrors`: error lines per service that a window of this length usually has. `known`: names of services that
 * errors may mention. The services with the most errors come first.
 */
export function logsByService(
  lines: readonly LineOfPattern[],
  usualErrors: ReadonlyMap<string, number>,
  known: Iterable<string>,
): ServiceLogs[] {
  const ofService = Map.groupBy(
    lines.filter((line) => line.service !== null),
    (line) => line.service ?? '',
  );
  const names = serviceNames([...known, ...ofService.keys()]);
  return [...ofService]
    .map(([service, own]): ServiceLogs => {
      const errors = own.filter((line) => isError(line.level));
      const telling = own.filter((line) => line.isNew && (isError(line.level) || line.level === 'warn'));
      const newErrors = errors.filter((line) => line.isNew);
      const sample = mostFrequent(newErrors.length > 0 ? newErrors : errors);
      return {
        service,
        errors: Math.max(0, Math.round(errors.length - (usualErrors.get(service) ?? 0))),
        newPatterns: new Set(telling.map((line) => line.group)).size,
        ...(sample ? { sample: cut(sample.message, sampleLength) } : {}),
        mentions: mentioned(errors, names, service),
      };
    })
    .sort((a, b) => b.errors - a.errors || b.newPatterns - a.newPatterns)
    .slice(0, most.services);
}

function mostFrequent(lines: LineOfPattern[]): LineOfPattern | undefined {
  const groups = [...Map.groupBy(lines, (line) => line.group).values()];
  return groups.reduce<LineOfPattern[]>((a, b) => (b.length > a.length ? b : a), [])[0];
}

/** By their small letters. */
function serviceNames(names: string[]): Map<string, string> {
  return new Map(
    names.filter((name) => name.length >= shortestName).map((name) => [name.toLowerCase(), name]),
  );
}

/** Words of a line as host and service names are written: 'http://stock-api.shop.svc:8080/x' names stock-api. */
const nameLike = /[\p{L}\p{N}_][\p{L}\p{N}_.-]*/gu;

function mentioned(errors: LineOfPattern[], names: Map<string, string>, own: string): string[] {
  const counts = new Map<string, number>();
  for (const { message } of errors) {
    const found = new Set<string>();
    for (const [word] of message.slice(0, searched).toLowerCase().matchAll(nameLike)) {
      const name = names.get(word) ?? names.get(word.split('.', 1)[0] ?? '');
      if (name !== undefined && name !== own) found.add(name);
    }
    for (const name of found) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most.mentions)
    .map(([name]) => name);
}
