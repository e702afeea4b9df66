import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { formatDuration, parseDuration } from '../duration.ts';

/** Characters, selectors and milliseconds of a range or an offset that an expression from outside may have. */
const most = { length: 2000, selectors: 20, rangeMs: 86_400_000 };

/**
 * Why an expression that somebody sent with an alert is not asked for; undefined where it may be. Whoever has an ingest
 * key chooses it, so it reads named metrics of a short time, as rules of alerts do.
 * @param rangeMs how far back it may reach, milliseconds; a day where it says nothing
 */
export function unboundedIn(expression: string, rangeMs = most.rangeMs): string | undefined {
  if (expression.length > most.length) return `it has more than ${most.length} characters`;
  let problem: string | undefined;
  let selectors = 0;
  const text = ({ from, to }: { from: number; to: number }) => expression.slice(from, to);
  parser.parse(expression).iterate({
    enter: ({ node }) => {
      if (problem !== undefined) return false;
      if (node.name === 'VectorSelector') selectors++;
      problem = selectors > most.selectors ? 'it reads too many metrics' : problemOf(node, text, rangeMs);
      return undefined;
    },
  });
  return problem;
}

function problemOf(
  node: SyntaxNode,
  text: (node: SyntaxNode) => string,
  rangeMs: number,
): string | undefined {
  switch (node.name) {
    case 'SubqueryExpr':
      return 'it has a subquery';
    case 'StepInvariantExpr':
      return "it asks for a time of its own with '@'";
    case 'VectorSelector':
      return isNamed(node, text) ? undefined : 'it reads metrics without a name, or by a pattern of names';
    case 'DurationExpr':
    case 'OffsetDurationExpr':
      return isShort(text(node), rangeMs)
        ? undefined
        : `it reaches back more than ${rangeMs === most.rangeMs ? 'a day' : formatDuration(rangeMs)}`;
    default:
      return undefined;
  }
}

function isNamed(selector: SyntaxNode, text: (node: SyntaxNode) => string): boolean {
  if (selector.getChild('Identifier')) return true;
  const matchers = selector.getChild('LabelMatchers');
  if (!matchers) return false;
  if (matchers.getChild('QuotedLabelName')) return true;
  return matchers.getChildren('UnquotedLabelMatcher').some((matcher) => {
    const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((part) =>
      matcher.getChild(part),
    );
    return (
      label &&
      operator?.getChild('EqlSingle') &&
      value &&
      text(label) === '__name__' &&
      text(value).length > 2
    );
  });
}

/** One duration and no arithmetic: '5m', '1h30m', '-2h', '(300)', seconds where it has no unit. */
function isShort(written: string, rangeMs: number): boolean {
  const duration = /^[-+]?([\d.]+|(?:\d+(?:ms|[smhd]))+)$/.exec(written.replaceAll(/[\s()]/g, ''))?.[1];
  if (duration === undefined) return false;
  const plain = Number(duration);
  const ms = Number.isNaN(plain)
    ? [...duration.matchAll(/\d+(?:ms|[smhd])/g)].reduce(
        (sum, [part]) => sum + (parseDuration(part) ?? Number.POSITIVE_INFINITY),
        0,
      )
    : plain * 1000;
  return ms <= rangeMs;
}
