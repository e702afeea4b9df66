import { expect, test } from 'vitest';
import { type DryRunReport, dryRunReport, type Finding, stepCheck, whereText } from './dry-run.ts';
import type { StepAction } from './runbook/definition.ts';
import { masked } from './runbook/secret.ts';

const values = { host: 'db-1', token: masked, evil: 'a\u001b[31mb' };

test.for<[StepAction, string | null, string]>([
  [
    { kind: 'command', form: { shell: 'true' }, requiresSudo: false },
    null,
    "on the machine of Holdfast's worker",
  ],
  [
    { kind: 'command', form: { shell: 'true' }, requiresSudo: false },
    'east',
    'on the machine of runner east',
  ],
  [
    {
      kind: 'ssh',
      host: '{{host}}.{{evil}}',
      port: 22,
      user: 'ops',
      key: 'env:KEY',
      hostKeys: [],
      form: { shell: 'true' },
      requiresSudo: false,
    },
    'east',
    'on ops@db-1.a\\x1b[31mb:22, from runner east',
  ],
  [
    {
      kind: 'http',
      method: 'GET',
      url: 'https://{{host}}:8443/{{token}}?a=b',
      headers: {},
      expectedStatus: [],
      expectJson: {},
    },
    null,
    "at https://db-1:8443, from Holdfast's worker",
  ],
  [{ kind: 'wait', durationMs: 1 }, null, 'in Holdfast'],
])('%# who acts on what is said without control characters and without secrets', ([action, runner, text]) => {
  expect(whereText(action, values, runner)).toBe(text);
});

const plan: Omit<DryRunReport, 'ready' | 'sentence'> = {
  runbook: 'restart',
  version: 1,
  target: 'checkout',
  environment: null,
  permission: { needed: 'operator', held: 'operator' },
  refusal: null,
  lock: null,
  approvals: [],
  steps: [0, 1].map((n) => ({
    name: `step ${n}`,
    type: 'command',
    part: 'step',
    runner: null,
    where: 'here',
    description: 'true',
    rollback: null,
    condition: null,
    findings: [],
  })),
};
const check = (index: number, phase: 'step' | 'undo') =>
  stepCheck(
    {
      index,
      phase,
      action: { kind: 'command', form: { shell: 'true' }, requiresSudo: false },
      runner: null,
    },
    { runbook: 'restart', version: 1, values: {}, secretReferences: {}, secretInputs: [], allowedHosts: [] },
  );
const found = (ok: boolean): Finding => ({ ok, what: 'program', detail: ok ? 'is there' : 'is not there' });

test('what was found stands with its step, and with the undo it was found for', () => {
  const checks = [check(1, 'step'), check(1, 'undo'), check(0, 'step')];
  const report = dryRunReport(plan, checks, [[found(true)], [found(false)], [found(true)]]);
  expect(report.steps.map(({ findings }) => findings.map(({ ok, what }) => `${what} ${ok}`))).toEqual([
    ['program true'],
    ['program true', 'undo: program false'],
  ]);
  expect(report).toMatchObject({
    ready: false,
    sentence: 'Step 2 (step 1) lacks something: undo: program: is not there.',
  });
});

test('a rule that says no outweighs what is missing; to wait is no reason not to be ready', () => {
  const refusal = { rule: 'cooldown', reason: 'cooldown: …', until: null } as const;
  expect(dryRunReport({ ...plan, refusal }, [check(0, 'step')], [[found(false)]])).toMatchObject({
    ready: false,
    sentence: "It would be refused now by the rule 'cooldown'.",
  });
  const lock = { heldBy: 'x', runbook: 'other', waiting: 2 };
  expect(dryRunReport({ ...plan, lock }, [], [])).toMatchObject({
    ready: true,
    sentence: 'All that it needs is there; it waits until other is done with checkout.',
  });
});
