import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, readCliConfig, readConfig, variableNames } from './config.ts';

test('with nothing set, everything that can be embedded is left open and the rest has its default', () => {
  expect(readConfig({})).toEqual({
    port: 8080,
    listenAddress: '127.0.0.1',
    publicUrl: 'http://localhost:8080',
    trustedProxies: 0,
    dataDir: resolve('.holdfast'),
    databasePoolSize: 10,
    temporalNamespace: 'default',
    mailFrom: 'Holdfast <holdfast@holdfast.localhost>',
    elasticsearchIndex: 'logs*,*-logs,*-logs-*,filebeat-*,logstash-*',
    runbooksDir: resolve('runbooks'),
    egressAllow: [],
    sshKnownHosts: join(homedir(), '.ssh/known_hosts'),
    ownerEmail: 'owner@holdfast.localhost',
    logRetentionDays: 14,
    reopenWindowMs: 900_000,
    sendReportsTo: ['owner@holdfast.localhost'],
    timeZone: 'UTC',
    gitAllowFile: false,
    approveBySignal: true,
    runnerPatienceMs: 120_000,
    commandEnvironment: {},
    logLevel: 'info',
  });
});

test('what is set is taken, and an empty value counts as unset', () => {
  expect(
    readConfig({
      PORT: '9000',
      PUBLIC_URL: 'https://holdfast.example.com/',
      DATABASE_URL: 'postgres://holdfast:s%40cret@db:5432/holdfast',
      TEMPORAL_ADDRESS: 'temporal:7233',
      SMTP_URL: ' ',
      LOKI_URL: '',
      ELASTICSEARCH_URL: 'http://es:9200/',
      HOLDFAST_EGRESS_ALLOW: 'health.example.com, *.internal ,10.0.0.0/8,fd00::/8,',
      HOLDFAST_SEND_REPORTS_TO: 'a@example.com,b@example.com',
      HOLDFAST_REOPEN_WINDOW: '1h',
      HOLDFAST_TIME_ZONE: 'Europe/Berlin',
      HOLDFAST_APPROVE_BY_SIGNAL: 'off',
      HOLDFAST_DATA_DIR: '/var/lib/holdfast',
      HOLDFAST_SECRETS_DIR: '/run/secrets',
      AWS_REGION: 'us-gov-west-1',
      UNRELATED: 'x',
    }),
  ).toMatchObject({
    port: 9000,
    publicUrl: 'https://holdfast.example.com',
    databaseUrl: 'postgres://holdfast:s%40cret@db:5432/holdfast',
    temporalAddress: 'temporal:7233',
    elasticsearchUrl: 'http://es:9200',
    egressAllow: ['health.example.com', '*.internal', '10.0.0.0/8', 'fd00::/8'],
    sendReportsTo: ['a@example.com', 'b@example.com'],
    reopenWindowMs: 3_600_000,
    timeZone: 'Europe/Berlin',
    approveBySignal: false,
    dataDir: '/var/lib/holdfast',
    secretsDir: '/run/secrets',
    awsRegion: 'us-gov-west-1',
  });
  expect(readConfig({ SMTP_URL: ' ' })).not.toHaveProperty('smtpUrl');
});

const wrong: [string, string, RegExp][] = [
  ['PORT', '80800', /PORT: write a port between 1 and 65535/],
  ['PORT', '-1', /PORT: write a port/],
  ['HOLDFAST_LISTEN_ADDRESS', 'everywhere', /HOLDFAST_LISTEN_ADDRESS: write an IP address/],
  ['PUBLIC_URL', 'holdfast.example.com', /PUBLIC_URL: write a URL such as https:/],
  ['DATABASE_URL', 'mysql://x/y', /DATABASE_URL: write a URL such as postgres:/],
  ['TEMPORAL_ADDRESS', 'http://temporal:7233', /TEMPORAL_ADDRESS: write host:port/],
  ['TEMPORAL_NAMESPACE', 'ops', /TEMPORAL_NAMESPACE is of use only with TEMPORAL_ADDRESS/],
  ['SMTP_URL', 'mail.example.com', /SMTP_URL: write a URL such as smtp:/],
  ['HOLDFAST_MAIL_FROM', 'Holdfast', /HOLDFAST_MAIL_FROM: write an address/],
  ['HOLDFAST_MAIL_FROM', 'a@b.c\r\nBcc: x@y.z', /HOLDFAST_MAIL_FROM: write an address/],
  ['HOLDFAST_OWNER_TOKEN', 'short', /HOLDFAST_OWNER_TOKEN: write 8 to 200/],
  ['HOLDFAST_INGEST_KEY', 'with a space in the key', /HOLDFAST_INGEST_KEY: write 8 to 200/],
  ['HOLDFAST_EGRESS_ALLOW', 'https://x.example.com', /HOLDFAST_EGRESS_ALLOW: write hosts without scheme/],
  ['HOLDFAST_REOPEN_WINDOW', '15', /HOLDFAST_REOPEN_WINDOW: write a duration/],
  ['HOLDFAST_SEND_REPORTS_TO', 'ana@example.com,ben', /HOLDFAST_SEND_REPORTS_TO: write a mail address/],
  ['HOLDFAST_TIME_ZONE', 'Berlin', /HOLDFAST_TIME_ZONE: write an IANA time zone/],
  ['HOLDFAST_TIME_ZONE', '+02:00', /HOLDFAST_TIME_ZONE: write an IANA time zone/],
  ['HOLDFAST_APPROVE_BY_SIGNAL', 'maybe', /HOLDFAST_APPROVE_BY_SIGNAL: write 'on' or 'off'/],
  ['HOLDFAST_LOG_LEVEL', 'loud', /HOLDFAST_LOG_LEVEL: write one of trace/],
];

test.each(wrong)('%s=%j is refused with what to write instead', (name, value, message) => {
  expect(() => readConfig({ [name]: value })).toThrow(message);
});

test('all that is wrong is told at once, and no value is repeated', () => {
  const read = (): unknown =>
    readConfig({
      PORT: 'x',
      DATABASE_URL: 'hunter2',
      ELASTICSEARCH_URL: 'http://es',
      LOKI_URL: 'http://loki',
    });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/PORT: .*DATABASE_URL: .*ELASTICSEARCH_URL and LOKI_URL are both set/s);
  expect(read).not.toThrow(/hunter2/);
});

test('every variable of the contract is read', () => {
  expect(variableNames).toEqual(
    expect.arrayContaining([
      ...[
        'PORT',
        'PUBLIC_URL',
        'DATABASE_URL',
        'TEMPORAL_ADDRESS',
        'SMTP_URL',
        'ELASTICSEARCH_URL',
        'LOKI_URL',
      ],
      ...['PROMETHEUS_URL', 'HOLDFAST_DATA_DIR', 'HOLDFAST_RUNBOOKS_DIR', 'HOLDFAST_EGRESS_ALLOW'],
      ...['HOLDFAST_OWNER_TOKEN', 'HOLDFAST_INGEST_KEY'],
    ]),
  );
});

test('the command line goes by the folder in which it was called, and by two variables', () => {
  expect(readCliConfig({})).toEqual({ url: 'http://localhost:8080', folder: process.cwd() });
  const given = { HOLDFAST_URL: 'https://holdfast.example.com/', HOLDFAST_TOKEN: 'hft_abcdefgh' };
  expect(readCliConfig({ ...given, npm_lifecycle_event: 'holdfast', INIT_CWD: '/elsewhere' })).toEqual({
    url: 'https://holdfast.example.com',
    token: 'hft_abcdefgh',
    folder: '/elsewhere',
  });
  expect(readCliConfig({ npm_lifecycle_event: 'test', INIT_CWD: '/elsewhere' }).folder).toBe(process.cwd());
  expect(() => readCliConfig({ HOLDFAST_URL: 'holdfast', HOLDFAST_TOKEN: 'a b' })).toThrow(
    /HOLDFAST_URL: write a URL.*\nHOLDFAST_TOKEN: /,
  );
});
