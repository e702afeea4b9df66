import type { TopologyPlan } from '../../domain/topology/declared.ts';
import type { TopologyProblem } from '../../domain/topology/topology-yaml.ts';
import { countText } from './words.ts';

export interface ImportState {
  source: string;
  problems: readonly TopologyProblem[];
  /** What applying it would do; null before it was asked. */
  plan: TopologyPlan | null;
}

const listed = 200;

export function importView({ source, problems, plan }: ImportState) {
  return {
    source,
    rows: Math.min(40, Math.max(16, source.split('\n').length + 2)),
    problems: problems.map(({ line, col, message }) => ({ where: `Line ${line}, column ${col}`, message })),
    plan: plan && planView(plan),
  };
}

/** Each change in a line with its sign; what it says first is how much there is. */
function planView({ services, dependencies }: TopologyPlan) {
  const call = ({ from, to }: { from: string; to: string }) => `${from} calls ${to}`;
  const lines = [
    ...services.added.map(({ name }) => ({ sign: '+', what: 'added', text: name })),
    ...services.changed.map(({ name }) => ({ sign: '~', what: 'changed', text: name })),
    ...services.removed.map((name) => ({ sign: '−', what: 'no longer declared', text: name })),
    ...dependencies.added.map((each) => ({ sign: '+', what: 'added', text: call(each) })),
    ...dependencies.removed.map((each) => ({ sign: '−', what: 'no longer declared', text: call(each) })),
  ];
  const parts = [
    ...countOf(services.added, 'service', 'services', 'added'),
    ...countOf(services.changed, 'service', 'services', 'changed'),
    ...countOf(services.removed, 'service', 'services', 'no longer declared'),
    ...countOf(dependencies.added, 'call', 'calls', 'added'),
    ...countOf(dependencies.removed, 'call', 'calls', 'no longer declared'),
  ];
  const sentence = parts.length === 0 ? 'Nothing would change.' : `What would change: ${parts.join(', ')}.`;
  return {
    sentence,
    lines: lines.slice(0, listed),
    more: Math.max(0, lines.length - listed),
    applies: lines.length > 0,
  };
}

function countOf(list: readonly unknown[], one: string, many: string, what: string): string[] {
  return list.length === 0 ? [] : [`${countText(list.length, one, many)} ${what}`];
}
