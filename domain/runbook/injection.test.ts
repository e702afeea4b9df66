import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { describeLayout } from './describe.ts';
import { type CatalogEntry, layOut } from './lay-out.ts';
import type { RunbookLayout } from './layout.ts';
import { parseRunbook } from './parse.ts';
import { renderAction } from './render.ts';
import type { RenderedAction } from './rendered.ts';
import { shownScope } from './secret.ts';
import { isEffect } from './step-types.ts';

/** What labels and inputs have been seen to carry, or would by somebody who wants to get in. */
const corpus = [
  // shell
  '; touch /tmp/holdfast-pwned',
  '$(touch /tmp/holdfast-pwned)',
  '`touch /tmp/holdfast-pwned`',
  '| touch /tmp/holdfast-pwned',
  '&& touch /tmp/holdfast-pwned &',
  "'; touch /tmp/holdfast-pwned; '",
  '"; touch /tmp/holdfast-pwned; "',
  '\ntouch /tmp/holdfast-pwned\n',
  '> /tmp/holdfast-pwned',
  `$\{IFS}$HOME ~ * ? [a-z]`,
  `"$1" $\{2} $@ $0`,
  '!! !$ ^a^b',
  '\\',
  "\\'",
  '-rf',
  '--',
  '--output=/tmp/holdfast-pwned',
  '#',
  // YAML
  '!!js/function "function(){}"',
  '&a [*a, *a]',
  '- x: y',
  '{a: b}',
  '"\n  - name: evil\n    command: id\n',
  // templates
  '{{y}}',
  '{{ y }}',
  '{{constructor}}',
  '{{#each}}{{/each}}',
  `$\{7*7}`,
  '<%= 7*7 %>',
  '{{ssm:/prod/password}}',
  // headers and urls
  'a\r\nX-Injected: yes',
  'a\nX-Injected: yes',
  '../../admin',
  '..',
  '.',
  '?admin=1',
  '#fragment',
  '@evil.example',
  'evil.example/',
  'http://evil.example/',
  '%2e%2e%2f',
  '//evil.example',
  '\\\\evil.example',
  '169.254.169.254',
  'javascript:alert(1)',
  // terminals and pages
  '\u001b[31mred\u001b[0m',
  '\u001b]0;title\u0007',
  '\u009b2J',
  '\u202edrow',
  '<script>alert(1)</script>',
  // C, SQL, PromQL, JSON
  'a\0b',
  "'; drop table users; --",
  "x' or '1'='1",
  '$$; drop table users; $$',
  '$1',
  "E\\'",
  '"} or vector(1) #',
  '.*',
  '\\"} or up{a="',
  '","admin":true,"x":"',
  '\u2028\u2029',
  '漢字 é 💥',
  ' ',
];

const alphabet = fc
  .array(fc.oneof(fc.constantFrom(...corpus, ...'\'"`$;&|<>(){}[]\\\n\r\t #~*?!=%@:/.,-'), fc.string()), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join(''))
  .filter((value) => value !== '' && value.isWellFormed());

const outer: CatalogEntry = entryOf(`
name: outer
inputs:
  x: {allow_leading_dash: true}
  y: {allow_leading_dash: true}
steps:
  - {name: Line, command: "printf '%s\\\\037' a {{x}} b{{y}} $(printf c) {{x}}"}
  - {name: List, command: [printf, "%s\\\\037", "{{x}}", "b{{y}}"]}
  - {name: Script, script: "printf '%s\\\\037' \\"$@\\"", args: ["{{x}}", "b{{y}}"]}
  - {name: Remote, type: ssh, host: h, user: u, key: env:K, command: "printf '%s\\\\037' {{x}} b{{y}}"}
  - name: Cloud
    type: aws_ssm
    region: eu-central-1
    instances: i-0123456789abcdef0
    commands: "printf '%s\\\\037' {{x}} b{{y}}"
  - name: Database
    type: sql
    connection: env:DB
    statements: "select 'a;b' || {{x}} where c = {{y}} -- '"
  - name: Metrics
    type: prometheus
    query: 'up{a="{{x}}",b=~"^{{y}}$"} == 1'
  - {name: Tell, type: notify, message: "{{x}} and {{y}}"}
  - {name: Nested, type: runbook, runbook: inner, inputs: {z: "{{x}}{{y}}"}}
verify:
  - {name: Look, command: [printf, "%s\\\\037", "{{x}}", "b{{y}}"]}
`);
const inner: CatalogEntry = entryOf(`
name: inner
inputs: {z: {allow_leading_dash: true}}
steps:
  - {name: Say, command: "printf '%s\\\\037' {{z}}"}
`);
/** What not every value fits: where it does not, nothing runs. */
const picky = {
  http: entryOf(`
name: http
inputs: {x: {allow_leading_dash: true}, y: {allow_leading_dash: true}}
steps:
  - name: Call
    url: http://api.internal:81/v1/{{x}}/end?q={{y}}
    method: POST
    headers: {x-value: "{{x}}", authorization: "Bearer {{y}}"}
    body: {value: "{{x}}", list: ["{{y}}"]}
    expect_json: {"a.b": "{{x}}"}`),
  host: entryOf(`
name: host
inputs: {x: {allow_leading_dash: true}, y: {allow_leading_dash: true}}
steps:
  - {name: Call, url: "http://{{x}}/"}
  - {name: Log in, type: ssh, host: "{{y}}", user: u, key: env:K, command: ls}`),
  names: entryOf(`
name: names
inputs: {x: {allow_leading_dash: true}, y: {allow_leading_dash: true}}
steps:
  - {name: Scale, type: kubernetes, operation: restart, workload: "deployment/{{x}}", namespace: "{{y}}"}
  - name: Document
    type: aws_ssm
    region: eu-central-1
    instances: i-0123456789abcdef0
    document: Own-Document
    parameters: {Value: "{{x}}"}`),
};

function entryOf(source: string): CatalogEntry {
  const parsed = parseRunbook(source, 'corpus.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return { definition: parsed.definition, version: 1 };
}

function laidOut(runbook: CatalogEntry, values: Record<string, string>, by: 'labels' | 'given') {
  return layOut({ runbook, catalog: new Map([['inner', inner]]), sources: { [by]: values } });
}

function renderedSteps(layout: RunbookLayout): Map<string, RenderedAction> {
  return new Map(
    layout.steps.flatMap(({ name, scope, definition }) =>
      isEffect(definition.action)
        ? [[name, renderAction(definition.action, layout.scopes[scope]!.values)]]
        : [],
    ),
  );
}

const wordsOf = (program: string, args: readonly string[]): string[] =>
  execFileSync(program, args, { encoding: 'utf8', cwd: '/' }).split('\u001f').slice(0, -1);

/** Each value is what it is, wherever it stands; a value that no program could take was refused before. */
function expectValues(x: string, y: string, by: 'labels' | 'given'): void {
  const laid = laidOut(outer, { x, y }, by);
  if ('problems' in laid) {
    expect(/\0/.test(x + y), laid.problems.join()).toBe(true);
    return;
  }
  const steps = renderedSteps(laid.layout);
  const argvOf = (name: string): [string, ...string[]] => {
    const action = steps.get(name)!;
    if (action.kind !== 'command' && action.kind !== 'ssh') throw new Error(`${name} is no command`);
    return action.argv;
  };
  const run = (name: string) => {
    const [program, ...args] = argvOf(name);
    return wordsOf(program, args);
  };
  expect(run('Line')).toEqual(['a', x, `b${y}`, 'c', x]);
  expect(run('List')).toEqual([x, `b${y}`]);
  expect(run('Script')).toEqual([x, `b${y}`]);
  expect(run('Look')).toEqual([x, `b${y}`]);
  expect(run('Nested / Say')).toEqual([`${x}${y}`]);
  // as the shell of the other side reads what an ssh client sends
  const remote = argvOf('Remote').map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  expect(wordsOf('/bin/sh', ['-c', remote.join(' ')])).toEqual([x, `b${y}`]);
  const cloud = steps.get('Cloud')!;
  if (cloud.kind !== 'aws_ssm') throw new Error('an SSM command was expected');
  const line = cloud.parameters.commands![0]!;
  expect(line).not.toContain('{{');
  expect(wordsOf('/bin/sh', ['-c', line])).toEqual([x, `b${y}`]);
  expect(steps.get('Database')).toMatchObject({
    statements: [{ text: "select 'a;b' || $1 where c = $2 -- '", parameters: [x, y] }],
  });
  const metrics = steps.get('Metrics')!;
  if (metrics.kind !== 'prometheus') throw new Error('a query was expected');
  const strings = /^up\{a=("(?:\\.|[^"\\\n])*"),b=~("(?:\\.|[^"\\\n])*")\} == 1$/u.exec(metrics.query);
  expect(JSON.parse(strings![1]!)).toBe(x);
  // \uNNNN, \" and \\ mean the same to Go and to JSON; what comes out is a regular expression for y alone
  const pattern = new RegExp(JSON.parse(strings![2]!) as string);
  expect(pattern.test(y)).toBe(true);
  expect(pattern.test(`${y}z`)).toBe(false);
}

afterAll(() => expect(existsSync('/tmp/holdfast-pwned')).toBe(false));

describe('a value from a label or an input stays a value', () => {
  it.each(corpus)('as %j', (value) => {
    expectValues(value, 'plain', 'labels');
    expectValues('plain', value, 'given');
  });

  it('whatever it is put together from', () => {
    fc.assert(fc.property(alphabet, alphabet, fc.constantFrom('labels', 'given'), expectValues), {
      numRuns: 60,
    });
  });
});

describe('where not every value fits, one that does not', () => {
  it('makes no other request', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...corpus), alphabet), alphabet, (x, y) => {
        const laid = laidOut(picky.http, { x, y }, 'labels');
        if ('problems' in laid) return;
        const request = renderedSteps(laid.layout).get('Call')!;
        if (request.kind !== 'http') throw new Error('a request was expected');
        expect(request.url.origin).toBe('http://api.internal:81');
        expect(request.url.pathname.split('/')).toHaveLength(4);
        expect(request.url.pathname.startsWith('/v1/')).toBe(true);
        expect([...request.url.searchParams]).toEqual([['q', y]]);
        expect(request.url.hash).toBe('');
        expect(JSON.parse(request.body!)).toEqual({ value: x, list: [y] });
        expect(request.expectJson).toEqual({ 'a.b': x });
        for (const value of Object.values(request.headers)) expect(value).not.toMatch(/[\r\n\0]/);
      }),
      { numRuns: 300 },
    );
  });

  it('leads to no host that is written otherwise', () => {
    for (const value of corpus) {
      const laid = laidOut(picky.host, { x: value, y: 'db1' }, 'labels');
      if ('problems' in laid) continue;
      const request = renderedSteps(laid.layout).get('Call')!;
      // it is a name or an address, and has to be allowed
      expect(request).toMatchObject({ hostFromVariable: true });
      expect(value).toMatch(/^[A-Za-z0-9._:-]+$/);
    }
    for (const value of corpus.filter((one) => one !== '169.254.169.254')) {
      const laid = laidOut(picky.host, { x: 'api', y: value }, 'given');
      expect(laid, value).toHaveProperty('problems');
    }
  });

  it('names no workload, and comes into no document that could be a script', () => {
    for (const value of corpus.filter((one) => !/^[0-9.]+$/.test(one) || one.startsWith('.'))) {
      expect(laidOut(picky.names, { x: value, y: 'shop' }, 'labels'), value).toHaveProperty('problems');
      expect(laidOut(picky.names, { x: 'web', y: value }, 'labels'), value).toHaveProperty('problems');
    }
  });
});

describe('what people are shown of such values', () => {
  /** Of each step with plain values: hostile ones add no line that could pass for one of the runbook's. */
  const linesOf = (runbook: CatalogEntry): number[] => {
    const laid = laidOut(runbook, { x: 'plain', y: 'plain' }, 'labels');
    if ('problems' in laid) throw new Error(laid.problems.join());
    return describeLayout(laid.layout).map(({ description }) => description.split('\n').length);
  };

  it('has no character that a terminal or a page would obey', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...corpus), alphabet), alphabet, (x, y) => {
        for (const runbook of [outer, picky.http]) {
          const laid = laidOut(runbook, { x, y }, 'labels');
          if ('problems' in laid) continue;
          const lines = linesOf(runbook);
          for (const [index, { description }] of describeLayout(laid.layout).entries()) {
            expect(description.split('\n')).toHaveLength(lines[index]!);
            // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
            expect(description).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('can be told apart from what the runbook itself says', () => {
    const laid = laidOut(outer, { x: "a' ; id", y: '\u001b[2J' }, 'labels');
    if ('problems' in laid) throw new Error(laid.problems.join());
    const [line, list] = describeLayout(laid.layout);
    expect(line!.description).toBe(`printf '%s\\037' a 'a'\\'' ; id' b'\\x1b[2J' $(printf c) 'a'\\'' ; id'`);
    expect(list!.description).toBe(`printf '%s\\037' 'a'\\'' ; id' 'b\\x1b[2J'`);
  });

  it('hides a secret in whatever step it stands', () => {
    const secret: CatalogEntry = {
      ...outer,
      definition: {
        ...outer.definition,
        inputs: { ...outer.definition.inputs, x: { ...outer.definition.inputs.x!, secret: true } },
      },
    };
    for (const x of ['hunter2', "hunter2'; id", '$(hunter2)', 'hunter2 "} x']) {
      const laid = laidOut(secret, { x, y: 'plain' }, 'given');
      if ('problems' in laid) throw new Error(laid.problems.join());
      expect(JSON.stringify(describeLayout(laid.layout))).not.toContain('hunter2');
      expect(JSON.stringify(laid.layout.scopes.map(shownScope))).not.toContain('hunter2');
    }
  });
});
