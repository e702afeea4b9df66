import { Client as ElasticsearchClient } from '@elastic/elasticsearch';
import { Client, Connection } from '@temporalio/client';
import nodemailer from 'nodemailer';
import { type Logger, pino } from 'pino';
import { Registry } from 'prom-client';
import type { Dispatcher } from 'undici';
import { webhookDispatcher } from '../activities/channels/dispatcher.ts';
import { type MailTransport, mailTransportOptions } from '../activities/channels/email.ts';
import { createBuiltinLogs } from '../activities/logs/builtin.ts';
import { boundedAnswers, createElasticsearchLogs } from '../activities/logs/elasticsearch.ts';
import type { LogSource } from '../activities/logs/log-source.ts';
import { createLokiLogs } from '../activities/logs/loki.ts';
import type { ServingSourcesDeps } from '../activities/logs/serving-sources.ts';
import { createSecretSource } from '../activities/secrets/create-secret-source.ts';
import { createHiddenValues, type HiddenValues } from '../activities/secrets/hidden-values.ts';
import { Database } from '../db/database.ts';
import type { Config } from './config.ts';
import { environmentOwner } from './environment-owner.ts';
import { temporalConnectionOptions } from './temporal-connection.ts';
import { createWorkflowStarter, type WorkflowStarter } from './workflow-client.ts';

/** Where the parts are: what is embedded or configured. */
export interface BackendAddresses {
  databaseUrl: string;
  temporalAddress: string;
  smtpUrl: string;
}

/** The clients of everything that Holdfast works with; made here and nowhere else. */
export interface Backends {
  db: Database;
  /** Connections for the intake alone, so that alerts are accepted while all others are busy with a storm. */
  intakeDb: Database;
  temporal: Client;
  connection: Connection;
  starter: WorkflowStarter;
  mail: MailTransport;
  webhooks: Dispatcher;
  /** Where logs are by the environment. */
  logs: LogSource;
  /** Whether what the environment names is this organization's. */
  ownsEnvironment: (orgId: string) => Promise<boolean>;
  /** What channels hide: tokens, signing secrets, addresses that hold one. */
  hidden: HiddenValues;
  /** The same with all that configured log sources need. */
  logSources: ServingSourcesDeps;
  logger: Logger;
  /** What /metrics shows. */
  metrics: Registry;
  close(): Promise<void>;
}

/** Of one integration two transactions run at once, see api/alerts/group-commit.ts. */
const intakeConnections = 4;

/** Nothing is asked for yet: a part that is away shows when it is used, and is used again when it is back. */
export function connectBackends(config: Config, addresses: BackendAddresses): Backends {
  const logger = pino({ name: 'holdfast', level: config.logLevel });
  const db = new Database({ url: addresses.databaseUrl, poolSize: config.databasePoolSize });
  const intakeDb = new Database({ url: addresses.databaseUrl, poolSize: intakeConnections });
  const connection = Connection.lazy(temporalConnectionOptions(config, addresses.temporalAddress));
  const temporal = new Client({ connection, namespace: config.temporalNamespace });
  const mail: MailTransport = nodemailer.createTransport(mailTransportOptions(addresses.smtpUrl));
  const webhooks = webhookDispatcher({ egressAllow: config.egressAllow });
  const logs = logSourceOf(config, db);
  const ownsEnvironment = environmentOwner(db);
  const secrets = createSecretSource({
    environment: config.commandEnvironment,
    directory: config.secretsDir,
    ssm: { region: config.awsRegion, endpoint: config.awsEndpoint },
  });
  return {
    db,
    intakeDb,
    temporal,
    connection,
    starter: createWorkflowStarter(temporal),
    mail,
    webhooks,
    logs,
    ownsEnvironment,
    hidden: createHiddenValues({ secrets, ownsEnvironment }),
    logSources: {
      db,
      standard: logs,
      ownsEnvironment,
      secrets,
      egressAllow: config.egressAllow,
      awsEndpoint: config.awsEndpoint,
    },
    logger,
    metrics: new Registry(),
    async close() {
      mail.close();
      await webhooks.close();
      await connection.close();
      await intakeDb.close();
      await db.close();
    },
  };
}

function logSourceOf(config: Config, db: Database): LogSource {
  if (config.elasticsearchUrl !== undefined) {
    const { elasticsearchApiKey: apiKey, kibanaUrl } = config;
    const client = new ElasticsearchClient({
      node: config.elasticsearchUrl,
      ...(apiKey === undefined ? {} : { auth: { apiKey } }),
      ...boundedAnswers,
    });
    return createElasticsearchLogs({
      client,
      index: config.elasticsearchIndex,
      ...(kibanaUrl === undefined ? {} : { kibanaUrl }),
    });
  }
  if (config.lokiUrl !== undefined) {
    const { lokiUrl: url, grafanaUrl } = config;
    return createLokiLogs({ url, ...(grafanaUrl === undefined ? {} : { grafana: { url: grafanaUrl } }) });
  }
  return createBuiltinLogs({ db });
}
