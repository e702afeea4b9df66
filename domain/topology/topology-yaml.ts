import { isMap, LineCounter, stringify } from 'yaml';
import { issueProblems, type Place } from '../runbook/problems.ts';
import { readYaml } from '../runbook/read-yaml.ts';
import { offsetOf } from '../runbook/yaml-offset.ts';
import { type DeclaredTopology, declaredTopology, type TopologyFile, topologyFile } from './declared.ts';

export interface TopologyProblem {
  /** From 1. */
  line: number;
  col: number;
  message: string;
}

/** Plain data: large ones are read in another thread. */
export type ParsedTopology =
  | {
      topology: DeclaredTopology;
      /** Where the teams of the services stand, by 'services.3.team', for what is found out later. */
      teams: Record<string, { line: number; col: number }>;
    }
  | { problems: TopologyProblem[] };

/** Characters. */
export const longestSource = 512 * 1024;
/** Lines and commas: those of as many services and dependencies as there may be, each value in a line of its own. */
const mostParts = 80_000;
const mostProblems = 100;

const known = {
  here: (place: Place) => (place[0] === 'dependencies' ? ['from', 'to'] : serviceKeys),
  anywhere: ['services', 'dependencies'],
};
const serviceKeys = ['name', 'kind', 'description', 'team', 'calls'];

/** Reads what people declare, as YAML or as JSON, which is YAML too. Problems name line and column. Throws nothing. */
export function parseTopology(source: string): ParsedTopology {
  if (source.length > longestSource) {
    return { problems: [{ line: 1, col: 1, message: `write at most ${longestSource / 1024} KiB` }] };
  }
  if (partsOf(source) > mostParts) {
    const message = `write at most ${mostParts} lines and commas`;
    return { problems: [{ line: 1, col: 1, message }] };
  }
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(Math.max(0, offset));
    return { line: line || 1, col: col || 1 };
  };
  const { document, problems: broken } = readYaml(source, lines);
  if (broken.length > 0) {
    return {
      problems: broken
        .slice(0, mostProblems)
        .map(({ offset, message }) => ({ ...at(offset), message: `this is no valid YAML: ${message}` })),
    };
  }
  const root = document.contents;
  if (!isMap(root)) {
    const message = "write a mapping with 'services' and 'dependencies'; this holds something else";
    return { problems: [{ line: 1, col: 1, message }] };
  }
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problems: [{ line: 1, col: 1, message: `this YAML cannot be read: ${reason}` }] };
  }
  const locate = (place: Place) => at(offsetOf(source, root, { place, message: '' }));
  const parsed = topologyFile.safeParse(raw);
  const found = parsed.success
    ? contradictions(parsed.data).map(({ place, message }) => ({ ...locate(place), message }))
    : issueProblems(parsed.error, raw, { known }).map((problem) => ({
        ...at(offsetOf(source, root, problem)),
        message: problem.message,
      }));
  if (!parsed.success || found.length > 0) {
    found.sort((a, b) => a.line - b.line || a.col - b.col);
    return { problems: found.slice(0, mostProblems) };
  }
  const topology = declaredTopology(parsed.data);
  const teams = topology.services.flatMap(({ team }, index) =>
    team === null ? [] : [[`services.${index}.team`, locate(['services', index, 'team'])] as const],
  );
  return { topology, teams: Object.fromEntries(teams) };
}

/** What may become as many values, or problems, is counted before any of them is made. */
function partsOf(source: string): number {
  let parts = 0;
  for (let at = 0; at < source.length; at++) if (source[at] === ',' || source[at] === '\n') parts++;
  return parts;
}

/** What is right in its form and wrong all the same. */
function contradictions(file: TopologyFile): { place: Place; message: string }[] {
  const problems: { place: Place; message: string }[] = [];
  const first = new Map<string, number>();
  for (const [index, { name, calls }] of file.services.entries()) {
    if (first.has(name)) {
      problems.push({
        place: ['services', index, 'name'],
        message: `'${name}' stands here twice; write one entry with everything`,
      });
    }
    first.set(name, index);
    const own = calls.indexOf(name);
    if (own >= 0) {
      problems.push({
        place: ['services', index, 'calls', own],
        message: 'a service need not call itself; take it out',
      });
    }
  }
  for (const [index, { from, to }] of file.dependencies.entries()) {
    if (from !== to) continue;
    problems.push({ place: ['dependencies', index], message: 'a service need not call itself; take it out' });
  }
  return problems;
}

/** As YAML that `parseTopology` reads back: what each service calls stands with it. */
export function topologyYaml({ services, dependencies }: DeclaredTopology): string {
  const calls = Map.groupBy(dependencies, ({ from }) => from);
  const names = new Set(services.map(({ name }) => name));
  const others = dependencies.filter(({ from }) => !names.has(from));
  return stringify(
    {
      services: services.map(({ name, kind, description, team }) => ({
        name,
        kind,
        ...(description === '' ? {} : { description }),
        ...(team === null ? {} : { team }),
        ...(calls.has(name) ? { calls: calls.get(name)?.map(({ to }) => to) } : {}),
      })),
      ...(others.length === 0 ? {} : { dependencies: others }),
    },
    { lineWidth: 0 },
  );
}
