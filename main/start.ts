import { openDataDirectory } from '../stack/data-directory.ts';
import { startApplication } from './application.ts';
import { banner } from './banner.ts';
import { readConfig } from './config.ts';
import { startStack } from './embedded-stack.ts';
import { live } from './lifetime.ts';

/** Everything in one go: what is not configured is embedded. */
await live(async ({ onEnd }) => {
  const config = readConfig();
  const directory = await openDataDirectory(config.dataDir);
  onEnd(() => directory.release());
  const stack = await startStack(config, (line) => console.log(line));
  onEnd(() => stack.close());
  console.log('Holdfast: starting the application');
  const application = await startApplication({ config, ...stack });
  onEnd(() => application.close());
  const { signInLink, ingestKey, ownerToken } = application;
  const isNew = config.ownerToken === undefined && ownerToken !== undefined;
  console.log(
    banner({
      config,
      temporalAddress: stack.temporalAddress,
      hasMailbox: stack.mailbox !== undefined,
      signInLink,
      now: new Date().toISOString(),
      ...(stack.temporalUiUrl === undefined ? {} : { temporalUiUrl: stack.temporalUiUrl }),
      ...(ingestKey === undefined ? {} : { ingestKey }),
      ...(isNew ? { newOwnerToken: ownerToken } : {}),
    }),
  );
  return { failed: Promise.race([stack.failed, application.failed]) };
});
