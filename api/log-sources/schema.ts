import { z } from 'zod';
import { logSourceDefinition } from '../../domain/logs/log-source.ts';
import { readBack } from '../configuration.ts';
import { instant } from '../endpoint.ts';

const [elasticsearch, loki, cloudwatch, splunk, builtin] = logSourceDefinition.options;

export const logSourceBody = z
  .discriminatedUnion('kind', [
    elasticsearch.extend(readBack),
    loki.extend(readBack),
    cloudwatch.extend(readBack),
    splunk.extend(readBack),
    builtin.extend(readBack),
  ])
  .meta({
    id: 'LogSource',
    description:
      "Where logs are. `credential` and `ca` are references such as 'env:LOGS_KEY' or 'file:logs-ca.pem'; `match` says which incidents it serves; `fields` which fields of a line hold what",
  });

/** Every field that one of the kinds has. */
export const logSourceShown = z.object({
  kind: z.enum(['elasticsearch', 'loki', 'cloudwatch', 'splunk', 'builtin']),
  url: z.string().optional(),
  user: z.string().optional(),
  credential: z.string().optional(),
  ca: z.string().optional(),
  linkUrl: z.string().optional(),
  index: z.string().optional(),
  tenant: z.string().optional(),
  datasource: z.string().optional(),
  region: z.string().optional(),
  logGroups: z.array(z.string()).optional(),
  match: z
    .object({ severity: z.string().optional(), service: z.string().optional(), alert: z.string().optional() })
    .optional(),
  fields: z.record(z.string(), z.array(z.string()).optional()).optional(),
  timeoutSeconds: z.int(),
});

export const logSourceName = z.object({ name: z.string().max(100) });

export const logSourceHealth = z
  .object({
    name: z.string(),
    health: z.string().nullable().meta({ description: 'What it says of itself' }),
    error: z.string().nullable().meta({ description: 'Why it could not be asked' }),
    checkedAt: instant.nullable(),
  })
  .meta({ id: 'LogSourceHealth' });
