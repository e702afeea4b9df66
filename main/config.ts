import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { parseDuration } from '../domain/duration.ts';
import { type TemporalTls, temporalProblems, temporalTlsOf } from './temporal-config.ts';

/** Everything that the environment decides, checked once at start. Undefined parts are embedded. */
export interface Config {
  port: number;
  /** The address that the API and the pages listen on. */
  listenAddress: string;
  /** As 'https://holdfast.example.com', without a slash at the end: what links in mails begin with. */
  publicUrl: string;
  /** Whether to trust X-Forwarded-For and -Proto, of that many proxies before Holdfast. */
  trustedProxies: number;
  /** Absolute. */
  dataDir: string;
  databaseUrl?: string;
  databasePoolSize: number;
  temporalAddress?: string;
  temporalNamespace: string;
  /** Absent: without TLS. Paths of PEM files, absolute. */
  temporalTls?: TemporalTls;
  temporalApiKey?: string;
  temporalUiUrl?: string;
  smtpUrl?: string;
  mailFrom: string;
  elasticsearchUrl?: string;
  /** An index name or pattern, several separated by commas. */
  elasticsearchIndex: string;
  elasticsearchApiKey?: string;
  /** Where a reader opens the full query. */
  kibanaUrl?: string;
  lokiUrl?: string;
  grafanaUrl?: string;
  prometheusUrl?: string;
  /** Asked whether an alert still fires when no news of it comes. */
  alertmanagerUrl?: string;
  /** Absolute. */
  runbooksDir: string;
  /** Host names, addresses or CIDR ranges that a host out of a variable may have, `*.` before a name for all below it. */
  egressAllow: string[];
  /** Absolute: where `file:` secrets of runbooks are. */
  secretsDir?: string;
  /** Absolute: the hosts that ssh steps may reach, with their keys. */
  sshKnownHosts: string;
  /** Of `ssm:` secrets. */
  awsRegion?: string;
  /** Asked instead of Amazon's own addresses. */
  awsEndpoint?: string;
  /** Asked instead of the vendors' own addresses. */
  slackApiUrl?: string;
  pagerDutyApiUrl?: string;
  pagerDutyRestApiUrl?: string;
  ownerEmail: string;
  ownerToken?: string;
  ingestKey?: string;
  /** Of the built-in log store. */
  logRetentionDays: number;
  reopenWindowMs: number;
  /** Mail addresses; the owner's where none are named. */
  sendReportsTo: string[];
  /** The zone in which reports count days and weeks, and go out. */
  timeZone: string;
  /** Whether runbooks may come from Git repositories on this machine (file://). */
  gitAllowFile: boolean;
  /** Whether a signal from the Temporal CLI or UI counts as a vote on an approval. */
  approveBySignal: boolean;
  /** How long a runner has to take a step up before people hear that it is missing. */
  runnerPatienceMs: number;
  /** The environment that commands of runbooks see a part of. */
  commandEnvironment: Record<string, string | undefined>;
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
}

/** Names each variable that is wrong, what is wrong with it and what to write. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const whole = (least: number, most: number, remedy: string) =>
  z
    .string()
    .regex(/^\d+$/, remedy)
    .transform(Number)
    .refine((value) => value >= least && value <= most, remedy);

function url(protocols: readonly string[], example: string) {
  const remedy = `write a URL such as ${example}`;
  return z.string().refine((text) => {
    const parsed = URL.parse(text);
    return parsed !== null && protocols.includes(parsed.protocol) && parsed.hostname !== '';
  }, remedy);
}

const httpUrl = (example: string) =>
  url(['http:', 'https:'], example).transform((text) => text.replace(/\/+$/, ''));

const secret = z
  .string()
  .regex(
    /^[\x21-\x7e]{8,200}$/,
    'write 8 to 200 printable characters without spaces, such as `openssl rand -hex 24` gives',
  );

const mailAddress = z.email('write a mail address such as ana@example.com');

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms === undefined)
    context.addIssue({ code: 'custom', message: "write a duration such as '30s', '15m' or '4h'" });
  return ms ?? 0;
});

const switched = z.enum(['on', 'off'], "write 'on' or 'off'").transform((word) => word === 'on');

const timeZone = z.string().refine((name) => {
  // Intl takes offsets too, whose sign PostgreSQL reads the other way round
  if (/^[+-]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}, 'write an IANA time zone such as Europe/Berlin');

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

const variables = z.object({
  PORT: whole(1, 65_535, 'write a port between 1 and 65535').default(8080),
  HOLDFAST_LISTEN_ADDRESS: z
    .union(
      [z.ipv4(), z.ipv6()],
      'write an IP address: 127.0.0.1 for this machine alone, 0.0.0.0 for every interface',
    )
    .default('127.0.0.1'),
  PUBLIC_URL: httpUrl('https://holdfast.example.com').optional(),
  HOLDFAST_TRUSTED_PROXIES: whole(0, 10, 'write how many proxies stand before Holdfast, 0 to 10').default(0),
  HOLDFAST_DATA_DIR: z.string().default('.holdfast'),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/holdfast').optional(),
  HOLDFAST_DATABASE_POOL: whole(2, 200, 'write a number of connections between 2 and 200').default(10),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}$/, 'write host:port, such as temporal.example.com:7233')
    .optional(),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_TLS: switched.optional(),
  TEMPORAL_TLS_CA: z.string().optional(),
  TEMPORAL_TLS_CERT: z.string().optional(),
  TEMPORAL_TLS_KEY: z.string().optional(),
  TEMPORAL_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'write the key as Temporal shows it, without spaces')
    .optional(),
  TEMPORAL_UI_URL: httpUrl('http://temporal.example.com:8080').optional(),
  SMTP_URL: url(['smtp:', 'smtps:'], 'smtp://user:password@mail.example.com:587').optional(),
  HOLDFAST_MAIL_FROM: z
    .string()
    .regex(
      /^([^<>\r\n]+<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/,
      "write an address such as 'Holdfast <holdfast@example.com>'",
    )
    .default('Holdfast <holdfast@holdfast.localhost>'),
  ELASTICSEARCH_URL: httpUrl('https://elasticsearch.example.com:9200').optional(),
  ELASTICSEARCH_INDEX: z.string().default('logs*,*-logs,*-logs-*,filebeat-*,logstash-*'),
  ELASTICSEARCH_API_KEY: z.string().optional(),
  KIBANA_URL: httpUrl('https://kibana.example.com').optional(),
  LOKI_URL: httpUrl('http://loki.example.com:3100').optional(),
  GRAFANA_URL: httpUrl('https://grafana.example.com').optional(),
  PROMETHEUS_URL: httpUrl('http://prometheus.example.com:9090').optional(),
  ALERTMANAGER_URL: httpUrl('http://alertmanager.example.com:9093').optional(),
  HOLDFAST_RUNBOOKS_DIR: z.string().default('runbooks'),
  HOLDFAST_EGRESS_ALLOW: list
    .pipe(
      z.array(
        z
          .string()
          .regex(
            /^[^\s/:]+$|^[0-9a-fA-F.:]+(\/\d{1,3})?$/,
            "write hosts without scheme, port or path, such as 'health.example.com, *.internal, 10.0.0.0/8'",
          ),
      ),
    )
    .default([]),
  HOLDFAST_SECRETS_DIR: z.string().optional(),
  HOLDFAST_SSH_KNOWN_HOSTS: z.string().default(join(homedir(), '.ssh/known_hosts')),
  AWS_REGION: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, 'write a region such as eu-central-1')
    .optional(),
  HOLDFAST_AWS_ENDPOINT: httpUrl('http://127.0.0.1:5000').optional(),
  HOLDFAST_SLACK_API_URL: httpUrl('http://127.0.0.1:5001/api').optional(),
  HOLDFAST_PAGERDUTY_API_URL: httpUrl('http://127.0.0.1:5002').optional(),
  HOLDFAST_PAGERDUTY_REST_API_URL: httpUrl('http://127.0.0.1:5002').optional(),
  HOLDFAST_OWNER_EMAIL: z
    .string()
    .regex(/^[^\s<>@]+@[^\s<>@]+$/, 'write a mail address such as ana@example.com')
    .default('owner@holdfast.localhost'),
  HOLDFAST_OWNER_TOKEN: secret.optional(),
  HOLDFAST_INGEST_KEY: secret.optional(),
  HOLDFAST_LOG_RETENTION_DAYS: whole(1, 3650, 'write a number of days between 1 and 3650').default(14),
  HOLDFAST_REOPEN_WINDOW: duration.default(15 * 60_000),
  HOLDFAST_SEND_REPORTS_TO: list.pipe(z.array(mailAddress)).optional(),
  HOLDFAST_TIME_ZONE: timeZone.default('UTC'),
  HOLDFAST_GIT_ALLOW_FILE: switched.default(false),
  HOLDFAST_APPROVE_BY_SIGNAL: switched.default(true),
  HOLDFAST_RUNNER_PATIENCE: duration.default(2 * 60_000),
  HOLDFAST_LOG_LEVEL: z.enum(logLevels, `write one of ${logLevels.join(', ')}`).default('info'),
});

/** The variables that Holdfast reads, for documentation that must name each of them. */
export const variableNames: readonly string[] = Object.keys(variables.shape);

/**
 * @param env as process.env; an empty value counts as unset
 * @throws ConfigError naming every variable that is wrong
 */
export function readConfig(env: Record<string, string | undefined> = process.env): Config {
  const given = presentOf(variableNames, env);
  const parsed = variables.safeParse(given);
  const problems = parsed.success ? [] : parsed.error.issues.map(problem);
  if (given.ELASTICSEARCH_URL && given.LOKI_URL) {
    problems.push(
      'ELASTICSEARCH_URL and LOKI_URL are both set; logs are read from one place, so unset one of them',
    );
  }
  problems.push(...temporalProblems(given));
  if (given.TEMPORAL_NAMESPACE && !given.TEMPORAL_ADDRESS) {
    problems.push(
      'TEMPORAL_NAMESPACE is of use only with TEMPORAL_ADDRESS: the embedded server has one namespace',
    );
  }
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(
      ['The configuration has to be mended:', ...problems.map((text) => `  ${text}`)].join('\n'),
    );
  }
  return { ...configOf(parsed.data), commandEnvironment: { ...env } };
}

/** What a runner (main/runner.ts) reads beside the variables of all; documented in docs/runners.md. */
const runnerVariables = z.object({
  HOLDFAST_URL: httpUrl('https://holdfast.example.com'),
  HOLDFAST_RUNNER_TOKEN: secret,
  TEMPORAL_ADDRESS: z.string(),
});

/** What decides how a runner works. It has no database, no mail server and no port. */
export interface RunnerConfig extends Config {
  temporalAddress: string;
  /** Where Holdfast answers, without a slash at the end. */
  holdfastUrl: string;
  runnerToken: string;
}

/** Throws ConfigError naming every variable that is missing or wrong. */
export function readRunnerConfig(env: Record<string, string | undefined> = process.env): RunnerConfig {
  const parsed = runnerVariables.safeParse(presentOf(Object.keys(runnerVariables.shape), env));
  if (!parsed.success) {
    const { issues } = parsed.error;
    const texts = issues.map((issue) =>
      issue.code === 'invalid_type' ? `${String(issue.path[0])} is not set` : problem(issue),
    );
    throw new ConfigError(['The runner cannot start:', ...texts.map((text) => `  ${text}`)].join('\n'));
  }
  const { HOLDFAST_URL, HOLDFAST_RUNNER_TOKEN, TEMPORAL_ADDRESS } = parsed.data;
  return {
    ...readConfig(env),
    temporalAddress: TEMPORAL_ADDRESS,
    holdfastUrl: HOLDFAST_URL,
    runnerToken: HOLDFAST_RUNNER_TOKEN,
  };
}

/** An empty value counts as unset. */
function presentOf(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name]?.trim();
      return value ? [[name, value]] : [];
    }),
  );
}

/** What the command line (main/cli.ts) reads; documented in docs/cli.md. */
const cliVariables = z.object({
  HOLDFAST_URL: httpUrl('https://holdfast.example.com').default('http://localhost:8080'),
  HOLDFAST_TOKEN: secret.optional(),
});

export interface CliConfig {
  /** Where Holdfast answers, without a slash at the end. */
  url: string;
  /** An API token. */
  token?: string;
  /** The folder in which the command was typed. */
  folder: string;
}

/** Throws ConfigError naming every variable that is wrong. */
export function readCliConfig(env: Record<string, string | undefined> = process.env): CliConfig {
  const given = presentOf(Object.keys(cliVariables.shape), env);
  const parsed = cliVariables.safeParse(given);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(problem).join('\n'));
  // npm runs a script in the project's folder, and says in which one it was called
  const calledIn = env.npm_lifecycle_event === 'holdfast' ? env.INIT_CWD : undefined;
  return {
    url: parsed.data.HOLDFAST_URL,
    folder: calledIn ?? process.cwd(),
    ...defined({ token: parsed.data.HOLDFAST_TOKEN }),
  };
}

/** The value itself is not repeated: it may be a password. */
function problem({ path, message }: { path: PropertyKey[]; message: string }): string {
  return `${String(path[0])}: ${message}`;
}

function configOf(given: z.output<typeof variables>): Omit<Config, 'commandEnvironment'> {
  const optional = {
    databaseUrl: given.DATABASE_URL,
    temporalAddress: given.TEMPORAL_ADDRESS,
    temporalTls: temporalTlsOf(given),
    temporalApiKey: given.TEMPORAL_API_KEY,
    temporalUiUrl: given.TEMPORAL_UI_URL,
    smtpUrl: given.SMTP_URL,
    elasticsearchUrl: given.ELASTICSEARCH_URL,
    elasticsearchApiKey: given.ELASTICSEARCH_API_KEY,
    kibanaUrl: given.KIBANA_URL,
    lokiUrl: given.LOKI_URL,
    grafanaUrl: given.GRAFANA_URL,
    prometheusUrl: given.PROMETHEUS_URL,
    alertmanagerUrl: given.ALERTMANAGER_URL,
    secretsDir: given.HOLDFAST_SECRETS_DIR && resolve(given.HOLDFAST_SECRETS_DIR),
    awsRegion: given.AWS_REGION,
    awsEndpoint: given.HOLDFAST_AWS_ENDPOINT,
    slackApiUrl: given.HOLDFAST_SLACK_API_URL,
    pagerDutyApiUrl: given.HOLDFAST_PAGERDUTY_API_URL,
    pagerDutyRestApiUrl: given.HOLDFAST_PAGERDUTY_REST_API_URL,
    ownerToken: given.HOLDFAST_OWNER_TOKEN,
    ingestKey: given.HOLDFAST_INGEST_KEY,
  };
  return {
    port: given.PORT,
    listenAddress: given.HOLDFAST_LISTEN_ADDRESS,
    publicUrl: given.PUBLIC_URL ?? `http://localhost:${given.PORT}`,
    trustedProxies: given.HOLDFAST_TRUSTED_PROXIES,
    dataDir: resolve(given.HOLDFAST_DATA_DIR),
    databasePoolSize: given.HOLDFAST_DATABASE_POOL,
    temporalNamespace: given.TEMPORAL_NAMESPACE,
    mailFrom: given.HOLDFAST_MAIL_FROM,
    elasticsearchIndex: given.ELASTICSEARCH_INDEX,
    runbooksDir: resolve(given.HOLDFAST_RUNBOOKS_DIR),
    egressAllow: given.HOLDFAST_EGRESS_ALLOW,
    sshKnownHosts: resolve(given.HOLDFAST_SSH_KNOWN_HOSTS),
    ownerEmail: given.HOLDFAST_OWNER_EMAIL,
    logRetentionDays: given.HOLDFAST_LOG_RETENTION_DAYS,
    reopenWindowMs: given.HOLDFAST_REOPEN_WINDOW,
    sendReportsTo: given.HOLDFAST_SEND_REPORTS_TO ?? [given.HOLDFAST_OWNER_EMAIL],
    timeZone: given.HOLDFAST_TIME_ZONE,
    gitAllowFile: given.HOLDFAST_GIT_ALLOW_FILE,
    approveBySignal: given.HOLDFAST_APPROVE_BY_SIGNAL,
    runnerPatienceMs: given.HOLDFAST_RUNNER_PATIENCE,
    logLevel: given.HOLDFAST_LOG_LEVEL,
    ...defined(optional),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
