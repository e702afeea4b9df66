import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunbookDefinition } from './definition.ts';
import { describeLayout } from './describe.ts';
import { resolveInputs, targetOf } from './inputs.ts';
import { layOut } from './lay-out.ts';
import { matchRunbooks } from './match.ts';
import { parseRunbook } from './parse.ts';
import { renderAction } from './render.ts';
import { isEffect } from './step-types.ts';
import { fillUrl } from './url-template.ts';

const runbook = (source: string): RunbookDefinition => {
  const parsed = parseRunbook(`name: mend\n${source}`, 'test.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.definition;
};
const render = (definition: RunbookDefinition, index: number, values: Record<string, string>) => {
  const action = definition.steps[index]!.action;
  if (!isEffect(action)) throw new Error('a step with an effect was expected');
  return renderAction(action, values);
};

describe('inputs', () => {
  const definition = runbook(`
inputs:
  pod: {from_label: kubernetes_pod}
  count: {default: 3}
  options: {required: false, allow_leading_dash: true}
  token: {required: false, secret: true}
steps:
  - {name: A, command: [mend, "{{service_name}}", "{{pod}}", "{{count}}", "{{options}}"]}`);

  it('come from what was given, then the label, then the service, then the default', () => {
    const labels = { kubernetes_pod: 'web-0', count: '5' };
    expect(resolveInputs(definition, { labels, service: 'checkout' })).toEqual({
      values: { pod: 'web-0', count: '5', options: '', token: '', service_name: 'checkout' },
    });
    expect(
      resolveInputs(definition, { given: { pod: 'web-1', service_name: 'cart' }, labels, service: 'x' }),
    ).toMatchObject({
      values: { pod: 'web-1', service_name: 'cart' },
    });
    expect(resolveInputs(definition, { labels: { kubernetes_pod: 'p' }, service: 's' })).toMatchObject({
      values: { count: '3' },
    });
  });

  it('that are missing or unknown are problems with the remedy, before anything runs', () => {
    expect(resolveInputs(definition, { given: { podd: 'x' } })).toEqual({
      problems: [
        "the runbook 'mend' has no input 'podd'; it has: pod, count, options, token, service_name",
        expect.stringMatching(/'pod' has no value: give it .* add the label 'kubernetes_pod'/),
        expect.stringMatching(/'service_name' has no value/),
      ],
    });
  });

  it.each([
    ['-rf', /begins with '-'/],
    ['a\0b', /NUL/],
    ['x'.repeat(20_000), /longer than/],
  ])('refuse %j', (pod, message) => {
    const resolved = resolveInputs(definition, { given: { pod }, service: 's' });
    expect('problems' in resolved && resolved.problems.join()).toMatch(message);
  });

  it('may begin with a dash where the runbook allows it', () => {
    expect(resolveInputs(definition, { given: { pod: 'p', options: '-v' }, service: 's' })).toMatchObject({
      values: { options: '-v' },
    });
  });

  it('never repeat the value of a secret', () => {
    const resolved = resolveInputs(definition, { given: { pod: 'p', token: '-hunter2' }, service: 's' });
    expect(JSON.stringify(resolved)).toMatch(/'token' is refused/);
    expect(JSON.stringify(resolved)).not.toContain('hunter2');
  });

  it('are not taken from what every object has', () => {
    const odd = runbook('steps: [{name: A, command: [x, "{{constructor}}", "{{toString}}"]}]');
    expect(resolveInputs(odd, { labels: {}, given: {} })).toEqual({
      problems: [expect.stringContaining("'constructor'"), expect.stringContaining("'toString'")],
    });
  });

  it('that make no url are found before anything runs', () => {
    const http = runbook('steps: [{name: Check, url: "{{health_check_url}}"}]');
    expect(resolveInputs(http, { given: { health_check_url: 'file:///etc/passwd' } })).toEqual({
      problems: ["step 'Check': 'file:///etc/passwd' is neither an http nor an https url"],
    });
  });
});

describe('labels, however hostile,', () => {
  const definition = runbook(`
steps:
  - {name: Shell, command: "printf '%s\u241f' a {{x}} b{{y}}"}
  - {name: Argv, command: [printf, "%s\u241f", a, "{{x}}", "b{{y}}"]}`);
  const label = fc
    .array(
      fc.constantFrom(
        "'",
        '"',
        '`',
        '$(id)',
        '$((1))',
        '\\',
        '\n',
        ';',
        '&',
        '|',
        '>',
        '*',
        '-x',
        '{{y}}',
        '$1',
        '#',
        ' ',
        'é',
        'a',
      ),
      { minLength: 1 },
    )
    .map((parts) => parts.join(''));

  it('are one argument each, or refused before anything runs', () => {
    fc.assert(
      fc.property(label, label, (x, y) => {
        const resolved = resolveInputs(definition, { labels: { x, y } });
        if ('problems' in resolved) {
          expect(x.startsWith('-') || y.startsWith('-')).toBe(true);
          return;
        }
        for (const index of definition.steps.keys()) {
          const rendered = render(definition, index, resolved.values);
          if (rendered.kind !== 'command') throw new Error('a command was expected');
          const [program, ...args] = rendered.argv;
          const output = execFileSync(program, args, { encoding: 'utf8' });
          expect(output.split('\u241f').slice(0, -1)).toEqual(['a', x, `b${y}`]);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('the target', () => {
  it('is what the runbook says, else the service, else the runbook', () => {
    const steps = 'steps: [{name: A, command: [x, "{{pod}}"]}]';
    expect(targetOf(runbook(`execution: {target: "pod {{pod}}"}\n${steps}`), { pod: 'a' }, 's')).toBe(
      'pod a',
    );
    expect(targetOf(runbook(steps), { pod: 'a' }, 's')).toBe('s');
    expect(targetOf(runbook(steps), { pod: 'a', service: 'given' }, 's')).toBe('given');
    expect(targetOf(runbook(steps), { pod: 'a' }, undefined)).toBe('runbook:mend');
  });
});

describe('matching', () => {
  const definition = runbook(`
triggers:
  - {alert_pattern: "ServiceDown*", severity: [critical], min_duration_seconds: 300}
  - {alert_pattern: "ServiceDown*", min_duration_seconds: 60, labels: {env: "prod*"}}
steps: [{name: A, command: ls}]`);
  const alert = { alertName: 'ServiceDownHard', severity: 'critical' as const, labels: {} };

  it('takes an alert that meets all of one trigger, with the shortest duration', () => {
    expect(matchRunbooks([definition], alert)).toEqual([
      { name: 'mend', minDurationMs: 300_000, mode: 'semi_auto' },
    ]);
    expect(matchRunbooks([definition], { ...alert, labels: { env: 'production' } })).toMatchObject([
      { minDurationMs: 60_000 },
    ]);
  });

  it('takes those of its own environment alone', () => {
    const staging = { ...definition, name: 'staging:mend' };
    const production = {
      ...definition,
      execution: { ...definition.execution, environments: ['prod*'] },
    };
    const called = (labels: Record<string, string>) =>
      matchRunbooks([staging, production], { ...alert, labels }).map(({ name }) => name);
    expect(called({ env: 'staging' })).toEqual(['staging:mend']);
    expect(called({ environment: 'production' })).toEqual(['mend']);
    expect(called({})).toEqual([]);
  });

  it('takes no other', () => {
    expect(matchRunbooks([definition], { ...alert, severity: 'low' })).toEqual([]);
    expect(matchRunbooks([definition], { ...alert, alertName: 'Other' })).toEqual([]);
    expect(matchRunbooks([runbook('steps: [{name: A, command: ls}]')], alert)).toEqual([]);
  });
});

describe('urls', () => {
  it('encode values in path and query', () => {
    expect(fillUrl('http://api/x/{{a}}?q={{b}}#{{a}}', { a: 'a/../b?', b: 'x&y=1' }).url.href).toBe(
      'http://api/x/a%2F..%2Fb%3F?q=x%26y%3D1#a%2F..%2Fb%3F',
    );
  });

  it.each(['.', '..'])('refuse %j as a piece of the path', (a) => {
    expect(() => fillUrl('http://api/{{a}}/restart', { a })).toThrow(/leave its place/);
  });

  it('know whether a value had a say in the host', () => {
    expect(fillUrl('http://api/{{a}}', { a: 'x' }).hostFromVariable).toBe(false);
    expect(fillUrl('http://{{a}}/', { a: 'api:8080' })).toMatchObject({ hostFromVariable: true });
    expect(fillUrl('http://api:{{a}}/', { a: '8080' })).toMatchObject({ hostFromVariable: true });
    expect(fillUrl('http://api{{a}}/x', { a: '.evil.example' })).toMatchObject({ hostFromVariable: true });
    expect(fillUrl('{{a}}', { a: 'https://api/x?y' })).toMatchObject({ hostFromVariable: true });
  });

  it.each(['a/b', 'a@b', 'a?b', 'a#b', 'a b', 'a\\b', '', 'a:b'])('refuse %j as a host', (a) => {
    expect(() => fillUrl('http://{{a}}/x', { a })).toThrow(RangeError);
  });

  it('keep a literal host whatever the values are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (a, b) => {
        try {
          const { url } = fillUrl('http://api.internal:81/v1/{{a}}/x?q={{b}}', { a, b });
          expect(url.host).toBe('api.internal:81');
          expect(url.pathname.split('/')).toHaveLength(4);
          expect([...url.searchParams.keys()]).toEqual(['q']);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe('rendering and describing', () => {
  const definition = runbook(`
inputs: {token: {secret: true}}
steps:
  - name: Call
    url: https://{{host}}/restart
    method: post
    headers: {authorization: "Bearer {{token}}"}
    body: {service: "{{service}}", dry: false}
    expected_status: [200, 202]
  - {name: Shell, command: "echo {{service}} >> /tmp/{{token}}", requires_sudo: true, rollback: [rm, "{{service}}"]}`);
  const values = { host: 'api', token: 'hunter2', service: `it's "x"` };

  it('keeps values inside the strings of a JSON body', () => {
    expect(render(definition, 0, values)).toMatchObject({
      body: JSON.stringify({ service: `it's "x"`, dry: false }),
      headers: { authorization: 'Bearer hunter2', 'content-type': 'application/json' },
    });
  });

  it('refuses a header of two lines', () => {
    expect(() => render(definition, 0, { ...values, token: 'a\r\nx: y' })).toThrow(/'authorization'/);
  });

  it('shows exactly what will be done, secrets masked and control characters visible', () => {
    const laid = layOut({
      runbook: { definition, version: 1 },
      catalog: new Map(),
      sources: { given: { ...values, service: 'a\u001b[31m b' } },
    });
    if ('problems' in laid) throw new Error(laid.problems.join());
    const [call, shell] = describeLayout(laid.layout);
    expect(call!.description.split('\n')).toEqual([
      'POST https://api/restart',
      'authorization: Bearer ***',
      'content-type: application/json',
      '',
      '{"service":"a\\u001b[31m b","dry":false}',
      '',
      'expects status 200 or 202',
    ]);
    expect(shell).toMatchObject({
      description: `sudo -n echo 'a\\x1b[31m b' >> /tmp/***`,
      rollback: `sudo -n rm 'a\\x1b[31m b'`,
    });
  });
});
