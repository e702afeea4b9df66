import type { PrometheusAction } from '../definition.ts';
import { fillQuery, queryProblems } from '../promql-template.ts';
import { visible } from '../shown-text.ts';
import { fillUrl, shownUrl, urlTemplateProblem } from '../url-template.ts';
import { seconds, text, toMs } from '../written.ts';
import { type EffectTypeShape, present } from './step-type.ts';

const keys = {
  query: text('query', 10_000).describe(
    'PromQL. Holds when it returns a sample that is not 0; {{variables}} stand in double-quoted strings.',
  ),
  url: text('url', 4000)
    .optional()
    .describe('Base of the Prometheus API. Default: PROMETHEUS_URL of the worker or runner.'),
  interval: seconds(1, 'interval').default(10).describe('Seconds between two looks.'),
  for: seconds(0, 'for').default(0).describe('Seconds that it has to hold without a break.'),
};

export const prometheusType: EffectTypeShape<PrometheusAction, typeof keys> = {
  kind: 'prometheus',
  keys,
  templates: ['query', 'url'],
  inherited: ['url'],
  defaultTimeoutMs: 300_000,
  read: (written) => ({
    kind: 'prometheus',
    ...present({ url: written.url }),
    query: written.query,
    intervalMs: toMs(written.interval),
    forMs: toMs(written.for),
  }),
  *validate(_, action) {
    const url = action.url === undefined ? undefined : urlTemplateProblem(action.url);
    if (url) yield { place: ['url'], message: url };
    for (const { offset, message } of queryProblems(action.query)) {
      yield { place: ['query'], message, near: action.query.slice(offset, offset + 6) };
    }
  },
  render(action, values) {
    const filled = action.url === undefined ? undefined : fillUrl(action.url, values);
    return {
      kind: 'prometheus',
      ...present({ url: filled?.url }),
      hostFromVariable: filled?.hostFromVariable ?? false,
      query: fillQuery(action.query, values),
      intervalMs: action.intervalMs,
      forMs: action.forMs,
    };
  },
  describe(action, values) {
    const where = action.url === undefined ? 'the Prometheus of its worker' : shownUrl(action.url, values);
    const lasting = action.forMs === 0 ? '' : ` and has held for ${action.forMs / 1000} s`;
    return `wait until this holds at ${where}${lasting}, asked every ${action.intervalMs / 1000} s\n${visible(fillQuery(action.query, values))}`;
  },
};
