import { describe, expect, test } from 'vitest';
import { executionPlan, simulate } from '../../test/harness/execution-fold.ts';
import type { CalledFor } from './state.ts';

const called = (address: string): CalledFor => ({
  key: `rule:x:${address}:0`,
  target: { type: 'email', address },
  detail: { rule: 'x' },
  cause: { event: 'x', at: '2026-01-01T00:00:00.000Z', rule: { name: 'x', reasons: [] } },
});
const rules = {
  'approval.needed': [called('approvals@example.com')],
  'execution.succeeded': [called('good@example.com')],
  'execution.failed': [called('bad@example.com')],
  'execution.rolled_back': [called('undone@example.com')],
};
const toldByRules = (begun: string[]) => begun.filter((key) => /^(rule|announce):/.test(key));
const awaited = Object.keys(rules) as (keyof typeof rules)[];

describe('rules of notification', () => {
  test('hear how an execution ended, once its record can be read', () => {
    const { begun } = simulate({ plan: executionPlan({ mode: 'auto', announces: awaited }), rules });
    expect(toldByRules(begun)).toEqual([
      'announce:execution.succeeded:succeeded',
      'rule:x:good@example.com:0',
    ]);
    expect(begun.lastIndexOf('record')).toBeLessThan(begun.indexOf('announce:execution.succeeded:succeeded'));
  });

  test('are not asked about what none waits for', () => {
    const plan = executionPlan({ mode: 'auto', announces: ['execution.failed'] });
    expect(toldByRules(simulate({ plan, rules }).begun)).toEqual([]);
  });

  test('hear of an approval that is needed, and of it alone while nobody decides', () => {
    const plan = executionPlan({ mode: 'semi_auto', announces: awaited });
    const { begun } = simulate({ plan, rules, throughJson: true });
    expect(toldByRules(begun)[0]).toMatch(/^announce:approval\.needed:.+:1$/);
    expect(toldByRules(begun)[1]).toBe('rule:x:approvals@example.com:0');
  });

  test('do not tell again whom the escalation policy names', () => {
    const plan = executionPlan({ mode: 'auto', announces: awaited });
    const [named] = plan.levels[0] ?? [];
    const [said] = rules['execution.succeeded'];
    if (!named || !said) throw new Error('the plan names nobody');
    const { begun } = simulate({
      plan,
      rules: { 'execution.succeeded': [{ ...said, target: named }, called('else@example.com')] },
    });
    expect(toldByRules(begun)).toEqual([
      'announce:execution.succeeded:succeeded',
      'rule:x:else@example.com:0',
    ]);
  });
});
