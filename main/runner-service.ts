import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createDryRunActivities } from '../activities/dry-run.ts';
import { LedgerUnavailableError } from '../activities/steps/ledger.ts';
import { createRunnerApi, type RunnerApi, RunnerRefusedError } from '../activities/steps/ledger-remote.ts';
import { createStepActivities, type StepActivities } from '../activities/steps.ts';
import { signOfLifeMs } from '../domain/runner.ts';
import { runnerTaskQueue } from '../workflows/messages.ts';
import { ConfigError, type RunnerConfig } from './config.ts';
import { stepDepsOf } from './step-deps.ts';
import { connectWorker, temporalConnectionOptions } from './temporal-connection.ts';
import { installTemporalRuntime } from './temporal-runtime.ts';
import { workerShutdown } from './workers.ts';

export interface RunnerService {
  /** Resolves with a sentence when the runner ends by itself. */
  readonly failed: Promise<string>;
  close(): Promise<void>;
}

const retryMs = 2_000;
/** Steps at once; the others wait in the queue, for another runner of it too. */
const mostSteps = 20;

/**
 * Carries out the steps of one queue near their targets. It only ever calls out: to Temporal for what there is to
 * do, to Holdfast for what the step is and how it went.
 * @throws ConfigError when Holdfast does not take the token or it stands for another queue
 */
export async function startRunnerService(options: {
  config: RunnerConfig;
  queue: string;
  version: string;
  logger: Logger;
}): Promise<RunnerService> {
  const { config, queue, version, logger } = options;
  const api = createRunnerApi({ url: config.holdfastUrl, token: config.runnerToken });
  const identity = await untilAnswered(() => api.identify(), config, logger);
  if (identity.queue !== queue) {
    throw new ConfigError(
      `The token in HOLDFAST_RUNNER_TOKEN stands for the queue ${identity.queue}, not ${queue}: ` +
        `start the runner with --queue ${identity.queue}, or make a token for ${queue} under Settings, Runners.`,
    );
  }
  installTemporalRuntime(logger);
  const { temporalAddress, temporalNamespace: namespace } = config;
  const connection = await connectWorker(temporalConnectionOptions(config, temporalAddress), logger);
  const deps = stepDepsOf(config, {
    ledger: api.ledger,
    temporal: connection.workflowService,
    secrets: [config.runnerToken, config.temporalApiKey, config.ownerToken, config.ingestKey],
  });
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: runnerTaskQueue(identity.orgId, queue),
    activities: { ...logged(createStepActivities(deps), logger), ...createDryRunActivities(deps) },
    activityTaskPollerBehavior: { type: 'autoscaling', minimum: 1, initial: 2, maximum: 5 },
    maxConcurrentActivityTaskExecutions: mostSteps,
    // a step hears of its cancellation with a heartbeat
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    ...workerShutdown,
  });
  const running = worker.run();
  const signs = startSignsOfLife(api, { version, logger });
  return {
    failed: Promise.race([
      signs.refused,
      running.then(
        () => new Promise<string>(() => {}),
        (error: unknown) => `The runner ended by itself: ${String(error)}`,
      ),
    ]),
    async close() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running.catch(() => {});
      await signs.stop();
      await connection.close();
    },
  };
}

/** Holdfast may start after its runners, or be away: only a token that it refuses ends a runner. */
async function untilAnswered<T>(
  ask: () => Promise<T>,
  { holdfastUrl }: RunnerConfig,
  logger: Logger,
): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof RunnerRefusedError) throw new ConfigError(error.message, { cause: error });
      if (!(error instanceof LedgerUnavailableError)) throw error;
      logger.warn({ url: holdfastUrl }, `Holdfast does not answer, trying again in ${retryMs / 1000} s`);
      await sleep(retryMs);
    }
  }
}

function startSignsOfLife(
  api: RunnerApi,
  { version, logger }: { version: string; logger: Logger },
): { refused: Promise<string>; stop(): Promise<void> } {
  const sign = { instance: `${hostname()} ${process.pid}`, version, startedAt: new Date() };
  const over = new AbortController();
  let away = false;

  async function tell(): Promise<string | undefined> {
    try {
      await api.tellAlive({ ...sign, stopping: false });
      if (away) logger.info('Holdfast answers again');
      away = false;
    } catch (error) {
      if (error instanceof RunnerRefusedError) return error.message;
      if (!away) logger.warn({ err: error }, 'Holdfast does not answer; steps wait for it');
      away = true;
    }
    return undefined;
  }

  async function keepTelling(): Promise<string | undefined> {
    while (!over.signal.aborted) {
      const refusal = await tell();
      if (refusal !== undefined) return refusal;
      await sleep(signOfLifeMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
    return undefined;
  }

  const told = keepTelling();
  return {
    refused: told.then((refusal) => refusal ?? new Promise<string>(() => {})),
    async stop() {
      over.abort();
      await told;
      // whoever does not hear of it sees a runner that fell silent
      await api.tellAlive({ ...sign, stopping: true }).catch(() => undefined);
    },
  };
}

function logged({ runStep }: StepActivities, logger: Logger): StepActivities {
  return {
    async runStep(input) {
      const { executionId, index, phase, attempt } = input;
      const about = { executionId, step: index + 1, phase, attempt };
      logger.info(about, 'begins');
      try {
        const outcome = await runStep(input);
        if (outcome.ok) logger.info(about, 'succeeded');
        else logger.warn({ ...about, error: outcome.error }, 'failed');
        return outcome;
      } catch (error) {
        logger.warn({ ...about, error: error instanceof Error ? error.message : String(error) }, 'ended');
        throw error;
      }
    },
  };
}
