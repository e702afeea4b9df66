import { parser } from '@prometheus-io/lezer-promql';

/** Where an expression stops being PromQL, as the text from there on; undefined where it is PromQL to its end. */
export function brokenFrom(expression: string): string | undefined {
  let broken: number | undefined;
  parser.parse(expression).iterate({
    enter: ({ type, from }) => {
      if (type.isError) broken ??= from;
    },
  });
  return broken === undefined ? undefined : expression.slice(broken);
}
