import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { runnerNamePattern, runnerNameRule } from '../domain/runner.ts';
import { ConfigError, readRunnerConfig } from './config.ts';
import { live } from './lifetime.ts';
import { startRunnerService } from './runner-service.ts';

/** A runner near the targets of runbooks: `npm run runner -- --queue NAME`. Run as many for a queue as are needed. */
await live(async ({ onEnd }) => {
  const queue = readQueue();
  const config = readRunnerConfig();
  const { temporalAddress, holdfastUrl, logLevel } = config;
  const logger = pino({ name: 'holdfast-runner', level: logLevel });
  const version = readVersion();
  const runner = await startRunnerService({ config, queue, version, logger });
  onEnd(() => runner.close());
  logger.info({ queue, temporal: temporalAddress, holdfast: holdfastUrl, version }, 'the runner is up');
  return { failed: runner.failed };
});

function readQueue(): string {
  const usage =
    'Start it as `npm run runner -- --queue NAME`, with the queue that steps name as their runner';
  let queue: string | undefined;
  try {
    queue = parseArgs({ options: { queue: { type: 'string' } } }).values.queue;
  } catch (error) {
    throw new ConfigError(`${error instanceof Error ? error.message : String(error)}. ${usage}.`);
  }
  if (queue === undefined) throw new ConfigError(`${usage}.`);
  if (!runnerNamePattern.test(queue)) throw new ConfigError(`--queue ${queue}: ${runnerNameRule}.`);
  return queue;
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
