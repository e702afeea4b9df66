import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RunbookDefinition, stepTypes } from './definition.ts';
import { describeLayout } from './describe.ts';
import { layOut } from './lay-out.ts';
import { parseRunbook } from './parse.ts';
import { knownKeys, runbookJsonSchema } from './schema.ts';

const shipped = (file: string) => readFileSync(new URL(`../../runbooks/${file}`, import.meta.url), 'utf8');

const definitionOf = (source: string): RunbookDefinition => {
  const parsed = parseRunbook(source, 'test.yaml');
  if ('problems' in parsed)
    throw new Error(parsed.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  return parsed.definition;
};
const problemsOf = (source: string): string[] => {
  const parsed = parseRunbook(source, 'test.yaml');
  return 'problems' in parsed
    ? parsed.problems.map(({ line, col, message }) => `${line}:${col} ${message}`)
    : [];
};
const withStep = (step: string, top = '') =>
  `name: x\n${top}steps:\n  - name: A\n${step.replaceAll(/^/gm, '    ')}\n`;

const restartService = `name: restart-service
description: Restart a failing service and prove that it is healthy
category: infrastructure
tags: [restart, recovery]
triggers:
  - alert_pattern: "ServiceDown*"
    severity: [critical, warning]
    min_duration_seconds: 300
execution:
  mode: semi_auto          # manual | semi_auto (asks) | auto
  approval_timeout: 30     # minutes
  max_per_hour: 5
steps:
  - name: Check current status
    command: systemctl status {{service_name}}
    timeout: 30            # seconds
    continue_on_fail: true
  - name: Restart
    command: systemctl restart {{service_name}}
    requires_sudo: true
    timeout: 60
    rollback: systemctl start {{service_name}}
  - name: Verify health
    type: api
    url: "{{health_check_url}}"
    expected_status: 200
    retries: 3
    retry_delay: 10
`;

describe('a runbook file', () => {
  it('is read with times in milliseconds and defaults filled in', () => {
    const definition = definitionOf(restartService);
    expect(definition).toMatchObject({
      name: 'restart-service',
      triggers: [
        {
          alertPattern: 'ServiceDown*',
          severity: ['critical', 'warning'],
          minDurationMs: 300_000,
          labels: {},
        },
      ],
      execution: {
        mode: 'semi_auto',
        approval: {
          needed: 1,
          role: 'operator',
          teams: [],
          notRequester: false,
          timeoutMs: 1_800_000,
          onTimeout: 'expire',
        },
        maxPerHour: 5,
        cooldownMs: 300_000,
        allowedHosts: [],
      },
    });
    expect(
      definition.steps.map(({ name, type, timeoutMs, retries, continueOnFail }) => [
        name,
        type,
        timeoutMs,
        retries,
        continueOnFail,
      ]),
    ).toEqual([
      ['Check current status', 'command', 30_000, 0, true],
      ['Restart', 'command', 60_000, 0, false],
      ['Verify health', 'http', 30_000, 3, false],
    ]);
  });

  it('makes undeclared variables required inputs', () => {
    const { inputs } = definitionOf(restartService);
    expect(inputs).toEqual({
      service_name: { type: 'text', required: true, allowLeadingDash: false, secret: false },
      health_check_url: { type: 'text', required: true, allowLeadingDash: false, secret: false },
    });
  });

  it('gives the undo of a step its sudo, time-out and form', () => {
    const { steps } = definitionOf(restartService);
    expect(steps[1]?.rollback).toEqual({
      action: { kind: 'command', form: { shell: 'systemctl start {{service_name}}' }, requiresSudo: true },
      timeoutMs: 60_000,
    });
    const other = definitionOf(
      withStep(
        'command: [a, b]\nrollback:\n  url: http://x/undo\n  method: post\n  body: {id: "{{id}}"}\n  timeout: 7',
      ),
    );
    expect(other.steps[0]?.rollback).toMatchObject({
      timeoutMs: 7000,
      action: { kind: 'http', method: 'POST', body: { json: { id: '{{id}}' } } },
    });
    expect(other.inputs.id).toMatchObject({ required: true });
  });

  it('may list hosts by name, wildcard, address and network', () => {
    const hosts = [
      'api',
      '*.example.com',
      'api:8080',
      '10.0.0.1',
      '10.0.0.0/8',
      '::1',
      '[::1]:80',
      'fd00::/8',
    ];
    expect(
      definitionOf(withStep('command: ls', `execution: {allowed_hosts: ${JSON.stringify(hosts)}}\n`))
        .execution.allowedHosts,
    ).toEqual(hosts);
  });

  it('may declare inputs by name alone, with a default, or from another label', () => {
    const { inputs } = definitionOf(
      withStep(
        'command: [a, "{{a}}", "{{b}}", "{{c}}"]',
        'inputs:\n  a:\n  b: {default: 5}\n  c: {from_label: pod, secret: true}\n',
      ),
    );
    expect(inputs).toEqual({
      a: { type: 'text', required: true, allowLeadingDash: false, secret: false },
      b: { type: 'text', required: false, default: '5', allowLeadingDash: false, secret: false },
      c: { type: 'text', required: true, fromLabel: 'pod', allowLeadingDash: false, secret: true },
    });
  });
});

describe('problems of a runbook file', () => {
  it.each([
    ['name: [', /^1:8 this is no valid YAML/],
    ['- a', /^1:1 a runbook is a mapping/],
    ['', /^1:1 a runbook is a mapping/],
    ['name: x', /^1:1 'steps' is missing; add it/],
    ['name: x\nsteps: []', /^2:8 a runbook needs at least one step/],
    ['name: X y\nsteps: [{name: a, command: b}]', /^1:7 name must begin with a lower-case/],
    ['name: x\nname: y\nsteps: []', /unique/],
    [
      withStep('command: ls', 'descripton: x\n'),
      /^2:1 unknown key 'descripton'; did you mean 'description'\?/,
    ],
    [withStep('command: ls', 'timeout: 5\n'), /^2:1 'timeout' has no place here/],
    [
      withStep('command: ls', 'triggers: [{alert_pattern: A, severity: urgent}]\n'),
      /^2:41 write severity as one or a list of: critical/,
    ],
    [
      withStep('command: ls', `triggers: [{alert_pattern: A, labels: {env: "${'*a'.repeat(151)}"}}]\n`),
      /^2:45 write a glob of at most 300 characters/,
    ],
    [
      withStep('command: ls', 'execution: {mode: always}\n'),
      /^2:19 write mode as one of: manual, semi_auto, auto/,
    ],
    [withStep('command: ls', 'execution: {approvals: 0}\n'), /^2:24 approvals must be at least 1/],
    [withStep('command: ls', 'execution: {allowed_hosts: ["http://x/"]}\n'), /^2:29 write a host as a name/],
    [withStep('command: ls', 'execution: {allowed_hosts: ["*"]}\n'), /^2:29 write a host as a name/],
    [withStep('comand: ls'), /^3:5 this step does nothing; did you mean 'command'\?/],
    [withStep('type: kubernets'), /^4:11 'kubernets' is no step type; did you mean 'kubernetes'\?/],
    [withStep('type: kubernetes'), /^3:5 'operation' is missing; add it/],
    [withStep('command: ls\nurl: http://x'), /^5:10 a step has a command or a url, not both/],
    [withStep('command: ls\ntimeout: soon'), /^5:14 write timeout as a number of seconds/],
    [withStep('command: ls\nretries: -1'), /^5:14 retries must not be negative/],
    [withStep('command: echo "{{x}}"'), /^4:20 a variable inside double quotes/],
    [withStep("command: ls\nrollback: echo '{{x}}'"), /^5:21 a variable inside single quotes/],
    [withStep('command: [sh, -c, "echo {{x}}"]'), /^4:23 'sh' runs this argument as code/],
    [withStep('command: ["{{x}}", a]'), /^4:15 a variable cannot name the program/],
    [withStep('command: ls {{service-name}}'), /^4:17 '\{\{' begins no variable here/],
    [withStep('url: ftp://x/'), /^4:10 a url begins with http:\/\/ or https:\/\//],
    [withStep('url: "{{scheme}}://x/"'), /^4:10 a url begins with/],
    [withStep('url: http://user:pass@x/'), /^4:10 credentials do not belong in a url/],
    [withStep('url: http://x/\nbody: {a: 1}'), /^5:5 a GET request has no body/],
    [
      withStep('url: http://x/\nmethod: post\nbody: \'{"a": "{{x}}"}\''),
      /^6:11 a variable inside JSON or XML text/,
    ],
    [withStep('url: http://x/\nexpected_status: ok'), /^5:22 write expected_status as a status/],
    [withStep('url: http://x/\nheaders: {host: y}'), /the header 'host' is set by the request itself/],
    [
      withStep('command: ls {{service}}', 'inputs: {servce: {default: -x}}\n'),
      /^2:10 no step uses the input 'servce'/,
    ],
    [
      withStep('command: ls {{a}}', 'inputs: {a: {default: -rf}}\n'),
      /^2:23 the default of 'a' begins with '-'/,
    ],
  ])('of %j name line, column, rule and fix', (source, expected) => {
    expect(problemsOf(source).join('\n')).toMatch(new RegExp(expected.source, 'm'));
  });

  it('are reported together and in order', () => {
    const lines = problemsOf('name: X!\nfoo: 1\nsteps:\n  - name: A\n    command: echo "{{x}}"\n').map(
      (problem) => problem.split(':')[0],
    );
    expect(lines).toEqual(['1', '2', '5']);
  });

  it('are a hundred at most, with how many more there are', () => {
    const steps = Array.from({ length: 50 }, () => `  - {name: A, command: [a, {}], retries: -1, foo: 1}`);
    const lines = problemsOf(`name: x\nsteps:\n${steps.join('\n')}`);
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toMatch(/50 more problems/);
  });

  it('are found in a bomb of aliases and in a file that is too long, without being read out', () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
      .split('')
      .map((letter, index) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefg'[index]}`).join(', ')}]`)
      .join('\n')}\n`;
    expect(problemsOf(bomb)[0]).toMatch(/cannot be read/);
    expect(problemsOf(`name: ${'x'.repeat(300_000)}`)[0]).toMatch(/at most 256 KiB/);
  });

  it('are all that any text gives: nothing is thrown', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        parseRunbook(a, 'x');
        parseRunbook(withStep(`command: ${JSON.stringify(a)}\nrollback: ${JSON.stringify(b)}`), 'x');
        parseRunbook(withStep(`url: ${JSON.stringify(`http://${a}/{{${b}}}`)}`), 'x');
      }),
    );
  });
});

describe('steps of whatever keys and values', () => {
  const text = fc.oneof(
    fc.constantFrom(
      'ls',
      '{{x}}',
      'deployment/a',
      'env:K',
      'http://{{x}}/',
      'select {{x}}',
      'up{a="{{x}}"}',
      'A',
    ),
    fc.string(),
  );
  const value = fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text), fc.jsonValue({ maxDepth: 2 }));
  const step = fc
    .tuple(
      fc.constantFrom(...stepTypes),
      fc.dictionary(fc.constantFrom(...knownKeys.anywhere), value, { maxKeys: 8 }),
      fc.constantFrom({}, { command: 'ls' }, { url: 'http://x/' }, { workload: 'deployment/a' }),
    )
    .map(([type, keys, more]) => ({ name: 'A', type, ...more, ...keys }));

  it('are read or refused with a place, and nothing is thrown', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 3 }),
        fc.array(step, { maxLength: 1 }),
        (steps, verify) => {
          const parsed = parseRunbook(JSON.stringify({ name: 'x', steps, verify }), 'x');
          if ('problems' in parsed) {
            for (const { line, col, message } of parsed.problems) {
              expect(line * col).toBeGreaterThan(0);
              expect(message).toMatch(/\w/);
            }
            return;
          }
          const laid = layOut({
            runbook: { definition: parsed.definition, version: 1 },
            catalog: new Map(),
            sources: { labels: { x: 'value' }, service: 's' },
          });
          if ('layout' in laid) expect(describeLayout(laid.layout).length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});

it('has a published JSON Schema that is current (npm run schema:runbook)', () => {
  expect(JSON.parse(shipped('runbook.schema.json'))).toEqual(runbookJsonSchema());
});
