import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Finding, type StepCheck, stepCheck } from '../domain/dry-run.ts';
import type { EffectAction } from '../domain/runbook/definition.ts';
import type { LayoutScope } from '../domain/runbook/layout.ts';
import { createDryRunActivities, type DryRunDeps } from './dry-run.ts';
import { SecretUnavailableError } from './secrets/secret-source.ts';
import { createStepAdapters } from './steps/adapters.ts';

let server: Server;
let url: string;
const requests: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
});

const deps: DryRunDeps = {
  adapters: createStepAdapters(),
  secretSource: {
    async read(reference) {
      if (reference === 'env:KEY') return 'key-of-the-target';
      throw new SecretUnavailableError(`${reference} is not set; set HOLDFAST_SECRET_${reference.slice(4)}`);
    },
  },
  egressAllow: [],
  environment: { PATH: process.env.PATH ?? '' },
};
const { checkStep } = createDryRunActivities(deps);

const scope: LayoutScope = {
  runbook: 'flush',
  version: 1,
  values: { path: 'keys', token: 'given-secret' },
  secretReferences: { key: 'env:KEY', lost: 'env:LOST' },
  secretInputs: ['token', 'key', 'lost'],
  allowedHosts: [],
};
async function look(action: EffectAction, over: Partial<StepCheck> = {}) {
  const check = { ...stepCheck({ index: 0, phase: 'step', action, runner: null }, scope), ...over };
  return (await new MockActivityEnvironment().run(checkStep, check)) as Finding[];
}
const request = (over: object = {}): EffectAction => ({
  kind: 'http',
  method: 'DELETE',
  url: `${url}/{{path}}`,
  headers: {},
  expectedStatus: [],
  expectJson: {},
  ...over,
});

test('a request is not sent: only its host is asked whether it takes connections', async () => {
  const findings = await look(request());
  expect(findings).toMatchObject([{ ok: true, what: 'connection' }]);
  expect(requests).toEqual([]);
});

test('a host that does not answer, and one that no rule allows, are said', async () => {
  expect(await look(request({ url: 'http://127.0.0.1:1/' }))).toMatchObject([{ ok: false }]);
  const findings = await look(request({ url: 'http://{{path}}/' }));
  expect(findings).toMatchObject([{ ok: false, detail: expect.stringContaining('allowed_hosts') }]);
});

test('secrets are read where the step would run, and what is given by people is left out', async () => {
  const findings = await look(
    request({ headers: { authorization: 'Bearer {{key}}', 'x-token': '{{token}}' } }),
  );
  expect(findings).toMatchObject([
    { ok: true, what: 'input token', detail: expect.stringContaining('without the secret') },
    { ok: true, what: 'secret env:KEY', detail: 'can be read' },
    { ok: true, what: 'connection' },
  ]);
  expect(JSON.stringify(findings)).not.toMatch(/key-of-the-target|given-secret/);
  expect(await look(request({ headers: { x: '{{lost}}' } }))).toEqual([
    { ok: false, what: 'secret', detail: 'env:LOST is not set; set HOLDFAST_SECRET_LOST' },
  ]);
});

test('findings show no secret, however what was looked at writes it', async () => {
  const said = `no 'key-of-the-target' (${btoa('me:key-of-the-target')})`;
  const adapters = createStepAdapters();
  const talkative = createDryRunActivities({
    ...deps,
    adapters: {
      ...adapters,
      http: { ...adapters.http, check: async () => [{ ok: false, what: said, detail: said }] },
    },
  });
  const action = request({ headers: { authorization: '{{key}}' } });
  const check = stepCheck({ index: 0, phase: 'step', action, runner: null }, scope);
  const findings = (await new MockActivityEnvironment().run(talkative.checkStep, check)) as Finding[];
  const hidden = expect.stringMatching(/^no '\*\*\*' \(bWU6\*\*\*\)$/);
  expect(findings.at(-1)).toEqual({ ok: false, what: hidden, detail: hidden });
});

test('what depends on a secret that was given is said not to have been looked at', async () => {
  const findings = await look(request({ url: 'http://{{token}}/' }));
  expect(findings.at(-1)).toMatchObject({
    ok: true,
    detail: expect.stringContaining('depends on the secret'),
  });
});

test('a command is not run; its program is looked for', async () => {
  const command = (argv: string[]): EffectAction => ({
    kind: 'command',
    form: { argv },
    requiresSudo: false,
  });
  expect(await look(command(['rm', '-r', '/{{path}}']))).toMatchObject([{ ok: true }]);
  expect(await look(command(['no-such-program']))).toMatchObject([{ ok: false }]);
});
