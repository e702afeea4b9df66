import { describe, expect, test } from 'vitest';
import type { EffectAction, StepAction, StepDefinition } from '../runbook/definition.ts';
import type { LayoutScope, RunbookLayout } from '../runbook/layout.ts';
import { refuseByLists } from './lists.ts';
import { type SafetyRules, type SafetyScope, type ScopedRules, safetyRules } from './rules.ts';

const scope = (runbook: string, values: Record<string, string> = {}, rest: Partial<LayoutScope> = {}) => ({
  runbook,
  version: 1,
  values,
  secretReferences: {},
  secretInputs: [],
  allowedHosts: [],
  ...rest,
});
const step = (action: StepAction, undo?: EffectAction): StepDefinition => ({
  name: 'Act',
  type: action.kind,
  timeoutMs: 1000,
  retries: 0,
  retryDelayMs: 0,
  continueOnFail: false,
  idempotent: false,
  conditions: [],
  action,
  ...(undo ? { rollback: { action: undo, timeoutMs: 1000 } } : {}),
});
const layout = (definition: StepDefinition, scopes = [scope('restart')], index = 0): RunbookLayout => ({
  scopes,
  steps: [{ scope: index, name: 'Act', part: 'step', definition }],
});
const argv = (...words: string[]): EffectAction => ({
  kind: 'command',
  form: { argv: words },
  requiresSudo: false,
});
const shell = (line: string): EffectAction => ({
  kind: 'command',
  form: { shell: line },
  requiresSudo: false,
});
const ssh = (host: string, ...words: string[]): EffectAction => ({
  kind: 'ssh',
  host,
  port: 22,
  user: 'ops',
  key: 'env:KEY',
  hostKeys: [],
  form: { argv: words },
  requiresSudo: true,
});
const http = (url: string): EffectAction => ({
  kind: 'http',
  method: 'POST',
  url,
  headers: {},
  expectedStatus: [],
  expectJson: {},
});
const set = (rules: SafetyRules, of: SafetyScope = 'organization', name = ''): ScopedRules => ({
  scope: of,
  name,
  rules: safetyRules.parse(rules),
});
const deny = (...commands: string[]) => set({ deny: { commands } });
const allow = (...commands: string[]) => set({ allow: { commands } });
const ask = (sets: ScopedRules[], given: RunbookLayout) => refuseByLists(sets, given)?.reason ?? null;

describe('a deny list', () => {
  test('says no to a program by its name, wherever it stands, and names the step and the pattern', () => {
    for (const action of [
      argv('/sbin/reboot', 'now'),
      shell('sync; /sbin/reboot now'),
      argv('/bin/bash', '-lc', 'sync && reboot now'),
      ssh('db-1', 'reboot'),
    ]) {
      expect(ask([deny('reboot')], layout(step(action)))).toBe(
        "deny list: the organization forbids the command 'reboot' (step 'Act'); an Admin can change the list",
      );
    }
    expect(ask([deny('reboot')], layout(step(argv('echo', 'rebooting'))))).toBeNull();
  });

  test('looks at the whole command with its values in place', () => {
    const scopes = [scope('restart', { path: '/data' })];
    expect(ask([deny('rm -rf /data*')], layout(step(argv('rm', '-rf', '{{path}}')), scopes))).toMatch(
      /rm -rf/,
    );
    expect(ask([deny('rm -rf /data*')], layout(step(shell('rm   -rf {{path}}')), scopes))).toMatch(/rm -rf/);
    expect(ask([deny('rm -rf /data*')], layout(step(argv('rm', '-rf', '/tmp')), scopes))).toBeNull();
  });

  test('looks at undos, at sudo, and at the commands of AWS SSM', () => {
    expect(ask([deny('reboot')], layout(step(argv('true'), argv('reboot'))))).toMatch(/Act \(undo\)/);
    expect(ask([deny('sudo')], layout(step(ssh('db-1', 'ls'))))).toMatch(/'sudo'/);
    const ssm: EffectAction = {
      kind: 'aws_ssm',
      region: 'eu-west-1',
      instanceIds: ['i-1'],
      document: 'AWS-RunShellScript',
      parameters: { commands: ['uptime', 'sync; reboot'] },
    };
    expect(ask([deny('reboot')], layout(step(ssm)))).toMatch(/'reboot'/);
    expect(ask([set({ deny: { hosts: ['i-*'] } })], layout(step(ssm)))).toMatch(/the host 'i-\*'/);
  });

  test('knows a host however it is written', () => {
    const prod = set({ deny: { hosts: ['*.prod.example.com'] } });
    for (const action of [
      ssh('DB-1.prod.example.com.', 'ls'),
      http('https://api.PROD.example.com:8443/x'),
      http('https://user@api.prod.example.com./x'),
    ]) {
      expect(ask([prod], layout(step(action)))).toMatch(/^deny list: the organization forbids the host/);
    }
    expect(ask([prod], layout(step(http('https://api.test.example.com/'))))).toBeNull();
  });

  test('knows an address however it is written, and the network that it is in', () => {
    const forbids = (pattern: string, host: string) =>
      ask([set({ deny: { hosts: [pattern] } })], layout(step(ssh(host, 'ls')))) !== null;
    for (const host of ['167772161', '0xa000001', '10.1', '010.0.0.1', '::ffff:10.0.0.1']) {
      expect(forbids('10.0.0.1', host), host).toBe(true);
      expect(forbids('10.0.0.0/24', host), host).toBe(true);
    }
    expect(forbids('fd00::1', 'FD00:0:0:0:0:0:0:1')).toBe(true);
    expect(ask([set({ deny: { hosts: ['::1'] } })], layout(step(http('http://[::1]/'))))).toMatch(/'::1'/);
    expect(forbids('10.0.0.0/24', '10.0.1.1')).toBe(false);
  });

  test('reads the lines of AWS SSM as one script, and each with a variable by itself', () => {
    const ssm = (...commands: string[]): EffectAction => ({
      kind: 'aws_ssm',
      region: 'eu-west-1',
      instanceIds: ['i-1'],
      document: 'AWS-RunShellScript',
      parameters: { commands },
    });
    const scopes = [scope('restart', { unit: 'a' })];
    const script = ssm('cat <<E', "it's", 'E', 'echo {{unit}}', 'echo ok');
    expect(ask([deny('reboot'), allow('cat', 'echo')], layout(step(script), scopes))).toBeNull();
    expect(ask([deny('reboot')], layout(step(ssm('cat <<E', "it's", 'E', 'reboot'))))).toMatch(/'reboot'/);
  });

  test('says no to a kind of step', () => {
    const wait: StepAction = { kind: 'wait', durationMs: 1 };
    expect(ask([set({ deny: { stepTypes: ['wait'] } })], layout(step(wait)))).toMatch(/steps of type wait/);
  });
});

describe('an allow list', () => {
  test('lets through what it names and nothing else', () => {
    expect(ask([allow('systemctl restart *')], layout(step(argv('systemctl', 'restart', 'app'))))).toBeNull();
    expect(ask([allow('systemctl')], layout(step(argv('systemctl', 'stop', 'app'))))).toBeNull();
    expect(ask([allow('systemctl restart *')], layout(step(argv('systemctl', 'stop', 'app'))))).toBe(
      "allow list: the organization does not name the command 'systemctl' as it is called there (step 'Act'); an Admin can change the list",
    );
    expect(ask([allow('systemctl')], layout(step(argv('/tmp/systemctl', 'restart'))))).toMatch(/^allow list/);
  });

  test('wants every command of a line named', () => {
    expect(ask([allow('systemctl restart *')], layout(step(shell('systemctl restart a; reboot'))))).toMatch(
      /'reboot'/,
    );
    expect(ask([allow('systemctl restart *')], layout(step(shell('systemctl restart "$(reboot)"'))))).toMatch(
      /'reboot'/,
    );
  });

  test('says what a pattern has to name', () => {
    const reason = (line: string) => ask([allow('systemctl', 'echo')], layout(step(shell(line))));
    expect(reason('echo x > /etc/cron.d/x')).toMatch(
      "does not name the command 'echo' as it is called there, with '>/etc/cron.d/x' (step",
    );
    expect(reason('PATH=/tmp; systemctl x')).toMatch("does not name 'PATH=/tmp' (step");
    expect(reason("echo it's")).toMatch('what stands behind a quote or bracket that is not closed');
  });

  test('of networks permits an address only if each way to read it is in one', () => {
    const only = (host: string) =>
      ask([set({ allow: { hosts: ['10.0.0.0/8'] } })], layout(step(ssh(host, 'ls'))));
    expect(only('10.1.2.3')).toBeNull();
    expect(only('::ffff:10.1.2.3')).toBeNull();
    expect(only('010.1.2.3')).toMatch(/the host '010.1.2.3'/);
    expect(only('db-1')).toMatch(/the host 'db-1'/);
  });

  test('takes a value for one word, whatever it holds', () => {
    const scopes = [scope('restart', { unit: 'a; reboot' })];
    expect(ask([allow('systemctl')], layout(step(shell('systemctl restart {{unit}}')), scopes))).toBeNull();
  });

  test('of kinds of steps and hosts holds for steps that act', () => {
    const only = set({ allow: { stepTypes: ['http'], hosts: ['api.example.com'] } });
    expect(ask([only], layout(step(http('https://api.example.com/x'))))).toBeNull();
    expect(ask([only], layout(step({ kind: 'wait', durationMs: 1 })))).toBeNull();
    expect(ask([only], layout(step(http('https://evil.example/'))))).toMatch(/the host 'evil.example'/);
    expect(ask([only], layout(step(argv('ls'))))).toMatch(/steps of type command/);
  });

  test('loses against a deny list, and the strictest scope wins', () => {
    const sets = [allow('*'), set({ deny: { commands: ['reboot'] } }, 'target', 'db-*')];
    expect(ask(sets, layout(step(argv('reboot'))))).toMatch(/^deny list: target db-\* forbids/);
    const narrower = [allow('*'), set({ allow: { commands: ['ls'] } }, 'team', 'red')];
    expect(ask(narrower, layout(step(argv('uptime'))))).toMatch(/^allow list: team red/);
  });
});

test('the rules of a nested runbook are for its own steps, those of the asked one for all', () => {
  const scopes = [scope('fail-over'), scope('promote')];
  const rules: SafetyRules = { deny: { commands: ['reboot'] } };
  const nested = layout(step(argv('reboot')), scopes, 1);
  const outer = layout(step(argv('reboot')), scopes, 0);
  expect(ask([set(rules, 'runbook', 'promote')], nested)).toMatch(/runbook promote/);
  expect(ask([set(rules, 'runbook', 'promote')], outer)).toBeNull();
  expect(ask([set(rules, 'runbook', 'fail-over')], nested)).toMatch(/runbook fail-over/);
});

test('a refusal shows no secret', () => {
  const scopes = [scope('restart', { host: 'hidden.example' }, { secretInputs: ['host'] })];
  const only = set({ allow: { hosts: ['api.example.com'] } });
  expect(ask([only], layout(step(http('https://{{host}}/')), scopes))).toMatch(/the host '\*\*\*'/);
  const byReference = [scope('restart', {}, { secretReferences: { token: 'env:TOKEN' } })];
  expect(ask([deny('x')], layout(step(argv('curl', '{{token}}')), byReference))).toBeNull();
});

test('a list that says nothing is refused where it is written', () => {
  expect(safetyRules.safeParse({ allow: {} }).success).toBe(false);
  expect(safetyRules.safeParse({ deny: { commands: [] } }).success).toBe(false);
  expect(safetyRules.safeParse({ maxPerHour: -1 }).success).toBe(false);
  expect(safetyRules.safeParse({}).success).toBe(true);
});
