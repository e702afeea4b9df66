import { describe, expect, it } from 'vitest';
import { checkCatalog } from './catalog.ts';
import { describeLayout } from './describe.ts';
import type { InputSources } from './inputs.ts';
import { type CatalogEntry, layOut } from './lay-out.ts';
import type { RunbookLayout } from './layout.ts';
import { parseRunbook } from './parse.ts';
import { shownScope } from './secret.ts';

const parsed = (source: string) => {
  const result = parseRunbook(source, `${/^name: (.*)/m.exec(source)?.[1]}.yaml`);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result;
};
const catalogOf = (...sources: string[]): Map<string, CatalogEntry> =>
  new Map(
    sources.map((source, index) => {
      const { definition } = parsed(source);
      return [definition.name, { definition, version: index + 1 }];
    }),
  );
const laid = (catalog: Map<string, CatalogEntry>, name: string, sources: InputSources = {}) =>
  layOut({ runbook: catalog.get(name)!, catalog, sources });
const layoutOf = (...args: Parameters<typeof laid>): RunbookLayout => {
  const result = laid(...args);
  if ('problems' in result) throw new Error(result.problems.join('; '));
  return result.layout;
};
const problemsOf = (...args: Parameters<typeof laid>): string[] => {
  const result = laid(...args);
  return 'problems' in result ? result.problems : [];
};
const checked = (...sources: string[]) =>
  checkCatalog(
    sources.map((source) => ({ file: `${/^name: (.*)/m.exec(source)?.[1]}.yaml`, ...parsed(source) })),
  ).map(({ file, line, col, message }) => `${file}:${line}:${col} ${message}`);

const inner = `
name: inner
inputs: {host: {type: host}, port: {default: 22, type: number}}
execution: {allowed_hosts: [db1], runner: dc2}
steps:
  - {name: Stop, command: [stop, "{{host}}"], rollback: [start, "{{host}}"]}
  - {name: Start, command: [start, "{{host}}", "{{port}}"], condition: {step: Stop, status: succeeded}}
verify:
  - {name: Look, command: [look, "{{host}}"]}
`;

describe('the layout of a runbook', () => {
  it('has nested steps in their place, with values, runner and undo of their own, and verification at the end', () => {
    const catalog = catalogOf(
      inner,
      `
name: outer
execution: {runner: dc1}
steps:
  - {name: First, command: "true"}
  - {name: Replica, type: runbook, runbook: inner, inputs: {host: "{{replica}}"}}
  - {name: Last, command: ls, runner: dc3, rollback: {command: ls, runner: dc4}}
verify:
  - {name: Healthy, url: http://x/}
`,
    );
    const { scopes, steps } = layoutOf(catalog, 'outer', {
      labels: { replica: 'db2', port: '2222' },
      service: 'orders',
    });
    expect(scopes).toEqual([
      {
        runbook: 'outer',
        version: 2,
        values: { replica: 'db2' },
        secretReferences: {},
        secretInputs: [],
        allowedHosts: [],
      },
      {
        runbook: 'inner',
        version: 1,
        values: { host: 'db2', port: '2222' },
        secretReferences: {},
        secretInputs: [],
        allowedHosts: ['db1'],
      },
    ]);
    expect(steps.map(({ name, scope, part, definition }) => [name, scope, part, definition.runner])).toEqual([
      ['First', 0, 'step', 'dc1'],
      ['Replica / Stop', 1, 'step', 'dc2'],
      ['Replica / Start', 1, 'step', 'dc2'],
      ['Replica / Look', 1, 'step', 'dc2'],
      ['Last', 0, 'step', 'dc3'],
      ['Healthy', 0, 'verify', 'dc1'],
    ]);
    expect(steps[1]!.definition.rollback?.action).toMatchObject({ form: { argv: ['start', '{{host}}'] } });
    expect(steps[2]!.definition.conditions).toEqual([{ step: 'Stop', status: 'succeeded' }]);
  });

  it('hands the conditions of a nested runbook to each of its steps, with the scope that they are about', () => {
    const catalog = catalogOf(
      inner,
      `
name: outer
inputs: {kind: {default: replica}}
steps:
  - {name: Try, command: ls, continue_on_fail: true}
  - name: Mend
    type: runbook
    runbook: inner
    inputs: {host: db1}
    condition: [{variable: kind, equals: replica}, {step: Try, status: failed}]
`,
    );
    const { steps } = layoutOf(catalog, 'outer');
    expect(steps[1]!.definition.conditions).toEqual([
      { scope: 0, variable: 'kind', equals: 'replica' },
      { scope: 0, step: 'Try', status: 'failed' },
    ]);
    expect(steps[2]!.definition.conditions).toHaveLength(3);
  });

  it('needs no values for a nested runbook that is not going to run', () => {
    const catalog = catalogOf(
      inner,
      `
name: outer
inputs: {kind: {default: primary}}
steps:
  - {name: Try, command: ls}
  - {name: Mend, type: runbook, runbook: inner, condition: {variable: kind, equals: replica}}
`,
    );
    expect(layoutOf(catalog, 'outer').steps.map(({ name }) => name)).toEqual(['Try']);
    expect(problemsOf(catalog, 'outer', { given: { kind: 'replica' } })).toEqual([
      expect.stringMatching(/^step 'Mend', runbook 'inner': 'host' has no value/),
    ]);
  });

  it('asks before a nested runbook that asks for more than was agreed to, and once', () => {
    const asks =
      'name: asks\nexecution: {approvals: 2}\nsteps:\n  - {name: In, type: runbook, runbook: inner, inputs: {host: h}}\n';
    const auto =
      'name: auto\nexecution: {mode: auto}\nsteps:\n  - {name: Do, type: runbook, runbook: asks}\n';
    const call = (execution: string) =>
      `name: caller\nexecution: {${execution}}\nsteps:\n  - {name: Do, type: runbook, runbook: asks}\n`;
    const catalog = catalogOf(inner, asks, auto);
    const { steps } = layoutOf(catalog, 'auto');
    expect(steps.map(({ name }) => name)).toEqual([
      'Do / Approval',
      'Do / In / Stop',
      'Do / In / Start',
      'Do / In / Look',
    ]);
    expect(steps[0]!.definition.action).toMatchObject({ kind: 'approval', rules: { needed: 2 } });
    const asksInside = (execution: string) =>
      layoutOf(catalogOf(inner, asks, call(execution)), 'caller').steps.length > 3;
    expect(asksInside('approvals: 2')).toBe(false);
    expect(asksInside('approvals: 3, approver_role: owner')).toBe(false);
    // a wrapper takes nothing off what is asked
    expect(asksInside('approvals: 1')).toBe(true);
    expect(asksInside('mode: manual')).toBe(true);
  });

  it('refuses loops, depth, length and what is not there', () => {
    const call = (name: string, other: string, more = '') =>
      `name: ${name}\nsteps:\n  - {name: S, command: ls}\n  - {name: Go, type: runbook, runbook: ${other}}\n${more}`;
    expect(problemsOf(catalogOf(call('a', 'b'), call('b', 'a')), 'a')).toEqual([
      "step 'Go / Go': 'a' would run itself (a → b → a)",
    ]);
    expect(problemsOf(catalogOf(call('a', 'gone')), 'a')).toEqual(["step 'Go': there is no runbook 'gone'"]);
    const chain = [1, 2, 3, 4, 5, 6].map((n) => call(`r${n}`, `r${n + 1}`));
    const deep = catalogOf(...chain, 'name: r7\nsteps: [{name: E, command: ls}]');
    expect(problemsOf(deep, 'r1').join()).toMatch(/at most 5 deep/);
    expect(layoutOf(deep, 'r2').steps).toHaveLength(6);
    const many = Array.from({ length: 50 }, (_, n) => `  - {name: S${n}, command: ls}`).join('\n');
    const five = Array.from({ length: 5 }, (_, n) => `  - {name: G${n}, type: runbook, runbook: many}`).join(
      '\n',
    );
    const long = catalogOf(`name: many\nsteps:\n${many}`, `name: five\nsteps:\n${five}`);
    expect(problemsOf(long, 'five')).toEqual([expect.stringMatching(/more than 200 steps/)]);
  });

  it('is not held up by runbooks that fan out', () => {
    const fan = (name: string, other: string) =>
      `name: ${name}\nsteps:\n${Array.from({ length: 50 }, (_, n) => `  - {name: G${n}, type: runbook, runbook: ${other}}`).join('\n')}`;
    const catalog = catalogOf(
      fan('a', 'b'),
      fan('b', 'c'),
      fan('c', 'd'),
      fan('d', 'e'),
      'name: e\nsteps: [{name: E, command: ls}]',
    );
    expect(problemsOf(catalog, 'a')).toEqual([expect.stringMatching(/more than 200 steps/)]);
  });

  it('takes the nested runbook of its own environment first', () => {
    const catalog = catalogOf(
      inner,
      'name: outer\nsteps: [{name: Go, type: runbook, runbook: inner, inputs: {host: h}}]',
    );
    const own = { definition: { ...catalog.get('inner')!.definition, name: 'prod:inner' }, version: 9 };
    const outer = { definition: { ...catalog.get('outer')!.definition, name: 'prod:outer' }, version: 8 };
    catalog.set('prod:inner', own).set('prod:outer', outer);
    expect(layoutOf(catalog, 'prod:outer').scopes[1]).toMatchObject({ runbook: 'prod:inner', version: 9 });
    expect(layoutOf(catalog, 'outer').scopes[1]).toMatchObject({ runbook: 'inner' });
  });
});

describe('secrets in a layout', () => {
  const nested = 'name: nested\nsteps: [{name: Call, url: http://x/, headers: {authorization: "{{auth}}"}}]';
  const catalog = catalogOf(
    nested,
    `
name: outer
inputs: {token: {from_secret: env:TOKEN}, pin: {secret: true}}
steps:
  - {name: A, type: runbook, runbook: nested, inputs: {auth: "{{token}}"}}
  - {name: B, type: runbook, runbook: nested, inputs: {auth: "Pin {{pin}}"}}
  - {name: C, url: "http://x/", headers: {authorization: "Bearer {{token}}"}}
`,
  );

  it('are references until a step begins, and masked in words', () => {
    const layout = layoutOf(catalog, 'outer', { given: { pin: '4711' } });
    const [outer, a, b] = layout.scopes;
    expect(outer).toMatchObject({ secretReferences: { token: 'env:TOKEN' }, secretInputs: ['token', 'pin'] });
    expect(a).toMatchObject({ values: {}, secretReferences: { auth: 'env:TOKEN' } });
    expect(b).toMatchObject({ values: { auth: 'Pin 4711' }, secretInputs: ['auth'] });
    expect(shownScope(outer!)).toEqual({ token: '***', pin: '***' });
    const words = JSON.stringify(describeLayout(layout));
    expect(words).not.toContain('4711');
    expect(words).toContain('authorization: Bearer ***');
  });

  it('are given by nobody', () => {
    expect(problemsOf(catalog, 'outer', { given: { pin: '1', token: 'x' } })).toEqual([
      "'token' of 'outer' is read from a secret and given by nobody; leave it out",
    ]);
    expect(layoutOf(catalog, 'outer', { labels: { pin: '1', token: 'x' } }).scopes[0]!.values).toEqual({
      pin: '1',
    });
  });

  it.each([
    ['inputs: {t: {from_secret: env:T, default: x}}', /take 'default' out/],
    ['inputs: {t: {from_secret: "TOKEN"}}', /write from_secret as 'env:NAME'/],
    [
      'inputs: {t: {from_secret: env:T}}\nexecution: {target: "{{t}}"}',
      /is a secret, and the target is shown/,
    ],
    ['inputs: {t: {secret: true}}\nexecution: {target: "{{t}}"}', /is a secret, and the target is shown/],
  ])('%j is refused', (top, message) => {
    const result = parseRunbook(`name: x\n${top}\nsteps: [{name: A, command: [a, "{{t}}"]}]`, 'f');
    expect(JSON.stringify(result)).toMatch(message);
  });

  it('decide no condition and are passed on as a whole alone', () => {
    const result = parseRunbook(
      `name: x
inputs: {t: {from_secret: env:T}}
steps:
  - {name: A, command: ls, condition: {variable: t, equals: x}}
  - {name: B, type: runbook, runbook: y, inputs: {z: "a {{t}}"}}`,
      'f',
    );
    expect(JSON.stringify(result)).toMatch(/no condition can look at.*only as a whole/);
  });
});

describe('runbooks that call each other', () => {
  it('are checked together, with file, line and column', () => {
    expect(
      checked(
        inner,
        `name: outer
steps:
  - name: A
    type: runbook
    runbook: iner
  - name: B
    type: runbook
    runbook: inner
    inputs:
      hosts: db1
      port: ssh
`,
      ),
    ).toEqual([
      "outer.yaml:5:14 there is no runbook 'iner'; did you mean 'inner'?",
      "outer.yaml:10:14 the runbook 'inner' has no input 'hosts'; did you mean 'host'?",
      "outer.yaml:11:13 'port' is refused: 'ssh' is not a number such as 80 or 0.5",
    ]);
  });

  it('must not lead back to themselves', () => {
    const call = (name: string, other: string) =>
      `name: ${name}\nsteps: [{name: Go, type: runbook, runbook: ${other}}]`;
    expect(checked(call('a', 'b'), call('b', 'c'), call('c', 'b'))).toEqual([
      expect.stringMatching(/^b.yaml:2:\d+ 'b' would run itself: b → c → b$/),
      expect.stringMatching(/^c.yaml:2:\d+ 'c' would run itself: c → b → c$/),
    ]);
    const chain = [1, 2, 3, 4, 5, 6].map((n) => call(`r${n}`, `r${n + 1}`));
    expect(checked(...chain, 'name: r7\nsteps: [{name: E, command: ls}]')).toEqual([
      expect.stringMatching(/^r1.yaml:2:8 runbooks are nested at most 5 deep; here it would be 6/),
    ]);
  });

  it('may call some from elsewhere', () => {
    const outer = parsed('name: outer\nsteps: [{name: A, type: runbook, runbook: inner}]');
    const files = [{ file: 'outer.yaml', ...outer }];
    expect(checkCatalog(files)).toHaveLength(1);
    expect(checkCatalog(files, new Map([['inner', parsed(inner).definition]]))).toEqual([]);
  });
});

it('says what to do about a pattern that was taken in when more of them were', () => {
  const { definition } = parsed('name: old\ninputs: {a: {}}\nsteps: [{name: A, command: [ls, "{{a}}"]}]');
  const input = definition.inputs.a;
  if (input) input.pattern = '(?=a)a';
  const result = layOut({
    runbook: { definition, version: 1 },
    catalog: new Map(),
    sources: { given: { a: 'a' } },
  });
  expect('problems' in result && result.problems.join()).toMatch(
    /the pattern of 'a' has to be mended in the runbook: a pattern cannot hold/,
  );
});

describe('inputs with a type', () => {
  const { definition } = parsed(`
name: typed
inputs:
  n: {type: number, default: 1}
  yes: {type: boolean, default: true}
  h: {type: host, default: db1}
  u: {type: url, default: "https://x/"}
  o: {options: [a, 1], default: a}
  p: {pattern: "[a-z]{1,3}", default: abc}
steps: [{name: A, command: ls}]`);
  const given = (values: Record<string, string>) =>
    layOut({ runbook: { definition, version: 1 }, catalog: new Map(), sources: { given: values } });

  it('take what they say', () => {
    for (const values of [
      { n: '0.5', yes: 'false', h: '10.0.0.1', o: '1', p: 'z' },
      { h: 'fe80::1' },
      { h: 'a.example.com', u: 'http://[::1]:80/x?y' },
    ]) {
      expect(given(values)).toHaveProperty('layout');
    }
  });

  it.each([
    [{ n: '1; id' }, /'1; id' is not a number/],
    [{ n: '0x10' }, /is not a number/],
    [{ yes: 'yes' }, /is not true or false/],
    [{ h: 'a b' }, /is not a host/],
    [{ h: 'a:80' }, /is not a host/],
    [{ h: 'db1.-' }, /is not a host/],
    [{ u: 'javascript:alert(1)' }, /is not an http/],
    [{ u: 'http://u:p@x/' }, /is not an http/],
    [{ o: 'b' }, /is none of a, 1/],
    [{ p: 'abcd' }, /does not match/],
    [{ p: 'abc\n' }, /does not match/],
  ])('refuse %j', (values, message) => {
    const result = given(values);
    expect('problems' in result && result.problems.join()).toMatch(message);
  });

  it.each([
    ['{type: number, default: many}', /of the default: 'a' is refused: 'many' is not a number/],
    ['{options: [x], default: y}', /is none of x/],
    ['{pattern: "["}', /this is no regular expression/],
    ['{pattern: "(?!-).+"}', /a pattern cannot hold '\(\?!': it looks ahead or back; write what/],
    [
      `{pattern: "(a+)+", default: ${'a'.repeat(40)}!}`,
      /of the default: 'a' is refused: 'a+!' does not match/,
    ],
    ['{type: integer}', /write type as one of: text, number, boolean, host, url/],
    ['{optoins: [a]}', /unknown key 'optoins'; did you mean 'options'\?/],
  ])('%s is refused in a file', (input, message) => {
    const result = parseRunbook(
      `name: x\ninputs: {a: ${input}}\nsteps: [{name: A, command: [a, "{{a}}"]}]`,
      'f',
    );
    expect('problems' in result && result.problems.map((problem) => problem.message).join()).toMatch(message);
  });
});
