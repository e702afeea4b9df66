import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Finding, type StepCheck, stepCheck } from '../domain/dry-run.ts';
import type { LayoutScope } from '../domain/runbook/layout.ts';
import { createWorkflowHarness, type WorkflowHarness } from '../test/harness/workflows.ts';
import { runnerTaskQueue, taskQueue, workflowTypes } from './messages.ts';

const orgId = '018f4e2a-7c1b-7d3e-9a55-0242ac120002';
let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await createWorkflowHarness();
});
afterAll(() => harness?.close());

const scope: LayoutScope = {
  runbook: 'restart',
  version: 1,
  values: { service: 'checkout', token: 'given-secret', unused: 'x' },
  secretReferences: { key: 'env:KEY' },
  secretInputs: ['token', 'key'],
  allowedHosts: [],
};
const check = (name: string, runner: StepCheck['runner'] = null): StepCheck =>
  stepCheck(
    {
      index: 0,
      phase: 'step',
      action: {
        kind: 'command',
        form: { argv: [name, '{{service}}', '{{token}}', '{{key}}'] },
        requiresSudo: false,
      },
      runner,
    },
    scope,
  );
const ok = (detail: string): Finding => ({ ok: true, what: 'program', detail });

async function run(checks: StepCheck[], workflowId: string): Promise<Finding[][]> {
  return await harness.env.client.workflow.execute<
    (input: { orgId: string; checks: StepCheck[] }) => Promise<Finding[][]>
  >(workflowTypes.dryRun, { taskQueue, workflowId, args: [{ orgId, checks }] });
}

test('each step is looked at where it would run, and the answers stand in the order of the checks', async () => {
  const looked: string[] = [];
  const activities = (where: string) => ({
    async checkStep({ action }: StepCheck) {
      const program = action.kind === 'command' && 'argv' in action.form ? action.form.argv[0] : '';
      looked.push(`${where}:${program}`);
      if (program === 'broken') throw new Error('it is broken');
      return [ok(`${program} by ${where}`)];
    },
  });
  const runner = { name: 'east', lastSeenAt: null };
  const findings = await harness.withWorker(runnerTaskQueue(orgId, 'east'), activities('east'), () =>
    harness.withWorker(taskQueue, activities('own'), () =>
      run([check('a'), check('b', runner), check('broken'), check('c')], 'dry-run-places'),
    ),
  );
  expect(findings).toEqual([
    [ok('a by own')],
    [ok('b by east')],
    [{ ok: false, what: 'check', detail: 'it is broken' }],
    [ok('c by own')],
  ]);
  expect(looked.toSorted()).toEqual(['east:b', 'own:a', 'own:broken', 'own:c']);
});

test('a runner that is not there is a finding of its own, and nobody waits for it longer than for the rest', async () => {
  const lastSeenAt = '2026-01-31T03:00:00.000Z';
  const findings = await harness.withWorker(taskQueue, { checkStep: async () => [ok('there')] }, () =>
    run([check('a', { name: 'west', lastSeenAt }), check('b')], 'dry-run-no-runner'),
  );
  expect(findings).toEqual([
    [
      {
        ok: false,
        what: 'runner',
        detail: `no runner polls west, last seen ${lastSeenAt}; start one with that queue`,
      },
    ],
    [ok('there')],
  ]);
  const { startTime, closeTime } = await harness.env.client.workflow
    .getHandle('dry-run-no-runner')
    .describe();
  expect((closeTime?.getTime() ?? 0) - startTime.getTime()).toBeLessThan(20_000);
});

test('a secret that was given does not come to Temporal, nor does what no step uses', async () => {
  await harness.withWorker(taskQueue, { checkStep: async () => [] }, () =>
    run([check('a')], 'dry-run-secret'),
  );
  const { events } = await harness.env.client.workflow.getHandle('dry-run-secret').fetchHistory();
  const text = (events ?? [])
    .flatMap((event) => event.workflowExecutionStartedEventAttributes?.input?.payloads ?? [])
    .map(({ data }) => Buffer.from(data ?? []).toString());
  expect(text.join()).toContain('checkout');
  expect(text.join()).not.toContain('given-secret');
  const [only] = JSON.parse(text[0] ?? '{}').checks;
  expect(only.scope.values).toEqual({ service: 'checkout' });
  expect(only.withheld).toEqual(['token']);
  expect(only.scope.secretReferences).toEqual({ key: 'env:KEY' });
});
