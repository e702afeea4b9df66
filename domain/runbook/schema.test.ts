import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { parseRunbook } from './parse.ts';
import { runbookJsonSchema } from './schema.ts';

const folder = new URL('../../runbooks/', import.meta.url);
const shipped = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => ({ file, raw: parse(readFileSync(new URL(file, folder), 'utf8')) as unknown }));

// as an editor would: from the published text alone
const published = z.fromJSONSchema(JSON.parse(JSON.stringify(runbookJsonSchema())));
const schemaAccepts = (raw: unknown) => published.safeParse(raw).success;
const parserAccepts = (raw: unknown) => !('problems' in parseRunbook(stringify(raw), 'f.yaml'));
const withStep = (step: object, more: object = {}) => ({
  name: 'x',
  ...more,
  steps: [{ name: 'A', ...step }],
});

describe('the published schema', () => {
  it.each(shipped)('accepts the runbook $file that ships', ({ raw }) => {
    expect(published.safeParse(raw)).toMatchObject({ success: true });
  });

  it.each([
    withStep({ command: 'ls' }),
    withStep({ command: ['ls', 1, true], rollback: 'ls' }),
    withStep({ script: 'ls', args: ['{{a}}'], interpreter: ['python3'], rollback: ['ls', '{{a}}'] }),
    withStep({ command: 'ls', condition: { variable: 'a', equals: 1 } }),
    withStep({ url: 'http://x/', method: 'post', body: { a: [1, null] }, rollback: { url: 'http://x/' } }),
    withStep({ type: 'ssh', host: 'h', user: 'u', key: 'env:K', command: 'ls', rollback: { command: 'ls' } }),
    withStep({ type: 'kubernetes', operation: 'scale', workload: 'deployment/a', replicas: '{{n}}' }),
    withStep({
      type: 'aws_ssm',
      region: 'eu-west-1',
      instances: 'i-0123456789abcdef0',
      commands: 'ls',
      rollback: { commands: 'ls' },
    }),
    withStep({ type: 'sql', connection: 'env:DB', statements: 'select 1', expect_rows: { least: 1 } }),
    withStep({ type: 'prometheus', query: 'up', for: 60, url: 'http://p:9090' }),
    withStep({ type: 'wait', duration: 5 }),
    withStep({ type: 'approval', message: 'go?', approvals: 2 }),
    withStep({ type: 'notify', message: 'hi', to: [{ channel: 'ops' }] }),
    withStep({ type: 'runbook', runbook: 'other', inputs: { a: 1 } }),
    withStep({ command: 'ls' }, { verify: [{ name: 'V', url: 'http://x/' }] }),
    withStep({ command: 'ls' }, { execution: { hours: { from: '09:00', to: '17:00', time_zone: 'UTC' } } }),
    withStep({ command: 'ls {{a}}' }, { inputs: { a: { type: 'number', options: [1, 2] } } }),
    withStep({ command: 'ls {{a}}' }, { inputs: { a: null } }),
  ])('accepts what the parser accepts: %j', (raw) => {
    expect(parseRunbook(stringify(raw), 'f')).toHaveProperty('definition');
    expect(published.safeParse(raw)).toMatchObject({ success: true });
  });

  it.each([
    {},
    [],
    { name: 'x' },
    { name: 'X', steps: [{ name: 'A', command: 'ls' }] },
    { name: 'x', steps: [] },
    withStep({}),
    withStep({ command: 5 }),
    withStep({ command: [] }),
    withStep({ command: 'ls', type: 'shell' }),
    withStep({ command: 'ls', timeout: 0 }),
    withStep({ command: 'ls', retries: 1.5 }),
    withStep({ command: 'ls', runner: 'Not A Name' }),
    withStep({ command: 'ls', rollback: { comand: 'ls' } }),
    withStep({ command: 'ls', rollback: { type: 'wait', duration: 5 } }),
    withStep({ command: 'ls', condition: { variable: 'a' } }),
    withStep({ command: 'ls', condition: { step: 'A', status: 'done' } }),
    withStep({ url: 'http://x/', method: 'FETCH' }),
    withStep({ url: 'http://x/', expected_status: 99 }),
    withStep({ type: 'ssh', host: 'h', user: 'u', command: 'ls' }),
    withStep({ type: 'ssh', host: 'h', user: 'u', key: 'secret', command: 'ls' }),
    withStep({ type: 'kubernetes', operation: 'delete', workload: 'deployment/a' }),
    withStep({ type: 'kubernetes', operation: 'restart' }),
    withStep({ type: 'aws_ssm', region: 'eu-west-1', commands: 'ls' }),
    withStep({ type: 'sql', connection: 'postgres://u:p@h/d', statements: 'select 1' }),
    withStep({ type: 'sql', connection: 'env:DB', statements: [] }),
    withStep({ type: 'prometheus', query: '' }),
    withStep({ type: 'wait' }),
    withStep({ type: 'wait', duration: 5, retries: 1 }),
    withStep({ type: 'approval', message: 'go?', approvals: 11 }),
    withStep({ type: 'notify', message: 'hi', to: ['ops'] }),
    withStep({ type: 'runbook', runbook: 'No Name' }),
    withStep({ command: 'ls' }, { verify: [{ name: 'V', type: 'approval', message: 'ok?' }] }),
    withStep({ command: 'ls' }, { verify: [{ name: 'V', command: 'ls', rollback: 'ls' }] }),
    withStep({ command: 'ls' }, { execution: { mode: 'always' } }),
    withStep({ command: 'ls' }, { execution: { approver_role: 'boss' } }),
    withStep({ command: 'ls' }, { execution: { hours: { from: '9:00', to: '17:00', time_zone: 'UTC' } } }),
    withStep({ command: 'ls' }, { inputs: { 'a-b': {} } }),
    withStep({ command: 'ls' }, { inputs: { a: { type: 'integer' } } }),
    withStep({ command: 'ls' }, { inputs: { a: { from_secret: 'TOKEN' } } }),
    withStep({ command: 'ls' }, { triggers: [{ severity: 'critical' }] }),
  ])('refuses what the parser refuses: %j', (raw) => {
    expect(schemaAccepts(raw)).toBe(false);
    expect(parserAccepts(raw)).toBe(false);
  });

  it('never refuses what the parser accepts, whatever is changed in a runbook', () => {
    const change = fc.record({
      which: fc.nat(),
      value: fc.oneof(
        fc.constantFrom<unknown>(undefined, null, '', 0, -1, true, [], {}, 'x', ['ls'], { command: 'ls' }),
        fc.jsonValue({ maxDepth: 1 }),
      ),
      addKey: fc.option(
        fc.constantFrom('type', 'timeout', 'rollback', 'condition', 'url', 'runner', 'query'),
      ),
    });
    fc.assert(
      fc.property(fc.constantFrom(...shipped), change, ({ raw }, { which, value, addKey }) => {
        const changed = structuredClone(raw);
        const places = placesIn(changed);
        const { holder, key } = places[which % places.length]!;
        if (addKey !== null && !Array.isArray(holder)) Reflect.set(holder, addKey, value);
        else if (value === undefined) Reflect.deleteProperty(holder, key);
        else Reflect.set(holder, key, value);
        const plain: unknown = JSON.parse(JSON.stringify(changed));
        if (parserAccepts(plain)) expect(schemaAccepts(plain), JSON.stringify(plain)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

function placesIn(value: unknown): { holder: object; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [{ holder: value, key }, ...placesIn(item)]);
}
