import { expect, it } from 'vitest';
import type { RunbookDefinition } from '../runbook/definition.ts';
import { parseRunbook } from '../runbook/parse.ts';
import { suggestRollback } from './suggest-rollback.ts';

const runbook = (yaml: string): RunbookDefinition => {
  const parsed = parseRunbook(`${yaml}\nsteps: [{name: A, command: [ls]}]\n`, 'a.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.definition;
};
const change = {
  service: 'payment-service',
  environment: 'production',
  version: 'v2.3.1',
  previousVersion: 'v2.3.0',
};
const names = (definitions: RunbookDefinition[], more: Partial<typeof change | { environment: null }> = {}) =>
  suggestRollback(definitions, { ...change, ...more }).map(({ runbook: name }) => name);

it('prefers the one that is made for the service, then the one that its alerts call, then one that asks', () => {
  const general = runbook('name: rollback-anything');
  const asks = runbook('name: roll-back-deployment\ninputs: {deployment: {}, version: {}}');
  const called = runbook(
    'name: undo-release\ntags: [rollback]\ntriggers: [{alert_pattern: "*", labels: {service: "payment-*"}}]',
  );
  const made = runbook('name: payment-service-rollback');
  expect(names([general, asks, called, made])).toEqual([
    'payment-service-rollback',
    'undo-release',
    'roll-back-deployment',
  ]);
  expect(names([general])).toEqual(['rollback-anything']);
});

it('fills in what the change knows, the version before it as the one to go to', () => {
  const [suggestion] = suggestRollback(
    [
      runbook(
        'name: rollback\ninputs: {service: {}, to_version: {}, from_version: {}, env: {options: [staging]}, token: {secret: true}, reason: {}}',
      ),
    ],
    change,
  );
  expect(suggestion).toEqual({
    runbook: 'rollback',
    inputs: { service: 'payment-service', to_version: 'v2.3.0', from_version: 'v2.3.1' },
    reasons: ['it asks which service, payment-service', 'it brings v2.3.0 back'],
  });
});

it('says so when the version before is not known', () => {
  const [suggestion] = suggestRollback([runbook('name: rollback\ninputs: {version: {}}')], {
    ...change,
    previousVersion: null,
  });
  expect(suggestion).toMatchObject({
    inputs: {},
    reasons: [expect.any(String), 'which version was there before is not known'],
  });
});

it('leaves out those that are no rollback, of another service, or of another environment', () => {
  const others = [
    runbook('name: restart-service'),
    runbook('name: scrollback-cleaner'),
    runbook('name: rollback-search\ntriggers: [{alert_pattern: "*", labels: {service: search}}]'),
    runbook('name: rollback\nexecution: {environments: [staging]}'),
    { ...runbook('name: rollback'), name: 'staging:rollback' },
  ];
  expect(names(others)).toEqual([]);
  expect(names(others, { environment: null })).toEqual(['rollback', 'staging:rollback']);
});
