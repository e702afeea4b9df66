import type { Config } from './config.ts';

export interface BannerFacts {
  config: Pick<Config, 'port' | 'publicUrl' | 'ownerEmail' | 'dataDir'>;
  temporalUiUrl?: string;
  /** host:port, for the Temporal CLI. */
  temporalAddress: string;
  /** Whether mails go to the embedded mailbox. */
  hasMailbox: boolean;
  /** Works once. */
  signInLink: string;
  /** Only when it was generated at this start: it can be shown now and never again. */
  newOwnerToken?: string;
  /** Where it is known. */
  ingestKey?: string;
  /** ISO 8601. */
  now: string;
}

/** What the terminal says once everything runs. */
export function banner(facts: BannerFacts): string {
  const { config } = facts;
  const rows = [
    ['Pages and API', config.publicUrl],
    ['Temporal UI', facts.temporalUiUrl],
    ['Temporal', `${facts.temporalAddress}  (for its CLI: --address ${facts.temporalAddress})`],
    ['Mailbox', facts.hasMailbox ? `${config.publicUrl}/mailbox` : undefined],
    ['Data', config.dataDir],
    ['Sign in', `${facts.signInLink}  (as ${config.ownerEmail}; works once, each start prints a new one)`],
    ['Owner token', facts.newOwnerToken && `${facts.newOwnerToken}  (new; shown this once, keep it)`],
    ['Ingest key', facts.ingestKey],
  ].filter((row): row is [string, string] => row[1] !== undefined);
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    '',
    'Holdfast is running. Ctrl-C stops it; what is under way goes on at the next start.',
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    '',
    'Send a test alert:',
    '',
    testAlertCommand(config.port, facts.ingestKey, facts.now),
    '',
  ].join('\n');
}

function testAlertCommand(port: number, ingestKey: string | undefined, now: string): string {
  const body = {
    version: '4',
    groupKey: '{}:{alertname="ServiceDown"}',
    status: 'firing',
    receiver: 'holdfast',
    groupLabels: { alertname: 'ServiceDown' },
    commonLabels: {},
    commonAnnotations: {},
    externalURL: '',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'ServiceDown', service: 'checkout', severity: 'critical' },
        annotations: { summary: 'checkout does not answer' },
        startsAt: now,
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: '',
        fingerprint: '5e9e1cd0f5a1b2c3',
      },
    ],
  };
  return [
    `curl -sS http://localhost:${port}/api/v1/alerts/alertmanager \\`,
    `  -H 'Authorization: Bearer ${ingestKey ?? 'YOUR-INGEST-KEY'}' -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(body)}'`,
  ].join('\n');
}
