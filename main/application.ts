import { createSignInLink } from '../db/identity.ts';
import { migrate } from '../db/migrate.ts';
import { type EnsuredOrganization, ensureOrganization } from '../db/organizations.ts';
import type { Mailbox } from '../web/server.ts';
import { type BackendAddresses, type Backends, connectBackends } from './backends.ts';
import type { Config } from './config.ts';
import { startDispatcher } from './dispatcher.ts';
import { startHttpService } from './http-service.ts';
import { keepIngestKey, readIngestKey } from './ingest-key-file.ts';
import { startWorkerService } from './worker-service.ts';

export interface ApplicationOptions extends BackendAddresses {
  config: Config;
  temporalUiUrl?: string;
  mailbox?: Mailbox;
}

export interface Application {
  /** Signs the owner in, once. */
  signInLink: string;
  /** Where it is known: configured, made just now, or kept in the data directory. */
  ingestKey?: string;
  /** Only when it was configured or made just now. */
  ownerToken?: string;
  /** Resolves with a sentence when a part of the application ends by itself. */
  failed: Promise<string>;
  close(): Promise<void>;
}

const signInLinkMs = 24 * 3_600_000;

/** The whole application in this process: API, pages, worker, dispatcher. */
export async function startApplication(options: ApplicationOptions): Promise<Application> {
  const { config } = options;
  await migrate(options.databaseUrl);
  const backends = connectBackends(config, options);
  const closers: (() => Promise<void>)[] = [() => backends.close()];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const organization = await prepareOrganization(config, backends);
    const worker = await startWorkerService({ config, backends, temporalAddress: options.temporalAddress });
    closers.push(() => worker.close());
    const dispatcher = startDispatcher(backends);
    closers.push(() => dispatcher.stop());
    const http = await startHttpService({ ...options, backends, onAlertsAccepted: () => dispatcher.wake() });
    closers.push(() => http.close());
    if (organization.ingestKey !== undefined) await keepIngestKey(config.dataDir, organization.ingestKey);
    const ingestKey = organization.ingestKey ?? (await readIngestKey(config.dataDir));
    return {
      signInLink: await mintSignInLink(config, backends, organization),
      ...(ingestKey === undefined ? {} : { ingestKey }),
      ...(organization.ownerToken === undefined ? {} : { ownerToken: organization.ownerToken }),
      failed: worker.failed,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first organization with its owner, tokens and policies, as the configuration says. */
export async function prepareOrganization(config: Config, { db }: Backends): Promise<EnsuredOrganization> {
  return await ensureOrganization(db, {
    ownerEmail: config.ownerEmail,
    ...(config.ownerToken === undefined ? {} : { ownerToken: config.ownerToken }),
    ...(config.ingestKey === undefined ? {} : { ingestKey: config.ingestKey }),
    ...(config.alertmanagerUrl === undefined ? {} : { alertmanagerUrl: config.alertmanagerUrl }),
  });
}

/** A link that signs the owner in once, within a day. */
export async function mintSignInLink(
  config: Config,
  { db }: Backends,
  { orgId, ownerUserId }: EnsuredOrganization,
): Promise<string> {
  const expiresAt = new Date(Date.now() + signInLinkMs);
  const token = await db.write({ orgId }, (tx) =>
    createSignInLink(tx, { orgId, userId: ownerUserId, expiresAt, actor: 'holdfast' }),
  );
  return `${config.publicUrl}/sign-in/${token}`;
}
