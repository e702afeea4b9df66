import { unboundedIn } from '../promql/bounded-expression.ts';
import { brokenFrom } from '../promql/syntax.ts';
import { windowsOf } from './evaluate.ts';
import { type Slo, windowMs, windowPlaceholder } from './slo.ts';

/** As it is asked over one window. */
export const queryOver = (text: string, window: string): string => text.replaceAll(windowPlaceholder, window);

export interface QueryProblem {
  query: 'good' | 'total' | 'errorRatio';
  message: string;
}

/** What Prometheus is not asked for over these windows, because it would read too much; undefined: all may be asked. */
export function unboundedQuery(
  slo: Pick<Slo, 'indicator'>,
  windows: readonly string[],
): QueryProblem | undefined {
  return queriesOf(slo).flatMap(([query, text]) => {
    const message = unboundedOver(text, windows);
    return message === undefined ? [] : [{ query, message }];
  })[0];
}

/** What is wrong with each query before Prometheus has seen it, for whoever writes it. */
export function queryProblems(slo: Slo): QueryProblem[] {
  const windows = windowsOf(slo);
  return queriesOf(slo).flatMap(([query, text]): QueryProblem[] => {
    const rest = brokenFrom(queryOver(text, windows[0] ?? ''));
    if (rest !== undefined) return [{ query, message: `it is no PromQL: ${brokenAt(rest)}` }];
    const unbounded = unboundedOver(text, windows);
    return unbounded === undefined ? [] : [{ query, message: `it would not be asked: ${unbounded}` }];
  });
}

function queriesOf({ indicator }: Pick<Slo, 'indicator'>): [name: QueryProblem['query'], text: string][] {
  if (indicator.type === 'error_ratio') return [['errorRatio', indicator.errorRatio]];
  const { good, total } = indicator;
  return [
    ['good', good],
    ['total', total],
  ];
}

function unboundedOver(text: string, windows: readonly string[]): string | undefined {
  const longestMs = Math.max(...windows.map(windowMs));
  return windows
    .map((window) => unboundedIn(queryOver(text, window), longestMs))
    .find((problem) => problem !== undefined);
}

const brokenAt = (rest: string): string =>
  rest.trim() === '' ? 'something is missing at its end' : `look at '${rest.slice(0, 40)}'`;
