import { expect, test } from 'vitest';
import { serviceGraph } from './graph.ts';
import { troubleIn } from './trouble.ts';

const graph = serviceGraph([
  { from: 'web', to: 'api' },
  { from: 'api', to: 'pool' },
  { from: 'pool', to: 'db' },
  { from: 'api', to: 'mail' },
]);
const at = (number: number, service: string, isCause = false) => ({ number, service, isCause });

test('an incident marks the calls between its services, over silent ones too', () => {
  const trouble = troubleIn(graph, [at(42, 'api'), at(42, 'db', true), at(41, 'api')]);
  expect(trouble.incidents).toEqual(
    new Map([
      ['api', [42, 41]],
      ['db', [42]],
    ]),
  );
  expect([...trouble.causes]).toEqual(['db']);
  expect([...trouble.between]).toEqual(['pool']);
  expect(trouble.passes({ from: 'pool', to: 'db' })).toBe(true);
  expect(trouble.passes({ from: 'api', to: 'mail' })).toBe(false);
});

test('two outages at the same time have nothing between them', () => {
  const trouble = troubleIn(graph, [at(42, 'api'), at(43, 'mail')]);
  expect(trouble.passes({ from: 'api', to: 'mail' })).toBe(false);
});
