import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { lateness, noteLateness, nothing } from './activities.ts';

/**
 * The baseline of armed escalations, a process of its own: workflows that wait for one timer and then run an activity,
 * due at even distances between `from` and `to` (epoch milliseconds), on the server that carries Holdfast's at the same
 * time. Prints how late the activities were, in milliseconds.
 */
const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '' },
    count: { type: 'string', default: '1000' },
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: '0' },
  },
});
const taskQueue = 'bench-timers';
/** Started at once. */
const flight = 20;
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: {
    logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
  },
});
const nativeConnection = await NativeConnection.connect({ address: values.address });
const connection = await Connection.connect({ address: values.address });
const { workflow } = new Client({ connection });
const worker = await Worker.create({
  connection: nativeConnection,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  activities: { nothing, noteLateness },
  maxCachedWorkflows: 100,
  maxConcurrentWorkflowTaskExecutions: 40,
  maxConcurrentActivityTaskExecutions: 60,
});
const count = Number(values.count);
/** Milliseconds from now in which all of them can be started: what is due before would not be armed. */
const headStart = 3_000;
const to = Number(values.to);
const from = Math.max(Number(values.from), Math.min(to, Date.now() + headStart));
await worker.runUntil(async () => {
  const due = Array.from({ length: count }, (_, n) => from + ((to - from) * n) / count).entries();
  const results: Promise<unknown>[] = [];
  await Promise.all(
    Array.from({ length: flight }, async () => {
      for (const [n, dueAt] of due) {
        const workflowId = `timed:${process.pid}:${n}`;
        const handle = await workflow.start('timed', { workflowId, taskQueue, args: [dueAt] });
        results.push(handle.result());
      }
    }),
  );
  await Promise.all(results);
  console.log(JSON.stringify({ lateness }));
});
await connection.close();
await nativeConnection.close();
