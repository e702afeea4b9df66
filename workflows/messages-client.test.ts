import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answering, finish } from '../test/harness/answering-workflow.ts';
import { quietRuntime } from '../test/harness/workflows.ts';
import { startTemporalDevServer } from '../test/parts/temporal-dev-server.ts';
import { executionWorkflowId, incidentWorkflowId, taskQueue } from './messages.ts';
import {
  ClosedError,
  createMessageClient,
  type MessageClient,
  RefusedError,
  TemporalUnavailableError,
} from './messages-client.ts';

/** On a real server: what is refused, closed or busy is the server's word, not a double's. */
let server: Awaited<ReturnType<typeof startTemporalDevServer>>;
let connection: Connection;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;
let client: Client;
let messages: MessageClient;

const orgId = '00000000-0000-4000-8000-000000000001';
const ana = { name: 'ana@example.com', via: 'page' } as const;

beforeAll(async () => {
  quietRuntime();
  server = await startTemporalDevServer();
  connection = await Connection.connect({ address: server.address });
  native = await NativeConnection.connect({ address: server.address });
  client = new Client({ connection });
  // as long as a busy machine needs: this is about what is carried out, not about how soon
  messages = createMessageClient(client.workflow, { deadlineMs: 60_000 });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: new URL('../test/harness/answering-workflow.ts', import.meta.url).pathname,
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
  worker = await Worker.create({ connection: native, taskQueue, workflowBundle });
  running = worker.run();
}, 300_000);
afterAll(async () => {
  worker.shutdown();
  await running;
  await connection.close();
  await native.close();
  await server.close();
});

let lastNumber = 0;
async function openIncident() {
  const number = ++lastNumber;
  const handle = await client.workflow.start(answering, {
    workflowId: incidentWorkflowId(orgId, number),
    taskQueue,
  });
  return { number, handle };
}

test('the same act as of the same state is carried out once, as of another state again', async () => {
  const { number, handle } = await openIncident();
  const first = await messages.acknowledge(orgId, number, { actor: ana, asOf: 1 });
  expect(first).toEqual({ seq: 1, status: 'investigating' });
  expect(await messages.acknowledge(orgId, number, { actor: ana, asOf: 1 })).toEqual(first);
  expect(await messages.acknowledge(orgId, number, { actor: ana, asOf: 2 })).toMatchObject({ seq: 2 });
  const ben = { ...ana, name: 'ben@example.com' };
  expect(await messages.acknowledge(orgId, number, { actor: ben, asOf: 2 })).toMatchObject({ seq: 3 });
  await handle.signal(finish);
  expect(await handle.result()).toBe(3);
});

test('the same alerts moved to the same place are one act, in whatever order they are named', async () => {
  const { number, handle } = await openIncident();
  const move = { actor: ana, asOf: 1, into: null };
  const first = await messages.regroup(orgId, number, { ...move, alertIds: [10, 9] });
  expect(first).toEqual({ seq: 1, status: 'investigating', into: 4711 });
  expect(await messages.regroup(orgId, number, { ...move, alertIds: [9, 10] })).toEqual(first);
  expect(await messages.regroup(orgId, number, { ...move, alertIds: [9] })).toMatchObject({ seq: 2 });
  const merge = { actor: ana, asOf: 1, alertIds: null };
  expect(await messages.regroup(orgId, number, { ...merge, into: 7 })).toMatchObject({ seq: 3, into: 7 });
  expect(await messages.regroup(orgId, number, { ...merge, into: 8 })).toMatchObject({ seq: 4, into: 8 });
  await handle.signal(finish);
});

test('a note that was written elsewhere is one by its key, as of whatever state it is sent again', async () => {
  const { number, handle } = await openIncident();
  const note = { actor: ana, text: 'the disk is full', key: 'pagerduty:P1NOTE' };
  const first = await messages.addNote(orgId, number, { ...note, asOf: 1 });
  expect(await messages.addNote(orgId, number, { ...note, asOf: 2 })).toEqual(first);
  expect(await messages.addNote(orgId, number, { ...note, asOf: 2, key: 'pagerduty:P2' })).toMatchObject({
    seq: 2,
  });
  await handle.signal(finish);
});

test('a refusal carries the reason of the workflow', async () => {
  const { number, handle } = await openIncident();
  const late = messages.acknowledge(orgId, number, { actor: ana, asOf: 1, note: 'too late' });
  await expect(late).rejects.toThrow(RefusedError);
  await expect(late).rejects.toThrow('ana has it since 03:02');
  await handle.signal(finish);
});

test('what has ended or never began is closed', async () => {
  const { number, handle } = await openIncident();
  await handle.signal(finish);
  await handle.result();
  await expect(messages.acknowledge(orgId, number, { actor: ana, asOf: 1 })).rejects.toThrow(ClosedError);
  await expect(messages.acknowledge(orgId, 999, { actor: ana, asOf: 1 })).rejects.toThrow(ClosedError);
});

test('more messages than a run takes at once are all carried out', { timeout: 90_000 }, async () => {
  const { number, handle } = await openIncident();
  const notes = Array.from({ length: 40 }, (_, n) => `note ${n}`);
  const answers = await Promise.all(
    notes.map((text) => messages.addNote(orgId, number, { actor: ana, asOf: 1, text })),
  );
  expect(new Set(answers.map((answer) => answer.seq)).size).toBe(40);
  await handle.signal(finish);
  expect(await handle.result()).toBe(40);
});

test('without an answer in time Temporal counts as away', async () => {
  const executionId = 'no-answer';
  const handle = await client.workflow.start(answering, {
    workflowId: executionWorkflowId(orgId, executionId),
    taskQueue,
  });
  const impatient = createMessageClient(client.workflow, { deadlineMs: 700 });
  await expect(impatient.approve(orgId, executionId, { actor: ana })).rejects.toThrow(
    TemporalUnavailableError,
  );
  await handle.terminate();
});

test('no name of a person stands in the ids that everybody with access to Temporal reads', async () => {
  const { number, handle } = await openIncident();
  await messages.addNote(orgId, number, { actor: ana, asOf: 1, text: 'the password of ana' });
  const { events } = await handle.fetchHistory();
  const ids = events?.flatMap(
    (event) => event.workflowExecutionUpdateAcceptedEventAttributes?.protocolInstanceId ?? [],
  );
  expect(ids).toHaveLength(1);
  expect(ids?.[0]).toMatch(/^note:[\w-]{32}$/);
  await handle.signal(finish);
});

test('starting an execution that runs already is well', async () => {
  await messages.startExecution(orgId, 'twice');
  await messages.startExecution(orgId, 'twice');
  const description = await client.workflow.getHandle(executionWorkflowId(orgId, 'twice')).describe();
  expect(description.type).toBe('execution');
  expect(description.searchAttributes.HoldfastOrg).toEqual([orgId]);
  await client.workflow.getHandle(executionWorkflowId(orgId, 'twice')).terminate();
});

test('a report gets a workflow of its own each time it is asked for', async () => {
  const first = await messages.startReport(orgId, 'sla', ana.name);
  const second = await messages.startReport(orgId, 'capacity', ana.name);
  expect(first.workflowId).toMatch(/^report:.*:sla:/);
  expect(second.workflowId).not.toBe(first.workflowId);
  for (const { workflowId } of [first, second]) await client.workflow.getHandle(workflowId).terminate();
});

test('with the server away every message says so within its deadline', async () => {
  const away = Connection.lazy({ address: '127.0.0.1:1' });
  try {
    const lost = createMessageClient(new Client({ connection: away }).workflow, { deadlineMs: 500 });
    const began = performance.now();
    await expect(lost.acknowledge(orgId, 1, { actor: ana, asOf: 1 })).rejects.toThrow(
      TemporalUnavailableError,
    );
    await expect(lost.startExecution(orgId, 'x')).rejects.toThrow(TemporalUnavailableError);
    await expect(lost.probe()).rejects.toThrow(TemporalUnavailableError);
    expect(performance.now() - began).toBeLessThan(10_000);
  } finally {
    await away.close();
  }
  await messages.probe();
});
