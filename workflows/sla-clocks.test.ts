import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SlaTimes } from '../domain/sla/clock.ts';
import {
  acknowledgedBy,
  ana,
  createEscalationHarness,
  type Escalation,
  type EscalationHarness,
  minute,
  user,
} from '../test/harness/escalation.ts';
import { until } from '../test/harness/workflows.ts';
import { explainBreach } from './messages.ts';

/** The clocks of SLAs on the real incident workflow, with skipped time. */
let harness: EscalationHarness;
beforeAll(async () => {
  harness = await createEscalationHarness();
});
afterAll(() => harness.close());

const policy = { levels: [{ after: '0s', targets: [user('ana')] }] };
const standard: SlaTimes = {
  policy: 'standard',
  acknowledgeMs: 30 * minute,
  resolveMs: 120 * minute,
  atRiskShare: 0.5,
};
const clocks = (escalation: Escalation) =>
  escalation.standing().clocks.map(({ kind, policy, state }) => `${kind} ${policy} ${state}`);
const told = (escalation: Escalation) =>
  escalation
    .story()
    .filter(({ kind }) => kind.startsWith('sla_'))
    .map(({ kind }) => kind);

test('a clock pauses for the night, and is at risk and breached by what has run', async () => {
  const now = await harness.workflows.env.currentTimeMs();
  const night: [number, number] = [now + 20 * minute, now + 620 * minute];
  await harness.run({ policy, plan: { sla: { ...standard, pauses: [night] } } }, async (escalation) => {
    await escalation.at(16);
    expect(clocks(escalation)).toEqual(['acknowledge standard at_risk', 'resolve standard running']);
    await escalation.at(25);
    expect(clocks(escalation)).toEqual(['acknowledge standard paused', 'resolve standard paused']);
    await escalation.at(625);
    expect(clocks(escalation)).toEqual(['acknowledge standard at_risk', 'resolve standard running']);
    expect(told(escalation)).toEqual(['sla_at_risk']);
    expect(escalation.told('sla.at_risk')).toEqual(['15 ana']);
    await escalation.at(631);
    expect(clocks(escalation)[0]).toBe('acknowledge standard breached');
    expect(escalation.told('sla.breached')).toEqual(['630 ana']);
  });
});

test('a worse severity brings shorter times from the opening on, and leaves what is decided', async () => {
  await harness.run({ policy, plan: { sla: standard } }, async (escalation) => {
    await escalation.at(5);
    await acknowledgedBy(escalation, ana);
    const { plan } = escalation.scenario.digest;
    const critical: SlaTimes = {
      policy: 'critical',
      acknowledgeMs: minute,
      resolveMs: 30 * minute,
      atRiskShare: 0.5,
    };
    await escalation.feed({ severity: 'critical', plan: { ...plan, sla: critical } });
    await until(() => told(escalation).includes('sla_rearmed'), 'the clocks are re-armed');
    expect(clocks(escalation)).toEqual(['acknowledge standard met', 'resolve critical running']);
    await escalation.at(31);
    expect(escalation.told('sla.at_risk')).toEqual(['15 ana']);
    expect(escalation.told('sla.breached')).toEqual(['30 ana']);
  });
});

test('the reason of a breach is taken once there is one', async () => {
  await harness.run({ policy, plan: { sla: standard } }, async (escalation) => {
    const explain = (clock: 'acknowledge' | 'resolve') =>
      escalation.handle.executeUpdate(explainBreach, {
        args: [{ actor: ana, clock, reason: 'not_available', note: 'the phone was off' }],
      });
    await escalation.at(31);
    await explain('acknowledge');
    expect(escalation.story().at(-1)).toMatchObject({
      kind: 'breach_explained',
      actor: 'ana@example.com',
      summary: 'Why it was not acknowledged in time: nobody was available: the phone was off',
    });
    await expect(explain('resolve')).rejects.toSatisfy(
      (error) =>
        error instanceof WorkflowUpdateFailedError &&
        /its clock to resolve is not breached/.test(String(error.cause)),
    );
  });
});
