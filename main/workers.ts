import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { AlertActivities } from '../activities/alert.ts';
import type { AnalysisActivities } from '../activities/analysis.ts';
import type { AnnounceActivities } from '../activities/announce.ts';
import type { CalendarActivities } from '../activities/calendars.ts';
import type { ChatActivities } from '../activities/chat.ts';
import type { DryRunActivities } from '../activities/dry-run.ts';
import type { DutyActivities } from '../activities/duty.ts';
import type { EvidenceActivities } from '../activities/evidence.ts';
import type { ExecutionActivities } from '../activities/execution.ts';
import type { GitActivities } from '../activities/git.ts';
import type { IncidentActivities } from '../activities/incident.ts';
import type { NotifyActivities } from '../activities/notify.ts';
import type { ReportActivities } from '../activities/reports.ts';
import type { SloActivities } from '../activities/slo.ts';
import type { StepActivities } from '../activities/steps.ts';
import { alertTaskQueue, notificationTaskQueue, taskQueue } from '../workflows/messages.ts';

export type Activities = IncidentActivities &
  ExecutionActivities &
  AnnounceActivities &
  NotifyActivities &
  EvidenceActivities &
  AnalysisActivities &
  StepActivities &
  DryRunActivities &
  DutyActivities &
  ChatActivities &
  CalendarActivities &
  GitActivities &
  ReportActivities &
  SloActivities;

export interface WorkersOptions {
  connection: NativeConnection;
  namespace: string;
  workflowBundle: { codePath: string };
  alertActivities: AlertActivities;
  activities: Activities;
}

export interface Workers {
  /** Settles when the workers have stopped; rejects when one has failed. */
  readonly stopped: Promise<void>;
  shutdown(): Promise<void>;
}

/** What is under way when a worker is told to stop gets this long to end; steps are told to stop before. */
export const workerShutdown = { shutdownGraceTime: '10s', shutdownForceTime: '20s' } as const;

/** Three workers in this process: for the storm of alerts, for what is done about them, and for telling people. */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { connection, namespace, workflowBundle } = options;
  const activityWorker = {
    connection,
    namespace,
    activityTaskPollerBehavior: { type: 'autoscaling', minimum: 1, initial: 2, maximum: 10 },
    // a step hears of its cancellation with a heartbeat
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    ...workerShutdown,
  } satisfies Partial<WorkerOptions>;
  const workflowWorker = {
    ...activityWorker,
    workflowBundle,
    workflowTaskPollerBehavior: { type: 'autoscaling', minimum: 2, initial: 4, maximum: 20 },
  } satisfies Partial<WorkerOptions>;
  const workers = await Promise.all([
    Worker.create({
      ...workflowWorker,
      taskQueue: alertTaskQueue,
      activities: options.alertActivities,
      // once correlated, an alert's workflow waits for hours: what is kept in memory is what is on its way
      maxCachedWorkflows: 60,
      maxConcurrentWorkflowTaskExecutions: 40,
      // each holds a connection while it waits for the organization's lock
      maxConcurrentLocalActivityExecutions: 5,
      maxConcurrentActivityTaskExecutions: 10,
    }),
    Worker.create({
      ...workflowWorker,
      taskQueue,
      activities: options.activities,
      maxCachedWorkflows: 100,
      maxConcurrentWorkflowTaskExecutions: 40,
      maxConcurrentLocalActivityExecutions: 20,
      maxConcurrentActivityTaskExecutions: 100,
    }),
    Worker.create({
      ...activityWorker,
      taskQueue: notificationTaskQueue,
      activities: options.activities,
      // most of a sending is waiting for the other side, and one destination holds a few of them at most
      maxConcurrentActivityTaskExecutions: 60,
    }),
  ]);
  const running = workers.map((worker) => worker.run());
  const stopped = Promise.all(running).then(() => {});
  // whoever waits for `stopped` hears of it; until somebody does, it must not end the process
  stopped.catch(() => {});
  return {
    stopped,
    async shutdown() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.allSettled(running);
    },
  };
}
