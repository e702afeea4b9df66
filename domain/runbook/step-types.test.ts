import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { RunbookDefinition } from './definition.ts';
import { describeAction } from './describe.ts';
import { parseRunbook } from './parse.ts';
import { renderAction } from './render.ts';
import { isEffect } from './step-types.ts';

const sourceOf = (step: string, list = 'steps') =>
  `name: x\n${list === 'verify' ? 'steps: [{name: S, command: ls}]\n' : ''}${list}:\n  - name: A\n${step.replaceAll(/^/gm, '    ')}\n`;
const definitionOf = (source: string): RunbookDefinition => {
  const parsed = parseRunbook(source, 'test.yaml');
  if ('problems' in parsed) {
    throw new Error(parsed.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  }
  return parsed.definition;
};
const stepOf = (step: string) => definitionOf(sourceOf(step)).steps[0]!;
const problemsOf = (step: string, list?: string): string => {
  const parsed = parseRunbook(sourceOf(step, list), 'test.yaml');
  return 'problems' in parsed
    ? parsed.problems.map(({ line, col, message }) => `${line}:${col} ${message}`).join('\n')
    : 'accepted';
};
const rendered = (step: string, values: Record<string, string> = {}) => {
  const { action } = stepOf(step);
  if (!isEffect(action)) throw new Error('a step with an effect was expected');
  return renderAction(action, values);
};
const described = (step: string, values: Record<string, string> = {}) =>
  describeAction(stepOf(step).action, values);

describe('a script', () => {
  it('takes its arguments as a shell does', () => {
    const action = rendered('script: |\n  echo "$0 $1"\n  echo "$2"\nargs: ["{{a}}", 2]', { a: '$(id)' });
    if (action.kind !== 'command') throw new Error('a command was expected');
    expect(execFileSync(action.argv[0], action.argv.slice(1), { encoding: 'utf8' })).toBe('sh $(id)\n2\n');
  });

  it('runs in another interpreter by the option that this one has for code', () => {
    expect(rendered('script: print(1)\ninterpreter: python3\nargs: [x]')).toMatchObject({
      argv: ['python3', '-c', 'print(1)', 'x'],
    });
    expect(rendered('script: p\ninterpreter: [/usr/bin/env, perl, -w]')).toMatchObject({
      argv: ['/usr/bin/env', 'perl', '-w', '-e', 'p'],
    });
    expect(rendered('script: p\ninterpreter: [bash, -eu]')).toMatchObject({
      argv: ['bash', '-eu', '-c', 'p', 'bash'],
    });
  });

  it.each([
    ['script: echo {{x}}', /^4:18 a value inside a script would become code; add args: \["\{\{x\}\}"\]/],
    ['script: ls\ncommand: ls', /^4:5 a step has a command or a script, not both/],
    ['command: ls\nargs: [a]', /^5:5 'args' belongs to a script/],
    ['script: ls\ninterpreter: "{{x}}"', /^5:19 'interpreter' takes no variables/],
    [
      'script: eval "$1"\nargs: ["{{x}}"]',
      /^5:12 the script that 'sh' is given here: 'eval' reads its arguments/,
    ],
    ['script: ls\ninterpreter: xargs\nargs: ["{{x}}"]', /^6:12 'xargs' runs what stands here/],
  ])('%j is refused', (step, message) => expect(problemsOf(step)).toMatch(message));
});

describe('ssh', () => {
  const ssh = 'type: ssh\nhost: "{{host}}"\nuser: deploy\nkey: file:deploy_key\n';

  it('passes a shell line with its values beside it', () => {
    expect(
      rendered(`${ssh}command: systemctl restart {{unit}}\nrequires_sudo: true`, {
        host: 'db1',
        unit: "a'b",
      }),
    ).toEqual({
      kind: 'ssh',
      host: 'db1',
      port: 22,
      hostFromVariable: true,
      user: 'deploy',
      key: 'file:deploy_key',
      hostKeys: [],
      argv: ['/bin/sh', '-c', `systemctl restart "$\{1}"`, 'sh', "a'b"],
      requiresSudo: true,
    });
    expect(described(`${ssh}command: [ls, "{{unit}}"]`, { host: 'db1', unit: 'a b' })).toBe(
      "on deploy@db1 with key file:deploy_key\nls 'a b'",
    );
  });

  it('is undone on the same host', () => {
    const { rollback } = stepOf(`${ssh}port: 2222\ncommand: ls\nrollback: systemctl start nginx`);
    expect(rollback?.action).toMatchObject({
      kind: 'ssh',
      host: '{{host}}',
      port: 2222,
      user: 'deploy',
      key: 'file:deploy_key',
    });
    expect(
      stepOf(`${ssh}command: ls\nrollback: {type: command, command: ls}`).rollback?.action,
    ).toMatchObject({
      kind: 'command',
    });
  });

  it.each(['-oProxyCommand=id', 'a b', 'a;b', 'user@host', 'a/b', ''])('takes no host %j', (host) => {
    expect(() => rendered(`${ssh}command: ls`, { host })).toThrow(/is no host/);
  });

  it.each([
    [`${ssh}command: echo "{{x}}"`, /^8:20 a variable inside double quotes/],
    [`${ssh}command: ls\nrollback: echo '{{x}}'`, /^9:21 a variable inside single quotes/],
    ['type: ssh\nhost: h\nuser: u\nkey: hunter2\ncommand: ls', /^7:10 write key as 'env:NAME'/],
    ['host: h\nuser: u\nkey: env:K', /^3:5 this step has no type; add type: ssh/],
    ['type: ssh\nhost: h:22\nuser: u\nkey: env:K\ncommand: ls', /^5:11 write host as a name or an address/],
    [
      'type: ssh\nhost: h\nuser: u\nkey: env:K\nhost_keys: [abc]\ncommand: ls',
      /^8:17 write a host key as 'ssh-ed25519/,
    ],
    ['type: ssh\nhost: h\nuser: u\nkey: env:K\ncomand: ls', /unknown key 'comand'; did you mean 'command'\?/],
  ])('%j is refused', (step, message) => expect(problemsOf(step)).toMatch(message));
});

describe('kubernetes', () => {
  const scale =
    'type: kubernetes\noperation: scale\nworkload: deployment/{{name}}\nnamespace: "{{ns}}"\nreplicas: "{{n}}"\n';

  it('is rendered with its names and number checked', () => {
    expect(rendered(scale, { name: 'checkout', ns: 'shop', n: '4' })).toEqual({
      kind: 'kubernetes',
      namespace: 'shop',
      workload: 'deployment',
      name: 'checkout',
      operation: { do: 'scale', replicas: 4 },
      wait: true,
    });
    expect(described(scale, { name: 'checkout', ns: 'shop', n: '4' })).toBe(
      'scale deployment/checkout in namespace shop to 4 replicas, then wait until it is ready',
    );
  });

  it('is undone at the same workload', () => {
    expect(stepOf(`${scale}rollback: {operation: scale, replicas: 2}`).rollback?.action).toMatchObject({
      name: '{{name}}',
      namespace: '{{ns}}',
      operation: { do: 'scale', replicas: '2' },
    });
  });

  it.each([
    [{ name: '../secrets', ns: 'shop', n: '1' }, /no name of a workload/],
    [{ name: 'a', ns: 'shop/x', n: '1' }, /no name of a namespace/],
    [{ name: 'a', ns: 'shop', n: '1e3' }, /no number of replicas/],
    [{ name: 'A', ns: 'shop', n: '1' }, /no name of a workload/],
  ])('refuses %j', (values, message) => expect(() => rendered(scale, values)).toThrow(message));

  it.each([
    [
      'type: kubernetes\noperation: restart\nworkload: checkout',
      /^6:15 write workload as its kind and name, e\.g\. deployment\/checkout/,
    ],
    ['type: kubernetes\noperation: restart\nworkload: "{{kind}}/x"', /write workload as its kind and name/],
    ['type: kubernetes\noperation: restart\nworkload: deployment/x\nreplicas: 2', /^7:5 replicas belongs to/],
    ['type: kubernetes\noperation: scale\nworkload: deployment/x', /^3:5 'replicas' is missing/],
    [
      'type: kubernetes\noperation: scale\nworkload: daemonset/x\nreplicas: 1',
      /a daemonset cannot be scaled/,
    ],
    ['type: kubernetes\noperation: delete\nworkload: deployment/x', /^5:16 write operation as one of/],
    [
      'type: kubernetes\noperation: restart\nworkload: deployment/x\ncontext: "{{c}}"',
      /^7:15 'context' takes no variables/,
    ],
    ['workload: deployment/x', /add type: kubernetes/],
  ])('%j is refused', (step, message) => expect(problemsOf(step)).toMatch(message));
});

describe('aws_ssm', () => {
  const ssm = 'type: aws_ssm\nregion: eu-central-1\ninstances: "{{id}}"\n';
  const id = 'i-0123456789abcdef0';

  it('quotes each value as a word of a shell of its own, and no two braces stand together', () => {
    const action = rendered(`${ssm}commands: ["cd /srv", "printf '%s|' {{x}} a{{y}}"]`, {
      id,
      x: `it's; $(id)`,
      y: '{{ssm:secret}}',
    });
    if (action.kind !== 'aws_ssm') throw new Error('an SSM command was expected');
    expect(action).toMatchObject({ document: 'AWS-RunShellScript', instanceIds: [id] });
    const [first, line = ''] = action.parameters.commands ?? [];
    expect(first).toBe('cd /srv');
    expect(line).not.toContain('{{');
    expect(execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' })).toBe(`it's; $(id)|a{{ssm:secret}}|`);
  });

  it('passes plain values alone to documents that put them into scripts', () => {
    const document = `${ssm}document: AWS-RunPatchBaseline\nparameters: {Operation: "{{x}}", RebootOption: NoReboot}`;
    expect(rendered(document, { id, x: 'Install' })).toMatchObject({
      parameters: { Operation: ['Install'], RebootOption: ['NoReboot'] },
    });
    expect(() => rendered(document, { id, x: 'a; id' })).toThrow(/'Operation' cannot take/);
    expect(() => rendered(document, { id: 'i-1', x: 'a' })).toThrow(/not the id of an instance/);
  });

  it.each([
    [`${ssm}`, /^3:5 this step does nothing; give it 'commands'/],
    [`${ssm}commands: echo "{{x}}"`, /^7:15 a variable inside double quotes/],
    [`${ssm}commands: ls\ndocument: AWS-Other`, /'commands' are run by AWS-RunShellScript/],
    [`${ssm}document: AWS-RunShellScript`, /takes its lines from 'commands:'/],
    [`${ssm}commands: ls\nrollback: ls`, /^8:15 on which machine\?/],
    [
      'type: aws_ssm\nregion: Frankfurt\ninstances: i-0123456789abcdef0\ncommands: ls',
      /^5:13 write region as/,
    ],
  ])('%j is refused', (step, message) => expect(problemsOf(step)).toMatch(message));
});

describe('sql', () => {
  const sql = (statement: string) =>
    `type: sql\nconnection: env:ORDERS_DB\nstatements: ${JSON.stringify(statement)}\n`;

  it.each([
    ['select {{a}}', 'select $1', ['1']],
    ['select {{a}}::int + {{a}}', 'select $1::int + $2', ['1', '1']],
    ["select '{' || {{a}} || E'it\\'s' || \"x\"", "select '{' || $1 || E'it\\'s' || \"x\"", ['1']],
    ['select $$a$$ || {{a}} -- x', 'select $$a$$ || $1 -- x', ['1']],
    ['select /* a /* b */ c */ {{a}};', 'select /* a /* b */ c */ $1;', ['1']],
    ['select f({{a}})', 'select f($1)', ['1']],
    ["select 'a;b'", "select 'a;b'", []],
  ])('%j binds its variables', (statement, text, parameters) => {
    expect(rendered(sql(statement), { a: '1' })).toMatchObject({ statements: [{ text, parameters }] });
  });

  it('keeps rows, transaction and connection', () => {
    expect(
      rendered(
        'type: sql\nconnection: ssm:/prod/db\nstatements: [select 1, "select {{a}}"]\nread_only: true\nmax_rows: 5\nexpect_rows: {least: 1}',
        { a: "x'; drop table t --" },
      ),
    ).toEqual({
      kind: 'sql',
      connection: 'ssm:/prod/db',
      statements: [
        { text: 'select 1', parameters: [] },
        { text: 'select $1', parameters: ["x'; drop table t --"] },
      ],
      readOnly: true,
      maxRows: 5,
      expectRows: { least: 1 },
    });
    expect(described(`${sql('delete from t where a = {{a}}')}expect_rows: 1`, { a: "it's" })).toBe(
      "on env:ORDERS_DB, in one transaction of at most 1000 rows\ndelete from t where a = 'it''s'\nexpects rows: 1",
    );
  });

  it.each([
    ["select '{{a}}'", /a variable inside quotes would be text/],
    ["select 'a''{{a}}'", /inside quotes/],
    ["select E'\\'{{a}}'", /inside quotes/],
    ['select "{{a}}"', /inside double quotes/],
    ['select $$ {{a}} $$', /inside dollar quotes/],
    ['select $q$ $$ {{a}} $q$', /inside dollar quotes/],
    ['select 1 -- {{a}}', /inside a comment/],
    ['select /* /* */ {{a}} */ 1', /inside a comment/],
    ['select 1; select {{a}}', /one statement each/],
    ['select $1, {{a}}', /\$1 and its like/],
    ['select * from t_{{a}}', /no part of a name/],
    ['select {{a}}_b', /no part of a name/],
    ["select 'a", /do not end/],
    ['commit', /one transaction of its own/],
    [' ROLLBACK', /one transaction of its own/],
    ['/* a */ -- b\ncommit', /one transaction of its own/],
    [`${'/**/'.repeat(4000)}commit`, /one transaction of its own/],
    ['set transaction read write', /one transaction of its own/],
    ['select {{a.b}}', /begins no variable/],
  ])('%j is refused', (statement, message) => expect(problemsOf(sql(statement))).toMatch(message));

  it('takes no password in a file', () => {
    expect(problemsOf('type: sql\nconnection: postgres://u:p@h/d\nstatements: select 1')).toMatch(
      /^5:17 write connection as 'env:NAME'/,
    );
  });
});

describe('prometheus', () => {
  const query = (text: string) => `type: prometheus\nquery: ${JSON.stringify(text)}\n`;

  it('escapes values in their strings, and in regular expressions they mean themselves', () => {
    expect(
      rendered(query('up{service="{{s}}",pod=~"{{p}}-.*"} == 1'), { s: 'a"} or vector(1) #\n', p: 'a.*' }),
    ).toMatchObject({ query: 'up{service="a\\"} or vector(1) #\\u000a",pod=~"a\\\\.\\\\*-.*"} == 1' });
  });

  it('may ask another Prometheus', () => {
    expect(
      rendered(`${query('up')}url: http://{{host}}:9090\nfor: 60\ninterval: 5`, { host: 'prom' }),
    ).toMatchObject({
      url: new URL('http://prom:9090'),
      hostFromVariable: true,
      forMs: 60_000,
      intervalMs: 5000,
    });
  });

  it.each([
    ['up{service={{s}}}', /stands in a double-quoted string/],
    ["up{service='{{s}}'}", /stands in a double-quoted string/],
    ['up{service=`{{s}}`}', /stands in a double-quoted string/],
    ['up > {{s}}', /stands in a double-quoted string/],
    ['up # "{{s}}"', /no use in a comment/],
    ['up{a="b', /does not end/],
    ["up{a='\"', b={{s}}, c='\"'}", /stands in a double-quoted string/],
  ])('%j is refused', (text, message) => expect(problemsOf(query(text))).toMatch(message));
});

describe('steps of the workflow itself', () => {
  it('wait, ask, tell and call', () => {
    const { steps, inputs } = definitionOf(`
name: x
execution: {approvals: 2, approver_role: admin, approver_teams: [dba], not_requester: true}
steps:
  - {name: Wait, type: wait, duration: 30}
  - {name: Ask, type: approval, message: "Fail over {{db}}?", approvals: 3, on_timeout: escalate}
  - {name: Tell, type: notify, message: "{{db}} fails over", to: [{channel: ops}, {user: a@example.com}]}
  - {name: Call, type: runbook, runbook: other, inputs: {host: "{{replica}}", port: 5432}}
`);
    expect(steps.map(({ action }) => action)).toEqual([
      { kind: 'wait', durationMs: 30_000 },
      {
        kind: 'approval',
        message: 'Fail over {{db}}?',
        rules: {
          needed: 3,
          role: 'admin',
          teams: ['dba'],
          notRequester: true,
          timeoutMs: 1_800_000,
          onTimeout: 'escalate',
        },
      },
      {
        kind: 'notify',
        message: '{{db}} fails over',
        targets: [
          { type: 'channel', name: 'ops' },
          { type: 'user', email: 'a@example.com' },
        ],
      },
      { kind: 'runbook', runbook: 'other', inputs: { host: '{{replica}}', port: '5432' } },
    ]);
    expect(Object.keys(inputs)).toEqual(['db', 'replica']);
  });

  it.each([
    ['type: wait', /^3:5 'duration' is missing/],
    ['type: wait\nduration: 5\nrollback: ls', /^6:5 'rollback' has no place here/],
    ['type: wait\nduration: 5\ntimeout: 5', /^6:5 'timeout' has no place here/],
    [
      'type: approval\nmessage: go?\napprovers: 2',
      /^6:5 unknown key 'approvers'; did you mean 'approvals'\?/,
    ],
    ['type: notify\nmessage: hi\nto: [ops]', /^6:10 write who is told as \{channel: name\}/],
    ['type: runbook\nrunbook: "{{x}}"', /^5:14 name must begin/],
    ['type: runbok\nrunbook: x', /^4:11 'runbok' is no step type; did you mean 'runbook'\?/],
  ])('%j is refused', (step, message) => expect(problemsOf(step)).toMatch(message));
});

describe('conditions', () => {
  it('look at variables and at earlier steps', () => {
    const { steps, inputs } = definitionOf(`
name: x
steps:
  - {name: A, command: ls, continue_on_fail: true}
  - name: B
    command: ls
    condition:
      - {variable: role, equals: primary}
      - {variable: size, not_equals: 3}
      - {variable: zone, matches: "eu-*"}
      - {step: A, status: failed}
`);
    expect(steps[1]!.conditions).toEqual([
      { variable: 'role', equals: 'primary' },
      { variable: 'size', notEquals: '3' },
      { variable: 'zone', matches: 'eu-*' },
      { step: 'A', status: 'failed' },
    ]);
    expect(Object.keys(inputs)).toEqual(['role', 'size', 'zone']);
  });

  it.each([
    ['command: ls\ncondition: {step: B, status: failed}', /^5:23 no step before this one is called 'B'/],
    ['command: ls\ncondition: {step: A, status: failed}', /no step before this one is called 'A'/],
    [
      'command: ls\ncondition: {variable: "{{a}}", equals: b}',
      /^5:27 write variable as the name of an input alone/,
    ],
    ['command: ls\ncondition: {variable: __proto__, equals: b}', /write variable as the name/],
    ['command: ls\ncondition: "a == b"', /^5:16 write a condition as/],
  ])('%j is refused', (step, message) => expect(problemsOf(step)).toMatch(message));
});

describe('verification', () => {
  it('only looks, and has no rollback', () => {
    expect(problemsOf('url: http://x/health\nretries: 3', 'verify')).toBe('accepted');
    expect(problemsOf('command: ls\nrollback: ls', 'verify')).toMatch(/^6:5 a verification step has no roll/);
    expect(problemsOf('type: approval\nmessage: ok?', 'verify')).toMatch(/verify only looks/);
    expect(problemsOf('type: kubernetes\noperation: restart\nworkload: deployment/a', 'verify')).toMatch(
      /write operation: wait_ready/,
    );
  });
});

describe('execution rules', () => {
  it('are read with days as numbers and times in milliseconds', () => {
    const { execution } = definitionOf(
      'name: x\nexecution:\n  environments: [prod*]\n  runner: dc1\n  hours: {days: [mon-wed, sat], from: "09:00", to: "17:30", time_zone: Europe/Berlin}\nsteps: [{name: a, command: b}]\n',
    );
    expect(execution).toMatchObject({
      environments: ['prod*'],
      runner: 'dc1',
      hours: { days: [1, 2, 3, 6], from: '09:00', to: '17:30', timeZone: 'Europe/Berlin' },
    });
  });

  it.each([
    ['hours: {from: 9, to: "17:00", time_zone: UTC}', /write from as 'HH:MM' in quotes/],
    ['hours: {from: "09:00", to: "25:00", time_zone: UTC}', /write to as 'HH:MM'/],
    ['hours: {from: "09:00", to: "17:00", time_zone: Berlin}', /'Berlin' is no time zone/],
    ['hours: {days: weekdays, from: "09:00", to: "17:00", time_zone: UTC}', /write days as mon/],
    ['hours: {from: "09:00", until: "17:00", time_zone: UTC}', /unknown key 'until'; take it out/],
    ['approver_role: boss', /write approver_role as one of: viewer, operator, admin, owner/],
    ['on_timeout: ask', /write on_timeout as expire or escalate/],
    ['aprovals: 2', /unknown key 'aprovals'; did you mean 'approvals'\?/],
  ])('%j is refused', (rule, message) => {
    const parsed = parseRunbook(`name: x\nexecution:\n  ${rule}\nsteps: [{name: a, command: b}]\n`, 'f');
    const found = 'problems' in parsed ? parsed.problems : [];
    expect(found.map(({ message: text }) => text).join('\n')).toMatch(message);
    expect(found[0]?.line).toBe(3);
  });
});
