import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

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
  return isPromQl(expression) ? expression : undefined;
}

function isPromQl(expression: string): boolean {
  let isWhole = true;
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.type.isError) isWhole = false;
    },
  });
  return isWhole;
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
