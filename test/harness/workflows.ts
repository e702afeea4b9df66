import { setTimeout as sleep } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  DefaultLogger,
  makeTelemetryFilterString,
  type NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { bundleWorkflows } from '../../main/workflow-bundle.ts';
import { notificationTaskQueue, searchAttributeTypes } from '../../workflows/messages.ts';
import { createTimeSkippingEnvironment } from '../parts/temporal-test-server.ts';

/** Runs a worker for `taskQueue`, and one that tells people if `activities` can, until `work` is done. */
export type WithWorker = <T>(taskQueue: string, activities: object, work: () => Promise<T>) => Promise<T>;

/** A server that skips time, and workers whose activities a test scripts. */
export interface WorkflowHarness {
  env: TestWorkflowEnvironment;
  withWorker: WithWorker;
  /** Lets `ms` of the server's time pass, and returns at once. */
  skip(ms: number): Promise<void>;
  /**
   * Lets time pass minute by minute until the workflow has ended. Waiting for `result()` instead lets the server
   * skip freely, and it may then skip ten years, to the time-out of a run that is long over.
   */
  ended(handle: { describe(): Promise<{ status: { name: string } }> }, limitMs?: number): Promise<string>;
  close(): Promise<void>;
}

export async function createWorkflowHarness(): Promise<WorkflowHarness> {
  quietRuntime();
  const env = await createTimeSkippingEnvironment();
  // IndexedValueType of temporal/api/enums/v1/common.proto; this server can add them and not list them
  const types = { Keyword: 2, Int: 3 } as const;
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(
      Object.entries(searchAttributeTypes).map(([name, type]) => [name, types[type]]),
    ),
  });
  return {
    env,
    withWorker: workersBy(env.nativeConnection, await bundleWorkflows()),
    async skip(ms) {
      await env.sleep(ms);
    },
    async ended(handle, limitMs = 3 * 3_600_000) {
      for (let waited = 0; waited < limitMs; waited += 60_000) {
        const { status } = await handle.describe();
        if (status.name !== 'RUNNING') return status.name;
        await env.sleep(60_000);
      }
      throw new Error(`the workflow still runs after ${limitMs / 60_000} min`);
    },
    async close() {
      await env.teardown();
    },
  };
}

export function workersBy(connection: NativeConnection, workflowBundle: { codePath: string }): WithWorker {
  return async (taskQueue, activities, work) => {
    const common = {
      connection,
      activities,
      maxHeartbeatThrottleInterval: '100ms',
      defaultHeartbeatThrottleInterval: '100ms',
    } as const;
    const worker = await Worker.create({ ...common, taskQueue, workflowBundle });
    if (!('notify' in activities)) return await worker.runUntil(work());
    const messenger = await Worker.create({ ...common, taskQueue: notificationTaskQueue });
    return await messenger.runUntil(worker.runUntil(work()));
  };
}

/** Waits until `check` holds, by looking: for what another process does in its own time. */
export async function until(
  check: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 20_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`waited ${limitMs / 1000} s in vain until ${what}`);
    await sleep(20);
  }
}

let quiet = false;

/** The engine tells of every worker that comes and goes; a test run is about what fails. */
export function quietRuntime(): void {
  if (quiet) return;
  quiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
    },
  });
}
