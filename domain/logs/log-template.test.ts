import { expect, test } from 'vitest';
import { type LogTemplate, logTemplate, renderTemplate } from './log-template.ts';

const quote = (value: string): string => JSON.stringify(value);
const written = (kind: LogTemplate['kind'], query: string): string => {
  const parsed = logTemplate.safeParse({ kind, query });
  return parsed.success ? 'good' : (parsed.error.issues[0]?.message ?? '');
};
const rendered = (kind: LogTemplate['kind'], query: string, labels: Record<string, string>) =>
  renderTemplate(logTemplate.parse({ kind, query }), { labels }, quote);

test('values of the alert stand in it as quoted literals', () => {
  const labels = { alertname: 'High', app: 'check"out', pod: 'p-1', region: 'eu' };
  expect(rendered('loki', '{app={{service}}, region={{ labels.region }}} |= {{pod}}', labels)).toEqual({
    statement: '{app="check\\"out", region="eu"} |= "p-1"',
  });
  expect(rendered('splunk', 'service={{service}} OR alert IN ({{alert}})', labels)).toEqual({
    statement: 'service="check\\"out" OR alert IN ("High")',
  });
});

test('it is not used where the alert lacks a value, or the language cannot write it', () => {
  expect(rendered('loki', '{app={{service}}}', {})).toEqual({ missing: 'the alert has no service' });
  expect(
    renderTemplate(
      logTemplate.parse({ kind: 'splunk', query: 'a={{service}}' }),
      { labels: { app: '*' } },
      () => null,
    ),
  ).toEqual({ missing: 'the value of service cannot be written in SPL' });
});

test.each([
  ['loki', '{app={{service}}}', 'good'],
  ['loki', 'app={{service}}', /stream selector/],
  ['loki', '{app="{{service}}"}', /take away the quotes/],
  ['loki', '{app="shop-{{service}}"}', /take away the quotes/],
  ['loki', '{app=~{{service}}}', /after '~'/],
  ['loki', '{app="x"} |~ {{service}}', /after '~'/],
  ['loki', '{app={{servce}}}', /\{\{servce\}\} stands for nothing: write \{\{alert\}\}/],
  ['loki', '{app={{labels.a-b}}}', /not understood between/],
  ['elasticsearch', 'service.name:{{service}} AND NOT path:\\/healthz', 'good'],
  ['elasticsearch', 'service.name:/{{service}}.*/', /take away the quotes or slashes/],
  ['elasticsearch', 'name:x{{service}}', /leave nothing directly before/],
  ['cloudwatch', 'filter service = {{service}} and @message like "fatal"', 'good'],
  ['cloudwatch', 'filter @message like /a {{service}}/', /take away the quotes or slashes/],
  ['cloudwatch', "filter service = '{{service}}'", /take away the quotes/],
  ['cloudwatch', 'filter a = 1 | stats count()', /choose lines only/],
  ['cloudwatch', 'service = 1', /begin with a command/],
  ['splunk', 'service={{service}} | where level="error"', 'good'],
] as const)('%s: %s', (kind, query, expected) => {
  expect(written(kind, query)).toEqual(
    expected instanceof RegExp ? expect.stringMatching(expected) : expected,
  );
});
