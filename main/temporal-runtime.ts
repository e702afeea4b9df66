import { type LogLevel, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';

let installed = false;

/** A worker of activities alone is meant to be one: of runners, and of notifications. */
const noWorkflows = 'No workflows registered, not polling for workflow tasks';

/** The engine's own log lines go where Holdfast's go; what it says of its daily life is a detail. */
export function installTemporalRuntime(logger: Logger): void {
  if (installed) return;
  installed = true;
  const levels = { TRACE: 'trace', DEBUG: 'trace', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  const say = (level: LogLevel) => (message: string, meta?: object) =>
    logger[message === noWorkflows ? 'debug' : levels[level]]({ ...meta }, message);
  Runtime.install({
    logger: {
      log: (level, message, meta) => say(level)(message, meta),
      trace: say('TRACE'),
      debug: say('DEBUG'),
      info: say('INFO'),
      warn: say('WARN'),
      error: say('ERROR'),
    },
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
    shutdownSignals: [],
  });
}
