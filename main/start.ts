import { DataDirectoryInUseError, openDataDirectory } from '../stack/data-directory.ts';
import { startApplication } from './application.ts';
import { banner } from './banner.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { startStack } from './embedded-stack.ts';

/** Everything in one process group: what is not configured is embedded. Ends with 1 after a failure. */

/** How to undo what was started so far, the last first. */
const closers: (() => Promise<void>)[] = [];
let running = false;
let stopping = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // a second time, or before there is anything worth an orderly end: what was started sees us go, and goes too
    if (stopping || !running) process.exit(130);
    console.log('\nHoldfast stops. Press Ctrl-C again to stop at once.');
    void stop(0);
  });
}

try {
  await start(readConfig());
} catch (error) {
  console.error(`\n${explain(error)}\n`);
  await stop(1);
}

async function start(config: Config): Promise<void> {
  const directory = await openDataDirectory(config.dataDir);
  closers.push(() => directory.release());
  const stack = await startStack(config, (line) => console.log(line));
  closers.push(() => stack.close());
  console.log('Holdfast: starting the application');
  const application = await startApplication({ config, ...stack });
  closers.push(() => application.close());
  running = true;
  const newOwnerToken = config.ownerToken === undefined ? application.ownerToken : undefined;
  console.log(
    banner({
      config,
      hasMailbox: stack.mailbox !== undefined,
      signInLink: application.signInLink,
      now: new Date().toISOString(),
      ...definedOnly({
        temporalUiUrl: stack.temporalUiUrl,
        ingestKey: application.ingestKey,
        newOwnerToken,
      }),
    }),
  );
  void Promise.race([stack.failed, application.failed]).then((how) => {
    console.error(`\n${how}\n`);
    return stop(1);
  });
}

async function stop(exitCode: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const close of closers.splice(0).reverse()) {
    await close().catch((error: unknown) => {
      exitCode = 1;
      console.error(explain(error));
    });
  }
  process.exit(exitCode);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // what Holdfast says itself is meant for the reader; of anything else the place matters
  const forTheReader = [Error, ConfigError, DataDirectoryInUseError].some(
    (kind) => error.constructor === kind,
  );
  return forTheReader ? error.message : (error.stack ?? error.message);
}

function definedOnly(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
