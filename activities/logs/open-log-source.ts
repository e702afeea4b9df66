import { Client } from '@elastic/elasticsearch';
import { Pool } from 'undici';
import type { Database } from '../../db/database.ts';
import type { LogSourceDefinition } from '../../domain/logs/log-source.ts';
import { type SecretSource, SecretUnavailableError } from '../secrets/secret-source.ts';
import { EgressRefusedError, EgressRules } from '../steps/egress.ts';
import { createBuiltinLogs } from './builtin.ts';
import { createCloudWatchLogs } from './cloudwatch.ts';
import { boundedAnswers, createElasticsearchLogs } from './elasticsearch.ts';
import { type LogSource, LogSourceRefusedError } from './log-source.ts';
import { createLokiLogs } from './loki.ts';
import { createSplunkLogs } from './splunk.ts';

export interface OpenLogSourceDeps {
  db: Pick<Database, 'read' | 'unscoped'>;
  secrets: SecretSource;
  egressAllow: readonly string[];
  /** HOLDFAST_AWS_ENDPOINT. */
  awsEndpoint?: string | undefined;
  /** Whose the secrets and the AWS role of this process are: sources of others are opened without them. */
  ownsEnvironment: (orgId: string) => Promise<boolean>;
}

/**
 * The source that a definition describes, with its secrets read anew; to be closed after its use. Throws
 * LogSourceRefusedError where a secret is not there, or belongs to another organization.
 */
export async function openLogSource(
  deps: OpenLogSourceDeps,
  { orgId, name }: { orgId: string; name: string },
  definition: LogSourceDefinition,
): Promise<LogSource> {
  if (borrows(definition) && !(await deps.ownsEnvironment(orgId))) {
    throw new LogSourceRefusedError(refusals[definition.kind === 'cloudwatch' ? 'role' : 'secrets']);
  }
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
      const { credential, ca } = await secretsOf(deps.secrets, definition);
      const { url, user, index, linkUrl } = definition;
      const auth =
        credential === undefined
          ? {}
          : { auth: user === undefined ? { apiKey: credential } : { username: user, password: credential } };
      const client = new Client({
        node: url,
        ...auth,
        agent: guardedAgent(new URL(url), egressAllow, ca),
        ...boundedAnswers,
      });
      const kibana = linkUrl === undefined ? {} : { kibanaUrl: linkUrl };
      return createElasticsearchLogs({ name, client, index, ...fields, ...kibana, timeoutMs });
    }
    case 'loki': {
      const { tenant, linkUrl, datasource } = definition;
      return createLokiLogs({
        name,
        ...(await accessOf(deps.secrets, definition)),
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
      const { index, linkUrl } = definition;
      return createSplunkLogs({
        name,
        ...(await accessOf(deps.secrets, definition)),
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

/** With a user the credential is the password, without one a token. Throws LogSourceRefusedError. */
async function accessOf(
  secrets: SecretSource,
  definition: {
    url: string;
    user?: string | undefined;
    credential?: string | undefined;
    ca?: string | undefined;
  },
): Promise<{ url: string; token?: string; ca?: string }> {
  const { url, user } = definition;
  const { credential, ...rest } = await secretsOf(secrets, definition);
  if (credential === undefined) return { url, ...rest };
  return user === undefined
    ? { url, token: credential, ...rest }
    : { url: withUser(url, user, credential), ...rest };
}

function withUser(url: string, user: string, password: string): string {
  const address = new URL(url);
  address.username = encodeURIComponent(user);
  address.password = encodeURIComponent(password);
  return address.href;
}

/** Whether opening it takes what belongs to the process. */
function borrows(definition: LogSourceDefinition): boolean {
  if (definition.kind === 'cloudwatch') return true;
  if (definition.kind === 'builtin') return false;
  return definition.credential !== undefined || definition.ca !== undefined;
}

const refusals = {
  role: "CloudWatch is asked with the installation's AWS role, which is the first organization's: use another kind of source, or an installation of your own",
  secrets:
    "secrets of the installation are the first organization's: leave out credential and ca, or use an installation of your own",
};

/**
 * Connections of Elasticsearch's client to allowed addresses alone, looked at when they are made. Throws
 * LogSourceRefusedError where the address itself is not one of them.
 */
function guardedAgent(url: URL, egressAllow: readonly string[], ca: string | undefined): () => Pool {
  const egress = new EgressRules(egressAllow);
  try {
    egress.checkUrl(url, true);
  } catch (error) {
    if (!(error instanceof EgressRefusedError)) throw error;
    throw new LogSourceRefusedError(`Elasticsearch is not asked: ${error.message}`, { cause: error });
  }
  const connect = { lookup: egress.lookupFor(url, true), ...(ca === undefined ? {} : { ca }) };
  return () => new Pool(url.origin, { connect });
}
