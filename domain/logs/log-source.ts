import { z } from 'zod';
import { glob, incidentMatch } from '../policies.ts';
import { secretReferencePattern } from '../runbook/secret-reference.ts';

export const logSourceKinds = ['elasticsearch', 'loki', 'cloudwatch', 'splunk', 'builtin'] as const;
export type LogSourceKind = (typeof logSourceKinds)[number];

/** For people. */
export const logSourceKindNames: Record<LogSourceKind, string> = {
  elasticsearch: 'Elasticsearch',
  loki: 'Loki',
  cloudwatch: 'CloudWatch Logs',
  splunk: 'Splunk',
  builtin: 'Built-in store',
};

export const mappedFields = [
  'service',
  'host',
  'namespace',
  'pod',
  'instance',
  'level',
  'message',
  'timestamp',
] as const;
export type MappedField = (typeof mappedFields)[number];

const address = z
  .url({ protocol: /^https?$/, error: 'write an address that begins with https:// or http://' })
  .max(1000)
  .refine((url) => {
    const parsed = URL.parse(url);
    return parsed?.username === '' && parsed.password === '';
  }, "take the user and password out of the address: give them as 'user' and 'credential'");
const reference = z
  .string()
  .regex(
    secretReferencePattern,
    "write a reference such as 'env:LOGS_KEY', 'file:logs-key' or 'ssm:/logs/key'",
  );
const names = z
  .array(
    z
      .string()
      .min(1)
      .max(200)
      .regex(/^[^\p{Cc}"'`\\]+$/u, 'write the name of a field, without quotes'),
  )
  .min(1)
  .max(20);

const common = {
  /** Incidents that it serves; without it all. */
  match: incidentMatch.optional(),
  /** Which fields of a line hold what, tried in order; what is not named has the usual names of the kind. */
  fields: z
    .strictObject(Object.fromEntries(mappedFields.map((field) => [field, names.optional()])))
    .transform((fields) => fields as Partial<Record<MappedField, string[]>>)
    .optional(),
  /** Seconds that a request may take. */
  timeoutSeconds: z.int().min(1).max(25).default(10),
};
const server = {
  url: address,
  /** With it `credential` is its password; without it an API key or token. */
  user: z.string().min(1).max(200).optional(),
  credential: reference.optional(),
  /** Certificates in PEM of who signed the server's own. */
  ca: reference.optional(),
  /** Of the pages that links lead to: Kibana, Grafana, Splunk Web. */
  linkUrl: address.optional(),
};

/** Where logs are, beside what the environment names. Holds references to secrets, never secrets. */
export const logSourceDefinition = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('elasticsearch'),
    ...server,
    /** Indexes, data streams, aliases or patterns of them, comma-separated. */
    index: z
      .string()
      .min(1)
      .max(1000)
      .regex(/^[^\s"\\/?#]+$/, 'write names or patterns, separated by commas, without spaces')
      .default('logs*,*-logs,*-logs-*,filebeat-*,logstash-*'),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('loki'),
    ...server,
    /** X-Scope-OrgID. */
    tenant: z
      .string()
      .min(1)
      .max(150)
      .regex(/^[\w!.*'()|-]+$/, 'write the tenant as Loki knows it')
      .optional(),
    /** Name or uid of Grafana's data source. */
    datasource: z.string().min(1).max(200).optional(),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('cloudwatch'),
    region: z.string().regex(/^[a-z]{2,}(?:-[a-z0-9]+)+$/, 'write a region such as eu-central-1'),
    logGroups: z
      .array(
        z
          .string()
          .max(512)
          .regex(/^[\w./#-]+$/, 'write the name of a log group such as /aws/lambda/checkout'),
      )
      .min(1)
      .max(50),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('splunk'),
    ...server,
    /** Indexes, comma-separated. */
    index: z
      .string()
      .min(1)
      .max(1000)
      .regex(/^[\w*-]+(?:\s*,\s*[\w*-]+)*$/, 'write names of indexes, separated by commas')
      .default('main'),
    ...common,
  }),
  z.strictObject({ kind: z.literal('builtin'), ...common }),
]);
export type LogSourceDefinition = z.infer<typeof logSourceDefinition>;

/** As `incidentMatch`, for what is chosen by service and alert alone. */
export const logTemplateMatch = z.strictObject({ service: glob.optional(), alert: glob.optional() });
