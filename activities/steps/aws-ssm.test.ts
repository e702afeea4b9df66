import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RenderedAwsSsm } from '../../domain/runbook/rendered.ts';
import { findPort, loopback } from '../../stack/port.ts';
import { type Moto, startMoto } from '../../test/parts/moto.ts';
import { type TriedPart, tryPart } from '../../test/parts/part.ts';
import { type SsmDouble, startSsmDouble } from '../../test/parts/ssm-double.ts';
import type { CheckContext, StepContext } from './adapter.ts';
import { createAwsSsmStep } from './aws-ssm.ts';
import { markOf } from './aws-ssm-api.ts';
import { EgressRules } from './egress.ts';
import { StepOutput } from './output.ts';

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIATEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret-of-the-test');
});
afterEach(() => vi.unstubAllEnvs());

const one = 'i-0000000000000000a';
const two = 'i-0000000000000000b';

const action = (change: Partial<RenderedAwsSsm> = {}): RenderedAwsSsm => ({
  kind: 'aws_ssm',
  region: 'eu-central-1',
  instanceIds: [one],
  document: 'AWS-RunShellScript',
  parameters: { commands: ["systemctl restart 'shop'"] },
  ...change,
});

interface Circumstances {
  key?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  pollMs?: number;
  cancelLimitMs?: number;
}

const checkContext = ({ timeoutMs = 20_000, signal }: Circumstances = {}): CheckContext => ({
  timeoutMs,
  signal: signal ?? new AbortController().signal,
  egress: new EgressRules([]),
  secrets: { read: async () => '' },
  environment: {},
});

function start(endpoint: string, what: RenderedAwsSsm, circumstances: Circumstances = {}) {
  const output = new StepOutput({ secrets: [] });
  const context: StepContext = {
    ...checkContext(circumstances),
    output,
    key: 'k',
    idempotencyKey: circumstances.key ?? 'execution:1:step:0',
    started: async () => {},
  };
  const { pollMs = 50, cancelLimitMs = 10_000 } = circumstances;
  return { output, result: createAwsSsmStep({ endpoint, pollMs, cancelLimitMs }).run(what, context) };
}

async function run(endpoint: string, what: RenderedAwsSsm, circumstances: Circumstances = {}) {
  const { output, result } = start(endpoint, what, circumstances);
  return { result: await result, text: output.text() };
}

describe('with the AWS API of moto', () => {
  let tried: TriedPart<Moto>;
  let moto: Moto;
  beforeAll(async () => {
    tried = await tryPart(startMoto);
  }, 300_000);
  beforeEach(async (context) => {
    moto = tried.orSkip(context);
    await moto.reset();
  });
  afterAll(async () => await tried?.part?.close());
  const listed = async (): Promise<{ Comment: string; InstanceIds: string[]; TimeoutSeconds: number }[]> => {
    const { SSMClient, ListCommandsCommand } = await import('@aws-sdk/client-ssm');
    const client = new SSMClient({ region: 'eu-central-1', endpoint: moto.url });
    const { Commands = [] } = await client.send(new ListCommandsCommand({}));
    client.destroy();
    return Commands as never;
  };

  it('a command is sent once with the mark of its step, and waited for', async () => {
    const { result, text } = await run(moto.url, action({ instanceIds: [one, two, one] }), {
      timeoutMs: 90_000,
    });
    expect(result).toEqual({ ok: true });
    const commands = await listed();
    expect(commands).toMatchObject([
      {
        Comment: 'Holdfast execution:1:step:0',
        DocumentName: 'AWS-RunShellScript',
        Parameters: { commands: ["systemctl restart 'shop'"] },
        TimeoutSeconds: 90,
      },
    ]);
    expect(commands[0]?.InstanceIds.toSorted()).toEqual([one, two]);
    expect(text).toMatch(/^command [0-9a-f-]{36}: AWS-RunShellScript in eu-central-1\n/);
    expect(text).toContain(`${one}: succeeded\n${two}: succeeded\n`);
  });

  it('another attempt of the same step finds the command, another step sends its own', async () => {
    await run(moto.url, action());
    const again = await run(moto.url, action());
    expect(again).toMatchObject({
      result: { ok: true },
      text: expect.stringMatching(/^command .* was sent by an earlier attempt of this step; waiting for it/),
    });
    expect(await listed()).toHaveLength(1);
    await run(moto.url, action(), { key: 'execution:2:step:0' });
    expect(await listed()).toHaveLength(2);
  });

  it('a check looks at the document', async () => {
    const { SSMClient, CreateDocumentCommand } = await import('@aws-sdk/client-ssm');
    const client = new SSMClient({ region: 'eu-central-1', endpoint: moto.url });
    const steps = [{ action: 'aws:runShellScript', name: 'run', inputs: { runCommand: ['{{ what }}'] } }];
    const parameters = { what: { type: 'String' }, how: { type: 'String', default: 'well' } };
    const Content = JSON.stringify({ schemaVersion: '2.2', description: 'd', parameters, mainSteps: steps });
    await client.send(new CreateDocumentCommand({ Name: 'restart-shop', DocumentType: 'Command', Content }));
    client.destroy();
    const look = async (change: Partial<RenderedAwsSsm>) =>
      (
        await createAwsSsmStep({ endpoint: moto.url }).check(
          action({ document: 'restart-shop', ...change }),
          checkContext(),
        )
      )[0];
    expect(await look({ parameters: { what: ['x'] } })).toMatchObject({
      ok: true,
      what: 'SSM document restart-shop',
    });
    expect(await look({ parameters: { who: ['x'] } })).toMatchObject({
      ok: false,
      detail: "it has no parameter 'who'; its parameter 'what' is required",
    });
    expect(await look({ document: 'no-such-document' })).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/^there is no SSM document 'no-such-document' in eu-central-1/),
    });
  });
});

describe('with instances that take their time, fail or stay away', () => {
  let ssm: SsmDouble;
  beforeEach(async () => {
    ssm = await startSsmDouble();
  });
  afterEach(async () => {
    expect(ssm.violations).toEqual([]);
    await ssm.close();
  });
  const check = async (change: Partial<RenderedAwsSsm> = {}) =>
    await createAwsSsmStep({ endpoint: ssm.url }).check(action(change), checkContext());

  it('each is waited for, with what it wrote', async () => {
    ssm.instances.set(one, { statuses: ['unknown', 'InProgress', 'Success'], output: 'restarted\n' });
    ssm.instances.set(two, {
      statuses: ['Delayed', 'Delayed', 'Success'],
      output: 'done',
      errors: 'a warning',
    });
    const { result, text } = await run(ssm.url, action({ instanceIds: [one, two] }));
    expect(result).toEqual({ ok: true });
    expect(text.split('\n').slice(1)).toEqual([
      `${two}: the instance could not be reached; SSM tries again`,
      `${one}: sent to the instance`,
      `${one}: succeeded`,
      'restarted',
      `${two}: succeeded`,
      'done',
      'a warning',
      '',
    ]);
  });

  it.each([
    [{ statuses: ['Failed'], responseCode: 3 }, 'exit status 3'],
    [{ statuses: ['TimedOut'], details: 'Delivery Timed Out' }, 'not delivered in time'],
    [{ statuses: ['TimedOut'], details: 'ExecutionTimedOut' }, 'did not end within'],
    [{ statuses: ['Failed'], details: 'Undeliverable' }, 'not deliverable'],
    [{ statuses: ['Failed'], details: 'Terminated' }, 'not run: the command was stopped'],
    [{ statuses: ['Failed'], details: 'AccessDenied' }, 'the role of the instance'],
  ])('a failure is said in words: %j', async (instance, words) => {
    ssm.instances.set(one, instance).set(two, { statuses: ['Success'] });
    const { result } = await run(ssm.url, action({ instanceIds: [one, two] }));
    expect(result).toMatchObject({ ok: false, error: expect.stringContaining(`${one}: ${words}`) });
    expect(result).not.toMatchObject({ error: expect.stringContaining(two) });
  });

  it('the steps of a document are told apart', async () => {
    const steps = [
      { name: 'stop', responseCode: 0, output: 'stopped' },
      { name: 'start', responseCode: 7, output: 'no' },
    ];
    ssm.instances.set(one, { statuses: ['Failed'], steps });
    const { result, text } = await run(ssm.url, action());
    expect(result).toEqual({ ok: false, error: `${one}: exit status 7` });
    expect(text).toContain('stop:\nstopped\nstart:\nno\n');
  });

  it('a command that failed is sent again by the next attempt', async () => {
    ssm.instances.set(one, { statuses: ['Failed'], responseCode: 1 });
    await run(ssm.url, action());
    ssm.instances.set(one, { statuses: ['Success'] });
    expect((await run(ssm.url, action())).result).toEqual({ ok: true });
    expect(ssm.commands).toHaveLength(2);
  });

  it('the command of an attempt that crashed is found among many', async () => {
    ssm.instances.set(one, { statuses: ['Success'] });
    for (const key of ['a', 'b', 'c', 'd']) await run(ssm.url, action(), { key });
    const found = await run(ssm.url, action(), { key: 'd' });
    expect(found.text).toContain(`command ${ssm.commands[3]?.CommandId} was sent by an earlier attempt`);
    expect(ssm.commands).toHaveLength(4);
  });

  it('is cancelled when the step is, and waited for', async () => {
    ssm.instances.set(one, { statuses: ['InProgress'] }).set(two, { statuses: ['Success'] });
    const cancel = new AbortController();
    const { output, result } = start(ssm.url, action({ instanceIds: [one, two] }), { signal: cancel.signal });
    await expect.poll(() => output.text()).toContain(`${two}: succeeded`);
    cancel.abort();
    expect(await result).toEqual({ ok: false, error: `cancelled; it was ended (${one}: cancelled)` });
    expect(output.text()).toContain(`${one}: being cancelled\n${one}: cancelled`);
  });

  it('is cancelled at the end of its time; one that succeeded meanwhile has succeeded', async () => {
    ssm.instances.set(one, { statuses: ['InProgress'] });
    expect((await run(ssm.url, action(), { timeoutMs: 1500 })).result).toEqual({
      ok: false,
      error: `timed out after 2 s; it was ended (${one}: cancelled)`,
    });
    ssm.instances.set(one, { statuses: ['InProgress', 'Success'] });
    // looked at again only when its time is over
    const late = { timeoutMs: 1500, pollMs: 60_000, key: 'other' };
    expect((await run(ssm.url, action(), late)).result).toEqual({ ok: true });
  });

  it('that cannot be cancelled is named', async () => {
    ssm.instances.set(one, { statuses: ['InProgress'] });
    ssm.failures.set('CancelCommand', [{ status: 400, type: 'AccessDeniedException', message: 'no' }]);
    expect((await run(ssm.url, action(), { timeoutMs: 1500 })).result).toEqual({
      ok: false,
      error: `timed out after 2 s; it may still run on ${one}: it could not be cancelled: not allowed: ssm:CancelCommand in eu-central-1 (no)`,
    });
    ssm.instances.set(one, { statuses: ['InProgress'], stubborn: true });
    const impatient = { timeoutMs: 1500, cancelLimitMs: 1000, key: 'other' };
    expect((await run(ssm.url, action(), impatient)).result).toEqual({
      ok: false,
      error: `timed out after 2 s; it was told to end on ${one}: it had not`,
    });
  });

  it('one that is still being cancelled is waited for before another is sent', async () => {
    ssm.instances.set(one, { statuses: ['InProgress'], stubborn: true });
    const first = start(ssm.url, action(), { timeoutMs: 1500 });
    await expect.poll(() => first.output.text()).toContain('being cancelled');
    const second = start(ssm.url, action());
    await expect.poll(() => second.output.text()).toContain('of an earlier attempt is still being cancelled');
    expect(ssm.commands).toHaveLength(1);
    ssm.instances.set(one, { statuses: ['Success'] });
    ssm.settle(ssm.commands[0]!, 'Cancelled');
    expect(await first.result).toMatchObject({ ok: false, error: expect.stringContaining('it was ended') });
    expect(await second.result).toEqual({ ok: true });
    expect(ssm.commands).toHaveLength(2);
  });

  it('one that can no longer be looked at is cancelled', async () => {
    ssm.instances.set(one, { statuses: ['InProgress'] });
    ssm.failures.set('GetCommandInvocation', [{ status: 400, type: 'AccessDeniedException', message: 'no' }]);
    expect((await run(ssm.url, action())).result).toEqual({
      ok: false,
      error: `not allowed: ssm:GetCommandInvocation in eu-central-1 (no); it was ended (${one}: cancelled)`,
    });
  });

  it('AWS may hold requests back: all are tried again, SendCommand only what was not carried out', async () => {
    ssm.instances.set(one, { statuses: ['Success'] });
    const throttled = { status: 400, type: 'ThrottlingException', message: 'Rate exceeded' };
    for (const operation of ['ListCommands', 'SendCommand', 'GetCommandInvocation']) {
      ssm.failures.set(operation, [throttled, throttled]);
    }
    expect((await run(ssm.url, action())).result).toEqual({ ok: true });
    expect(ssm.commands).toHaveLength(1);
    expect(ssm.asked.filter((operation) => operation === 'SendCommand')).toHaveLength(3);
  });

  it('a command whose sending has no clear end is looked for, and not sent twice', async () => {
    ssm.instances.set(one, { statuses: ['Success'] });
    ssm.failures.set('SendCommand', [{ status: 500, type: 'InternalServerError', afterwards: true }]);
    const { result, text } = await run(ssm.url, action());
    expect(result).toEqual({ ok: true });
    expect(text).toContain('; looking whether the command was sent');
    ssm.failures.set('SendCommand', [{ status: 500, type: 'InternalServerError' }]);
    expect((await run(ssm.url, action(), { key: 'other' })).result).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^no command was found after it was sent/),
    });
    expect(ssm.asked.filter((operation) => operation === 'SendCommand')).toHaveLength(2);
    expect(ssm.commands).toHaveLength(1);
  });

  it('without the permission to list commands it is sent, and says so', async () => {
    ssm.instances.set(one, { statuses: ['Success'] });
    ssm.failures.set('ListCommands', [{ status: 400, type: 'AccessDeniedException', message: 'no' }]);
    const { result, text } = await run(ssm.url, action());
    expect(result).toEqual({ ok: true });
    expect(text).toContain('not allowed: ssm:ListCommands');
  });

  it('what AWS refuses is said in words', async () => {
    expect((await run(ssm.url, action())).result).toMatchObject({
      error: expect.stringMatching(/^an instance is not managed by SSM in eu-central-1, does not run/),
    });
    ssm.failures.set('SendCommand', [
      { status: 400, type: 'AccessDeniedException', message: 'User x is not authorized' },
    ]);
    expect((await run(ssm.url, action())).result).toMatchObject({
      error: 'not allowed: ssm:SendCommand in eu-central-1 (User x is not authorized)',
    });
  });

  it('AWS that is away is asked until the time is over', async () => {
    const endpoint = `http://${loopback}:${await findPort()}`;
    const { result, text } = await run(endpoint, action(), { timeoutMs: 1500 });
    expect(result).toMatchObject({
      ok: false,
      error: expect.stringMatching(
        /^timed out after 2 s before a command was sent: AWS is away: .*ECONNREFUSED/,
      ),
    });
    expect(text).toContain('; asking again');
  });

  it('what SSM would not take is not sent', async () => {
    const many = Array.from({ length: 51 }, (_, index) => `i-${index.toString(16).padStart(17, '0')}`);
    for (const [change, words] of [
      [{ instanceIds: many }, /51 instances are named; SSM takes 50/],
      [{ instanceIds: ['web-1'] }, /"web-1" is no instance id/],
      [{ instanceIds: [] }, /no instance is named/],
      [{ region: 'x.example.com/#' }, /is no AWS region/],
      [{ document: 'a b' }, /can be no name of an SSM document/],
    ] as const) {
      const { result } = await run(ssm.url, action(change as Partial<RenderedAwsSsm>));
      expect(result).toMatchObject({ ok: false, error: expect.stringMatching(words) });
    }
    expect(ssm.asked).toEqual([]);
  });

  it('a check names document and instances, and sends nothing', async () => {
    ssm.instances.set(one, { statuses: ['Success'] }).set(two, { statuses: ['Delayed'] });
    const strange = 'i-0000000000000000c';
    expect(await check({ instanceIds: [one, two, strange] })).toEqual([
      { ok: true, what: 'SSM document AWS-RunShellScript', detail: 'is there, for Linux, MacOS' },
      { ok: true, what: one, detail: `Online (host-of-${one}, Debian GNU/Linux)` },
      { ok: false, what: two, detail: `ConnectionLost (host-of-${two}, Debian GNU/Linux)` },
      { ok: false, what: strange, detail: 'is not managed by SSM in eu-central-1' },
    ]);
    expect(ssm.asked.toSorted()).toEqual(['DescribeDocument', 'DescribeInstanceInformation']);
  });

  it('a check finds that it may not look', async () => {
    const denied = { status: 400, type: 'AccessDeniedException', message: 'no' };
    ssm.failures.set('DescribeDocument', [denied]).set('DescribeInstanceInformation', [denied]);
    const words = 'only the dry run needs this permission';
    expect(await check()).toMatchObject([
      {
        ok: false,
        detail: `cannot be looked at: not allowed: ssm:DescribeDocument in eu-central-1 (no); ${words}`,
      },
      { ok: false, detail: expect.stringContaining('ssm:DescribeInstanceInformation') },
    ]);
  });
});

it('without credentials it says how to give them', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', '');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', '');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  const { result } = await run(`http://${loopback}:1`, action());
  expect(result).toMatchObject({
    ok: false,
    error: expect.stringMatching(/^no AWS credentials are found here/),
  });
});

it('a mark holds what SSM takes as a comment', () => {
  expect(markOf('execution:1:step:0')).toBe('Holdfast execution:1:step:0');
  expect(markOf('x'.repeat(200))).toMatch(/^Holdfast sha256:[0-9a-f]{64}$/);
  expect(markOf('x'.repeat(200))).not.toBe(markOf('y'.repeat(200)));
});
