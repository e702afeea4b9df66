import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { brokenFrom } from '../../domain/promql/syntax.ts';

/** What an alert's rule measures, apart from what it compares that with. */
export interface AlertExpression {
  /** PromQL without the comparison: its series can be drawn also while the alert does not fire. */
  measured: string;
  /** The number that it is compared with; null where that is no plain number, or where nothing is compared. */
  threshold: number | null;
}

/** An expression longer than this is no rule that somebody wrote. */
const longest = 4_000;

/**
 * The expression in an alert's generatorURL, as Prometheus writes it: '/graph?g0.expr=…'. Undefined where there is
 * none or it is no PromQL: what else writes such links (Grafana, Mimir's own pages) is not asked for.
 */
export function expressionOf(generatorUrl: string): string | undefined {
  if (!URL.canParse(generatorUrl)) return undefined;
  const expression = new URL(generatorUrl).searchParams.get('g0.expr')?.trim();
  if (!expression || expression.length > longest) return undefined;
  return brokenFrom(expression) === undefined ? expression : undefined;
}

const comparisons = new Set(['Gtr', 'Gte', 'Lss', 'Lte', 'Eql', 'Neq']);
const setOperators = new Set(['And', 'Or', 'Unless']);

/**
 * Of `a > 5` it is `a` and 5; of `a > 5 and b < 3` the first part, for that is what gives the alert its value and its
 * labels; of `5 < a` the other side.
 */
export function alertExpression(expression: string): AlertExpression {
  const text = (node: SyntaxNode) => expression.slice(node.from, node.to);
  let node = expressionIn(parser.parse(expression).topNode);
  while (node?.name === 'BinaryExpr') {
    const parts = partsOf(node);
    if (!parts) break;
    const { left, operator, right } = parts;
    if (setOperators.has(operator)) {
      node = unwrap(left);
      continue;
    }
    if (!comparisons.has(operator)) break;
    const [above, below] = [numberIn(text(right)), numberIn(text(left))];
    return below === null || above !== null
      ? { measured: text(unwrap(left)), threshold: above }
      : { measured: text(unwrap(right)), threshold: below };
  }
  return { measured: node ? text(node) : expression, threshold: null };
}

function partsOf(node: SyntaxNode): { left: SyntaxNode; operator: string; right: SyntaxNode } | undefined {
  const left = node.firstChild;
  const right = node.lastChild;
  const operator = left?.nextSibling;
  return left && operator && right ? { left, operator: operator.name, right } : undefined;
}

function expressionIn(top: SyntaxNode): SyntaxNode | undefined {
  return top.firstChild ? unwrap(top.firstChild) : undefined;
}

/** Without the brackets around the whole of it. */
function unwrap(node: SyntaxNode): SyntaxNode {
  const inner = node.name === 'ParenExpr' ? node.firstChild : null;
  return inner ? unwrap(inner) : node;
}

/** '0.05', '-1', '1e3', '(90)'. */
function numberIn(text: string): number | null {
  const bare = text.replaceAll(/[\s()]/g, '');
  const value = bare === '' ? Number.NaN : Number(bare);
  return Number.isFinite(value) ? value : null;
}

/** The metrics that an expression reads, each once, in their order. */
export function metricNames(expression: string): string[] {
  const names = new Set<string>();
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.name !== 'VectorSelector') return;
      const name = node.node.getChild('Identifier');
      if (name) names.add(expression.slice(name.from, name.to));
    },
  });
  return [...names];
}

/** What leaves the unit of its argument as it is, other than aggregations across series. */
const unitKept = new Set([
  'histogram_quantile',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'last_over_time',
  'quantile_over_time',
  'abs',
  'sort',
  'sort_desc',
]);
const units = /_(seconds|bytes|ratio|percent|celsius|volts|amperes|joules|meters|grams)(?:_bucket|_sum)?$/;

/**
 * The unit of what it measures, by Prometheus's conventions of naming; null where that has none, and where something is
 * calculated that has another one. The quantile of a histogram's rates is in the unit of what was observed.
 */
export function unitOfExpression(expression: string): string | null {
  const [name, ...others] = metricNames(expression);
  if (name === undefined || others.length > 0) return null;
  const functions: string[] = [];
  let isCalculated = false;
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.name === 'BinaryExpr') isCalculated = true;
      if (node.name === 'FunctionIdentifier')
        functions.push(expression.slice(node.from, node.to).toLowerCase());
      if (node.name === 'AggregateOp') isCalculated ||= /^count/i.test(expression.slice(node.from, node.to));
    },
  });
  const ofHistogram = functions.includes('histogram_quantile');
  if (isCalculated || !(ofHistogram || functions.every((each) => unitKept.has(each)))) return null;
  return units.exec(name)?.[1] ?? null;
}
