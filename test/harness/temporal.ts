import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { bundleWorkflows } from '../../main/workflow-bundle.ts';
import { feedUnread, incidentWorkflowId } from '../../workflows/messages.ts';
import { startTemporalDevServer } from '../parts/temporal-dev-server.ts';
import { quietRuntime, type WithWorker, workersBy } from './workflows.ts';

/** A real server, whose time passes as everywhere, and workers whose activities a test scripts. */
export interface TemporalHarness {
  connection: Connection;
  client: Client;
  /** What the workers run. */
  workflowBundle: { codePath: string };
  withWorker: WithWorker;
  /** An incident of an organization of its own. */
  startIncident(taskQueue: string, orgId?: string): Promise<WorkflowHandle>;
  close(): Promise<void>;
}

/** @throws PartUnavailableError where Temporal's CLI is missing */
export async function startTemporalHarness(
  ...options: Parameters<typeof startTemporalDevServer>
): Promise<TemporalHarness> {
  quietRuntime();
  const server = await startTemporalDevServer(...options);
  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection });
  const workflowBundle = await bundleWorkflows();
  return {
    connection,
    client,
    workflowBundle,
    withWorker: workersBy(native, workflowBundle),
    startIncident: async (taskQueue, orgId = randomUUID()) =>
      await client.workflow.signalWithStart('incident', {
        workflowId: incidentWorkflowId(orgId, 1),
        taskQueue,
        args: [{ orgId, incidentId: randomUUID(), number: 1 }],
        signal: feedUnread,
        signalArgs: [],
      }),
    async close() {
      await connection.close();
      await native.close();
      await server.close();
    },
  };
}
