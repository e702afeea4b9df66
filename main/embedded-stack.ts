import { type Mailbox, startMailbox } from '../stack/mailbox.ts';
import { startPostgres } from '../stack/postgres.ts';
import { startTemporal } from '../stack/temporal.ts';
import { searchAttributeTypes } from '../workflows/messages.ts';
import type { Config } from './config.ts';

/** Where the parts are that Holdfast works with, each embedded unless the configuration names one. */
export interface Stack {
  databaseUrl: string;
  temporalAddress: string;
  /** Undefined for a Temporal of one's own whose UI was not named. */
  temporalUiUrl?: string;
  smtpUrl: string;
  /** Only when it is embedded. */
  mailbox?: Mailbox;
  /** Resolves when an embedded part ends by itself, with a sentence that says which and how. */
  failed: Promise<string>;
  /** Temporal before PostgreSQL. Safe to call again. */
  close(): Promise<void>;
}

/**
 * Starts what is not configured, all at the same time.
 * @throws Error of the first part that did not start, after the others were stopped
 */
export async function startStack(config: Config, onProgress: (line: string) => void): Promise<Stack> {
  const { dataDir } = config;
  const [postgres, temporal, mailbox] = await Promise.allSettled([
    config.databaseUrl === undefined ? startPostgres({ dataDir, onProgress }) : undefined,
    config.temporalAddress === undefined
      ? startTemporal({ dataDir, searchAttributes: searchAttributeTypes, onProgress })
      : undefined,
    config.smtpUrl === undefined ? startMailbox({ dataDir }) : undefined,
  ]);
  const parts = [started(mailbox), started(temporal), started(postgres)];
  let closing = false;
  const close = async (): Promise<void> => {
    closing = true;
    for (const part of parts.splice(0)) await part?.close();
  };
  const broken = [postgres, temporal, mailbox].find((outcome) => outcome.status === 'rejected');
  if (broken) {
    await close();
    throw broken.reason;
  }
  const databaseUrl = config.databaseUrl ?? started(postgres)?.url;
  const temporalAddress = config.temporalAddress ?? started(temporal)?.address;
  const smtpUrl = config.smtpUrl ?? started(mailbox)?.smtpUrl;
  const temporalUiUrl = config.temporalUiUrl ?? started(temporal)?.uiUrl;
  const received = started(mailbox);
  if (!databaseUrl || !temporalAddress || !smtpUrl)
    throw new Error('a part is neither embedded nor configured');
  const failed = new Promise<string>((resolve) => {
    const report = (name: string, log: string) => (how: string) => {
      if (!closing) resolve(`The embedded ${name} ended by itself (${how}); its log is ${dataDir}/${log}`);
    };
    started(postgres)?.ended.then(report('PostgreSQL', 'postgres.log'));
    started(temporal)?.ended.then(report('Temporal server', 'temporal.log'));
  });
  return {
    databaseUrl,
    temporalAddress,
    ...(temporalUiUrl === undefined ? {} : { temporalUiUrl }),
    smtpUrl,
    ...(received === undefined ? {} : { mailbox: received }),
    failed,
    close,
  };
}

function started<T>(outcome: PromiseSettledResult<T>): T | undefined {
  return outcome.status === 'fulfilled' ? outcome.value : undefined;
}
