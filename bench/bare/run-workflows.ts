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
import { nothing } from './activities.ts';

/**
 * The baseline of correlation, a process of its own as Holdfast is one: starts workflows with one local activity
 * that does nothing, as many in flight as Holdfast's dispatcher has, on a worker set up like that of Holdfast's
 * alerts. Prints how many were completed in which time.
 */
const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '' },
    count: { type: 'string', default: '400' },
    warm: { type: 'string', default: '50' },
    flight: { type: 'string', default: '50' },
  },
});
const taskQueue = 'bench-bare';
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
  activities: { nothing },
  workflowTaskPollerBehavior: { type: 'autoscaling', minimum: 2, initial: 4, maximum: 20 },
  activityTaskPollerBehavior: { type: 'autoscaling', minimum: 1, initial: 2, maximum: 10 },
  maxCachedWorkflows: 1_000,
  maxConcurrentWorkflowTaskExecutions: 40,
  maxConcurrentLocalActivityExecutions: 20,
});

async function complete(count: number): Promise<number> {
  const run = `${process.pid}-${performance.now()}`;
  const began = performance.now();
  const ids = Array.from({ length: count }, (_, index) => `bare:${run}:${index}`).values();
  await Promise.all(
    Array.from({ length: Number(values.flight) }, async () => {
      for (const workflowId of ids) {
        const handle = await workflow.start('bare', { workflowId, taskQueue });
        await handle.result();
      }
    }),
  );
  return (performance.now() - began) / 1000;
}

await worker.runUntil(async () => {
  await complete(Number(values.warm));
  const seconds = await complete(Number(values.count));
  console.log(JSON.stringify({ completed: Number(values.count), seconds }));
});
await connection.close();
await nativeConnection.close();
