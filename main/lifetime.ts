import { DataDirectoryInUseError } from '../stack/data-directory.ts';
import { ConfigError } from './config.ts';

/** What was started, to be ended the last first. */
export interface Lifetime {
  onEnd(close: () => Promise<void>): void;
}

/**
 * Runs a process until a signal or a failure ends it, and ends in order what it started. `start` resolves, once
 * everything runs, with a promise of the sentence that says what failed later on, or with 'done' when there is
 * nothing to wait for. Exit code 0 after a signal or when done, 1 after a failure.
 */
export async function live(
  start: (lifetime: Lifetime) => Promise<{ failed: Promise<string> } | 'done'>,
): Promise<void> {
  const closers: (() => Promise<void>)[] = [];
  let running = false;
  let stopping = false;

  async function stop(exitCode: number): Promise<void> {
    if (stopping) return;
    stopping = true;
    let code = exitCode;
    for (const close of closers.splice(0).reverse()) {
      await close().catch((error: unknown) => {
        code = 1;
        console.error(explain(error));
      });
    }
    process.exit(code);
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // a second time, or before there is anything worth an orderly end: embedded parts see us go, and go too
      if (stopping || !running) process.exit(130);
      console.log('\nHoldfast stops. Press Ctrl-C again to stop at once.');
      void stop(0);
    });
  }
  try {
    const outcome = await start({ onEnd: (close) => void closers.push(close) });
    running = true;
    if (outcome === 'done') return await stop(0);
    void outcome.failed.then((how) => {
      console.error(`\n${how}\n`);
      return stop(1);
    });
  } catch (error) {
    console.error(`\n${explain(error)}\n`);
    await stop(1);
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // what Holdfast says itself is meant for the reader; of anything else the place matters
  const forTheReader = [Error, ConfigError, DataDirectoryInUseError].some(
    (kind) => error.constructor === kind,
  );
  return forTheReader ? error.message : (error.stack ?? error.message);
}
