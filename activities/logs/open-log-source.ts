import { Client } from '@elastic/elasticsearch';
import type { Database } from '../../db/database.ts';
import { isMetadataName } from '../../domain/cloud-metadata.ts';
import type { LogSourceDefinition } from '../../domain/logs/log-source.ts';
import { type SecretSource, SecretUnavailableError } from '../secrets/secret-source.ts';
import { EgressRefusedError, EgressRules } from '../steps/egress.ts';
import { createBuiltinLogs } from './builtin.ts';
import { createCloudWatchLogs } from './cloudwatch.ts';
import { createElasticsearchLogs } from './elasticsearch.ts';
import { type LogSource, LogSourceRefusedError } from './log-source.ts';
import { createLokiLogs } from './loki.ts';
import { createSplunkLogs } from './splunk.ts';

export interface OpenLogSourceDeps {
  db: Pick<Database, 'read' | 'unscoped'>;
  secrets: SecretSource;
  egressAllow: readonly string[];
  /** HOLDFAST_AWS_ENDPOINT. */
  awsEndpoint?: string | undefined;
}

/**
 * The source that a definition describes, with its secrets read anew; to be closed after its use. Throws
 * LogSourceRefusedError where a secret is not there.
 */
export async function openLogSource(
  deps: OpenLogSourceDeps,
  name: string,
  definition: LogSourceDefinition,
): Promise<LogSource> {
  const timeoutMs = definition.timeoutSeconds * 1000;
  const { egressAllow } = deps;
  const fields = definition.fields === undefined ? {} : { fields: definition.fields };
  switch (definition.kind) {
    case 'builtin':
      return { ...createBuiltinLogs({ db: deps.db }), name };
    case 'cloudwatch': {
      const { region, logGroups } = definition;
      const endpoint = deps.awsEndpoint === undefined ? {} : { endpoint: deps.awsEndpoint };
      return createCloudWatchLogs({ name, region, logGroups, ...fields, ...endpoint, timeoutMs });
    }
    case 'elasticsearch': {
      await refuseMetadata(definition.url, egressAllow);
      const { credential, ca } = await secretsOf(deps.secrets, definition);
      const { url, user, index, linkUrl } = definition;
      const auth =
        credential === undefined
          ? {}
          : { auth: user === undefined ? { apiKey: credential } : { username: user, password: credential } };
      const client = new Client({ node: url, ...auth, ...(ca === undefined ? {} : { tls: { ca } }) });
      const kibana = linkUrl === undefined ? {} : { kibanaUrl: linkUrl };
      return createElasticsearchLogs({ name, client, index, ...fields, ...kibana, timeoutMs });
    }
    case 'loki': {
      const { credential, ca } = await secretsOf(deps.secrets, definition);
      const { user, tenant, linkUrl, datasource } = definition;
      return createLokiLogs({
        name,
        url:
          user === undefined || credential === undefined
            ? definition.url
            : withUser(definition.url, user, credential),
        ...(user === undefined && credential !== undefined ? { token: credential } : {}),
        ...(ca === undefined ? {} : { ca }),
        ...(tenant === undefined ? {} : { tenant }),
        ...(definition.fields === undefined ? {} : { labels: definition.fields }),
        ...(linkUrl === undefined
          ? {}
          : { grafana: { url: linkUrl, ...(datasource === undefined ? {} : { datasource }) } }),
        egressAllow,
        timeoutMs,
      });
    }
    case 'splunk': {
      const { credential, ca } = await secretsOf(deps.secrets, definition);
      const { user, index, linkUrl } = definition;
      return createSplunkLogs({
        name,
        url:
          user === undefined || credential === undefined
            ? definition.url
            : withUser(definition.url, user, credential),
        ...(user === undefined && credential !== undefined ? { token: credential } : {}),
        ...(ca === undefined ? {} : { ca }),
        index,
        ...fields,
        ...(linkUrl === undefined ? {} : { webUrl: linkUrl }),
        egressAllow,
        timeoutMs,
      });
    }
  }
}

async function secretsOf(
  secrets: SecretSource,
  references: { credential?: string | undefined; ca?: string | undefined },
): Promise<{ credential?: string; ca?: string }> {
  try {
    return {
      ...(references.credential === undefined
        ? {}
        : { credential: await secrets.read(references.credential) }),
      ...(references.ca === undefined ? {} : { ca: await secrets.read(references.ca) }),
    };
  } catch (error) {
    if (!(error instanceof SecretUnavailableError)) throw error;
    throw new LogSourceRefusedError(error.message, { cause: error });
  }
}

function withUser(url: string, user: string, password: string): string {
  const address = new URL(url);
  address.username = encodeURIComponent(user);
  address.password = encodeURIComponent(password);
  return address.href;
}

/** Elasticsearch's client makes its own connections: where its host leads is looked at before. */
async function refuseMetadata(url: string, egressAllow: readonly string[]): Promise<void> {
  const address = new URL(url);
  try {
    if (isMetadataName(address.hostname))
      throw new EgressRefusedError(`${address.hostname} is cloud metadata`);
    await new EgressRules(egressAllow).resolveUrl(address, true, AbortSignal.timeout(5000));
  } catch (error) {
    // a name that is not found is the client's to report
    if (!(error instanceof EgressRefusedError)) return;
    throw new LogSourceRefusedError(`Elasticsearch is not asked: ${error.message}`, { cause: error });
  }
}
