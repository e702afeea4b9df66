import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { findPort, loopback } from '../../stack/port.ts';
import { installedCommand, type ServerPart, startServerPart, temporaryFolder } from './server-part.ts';

export interface AlertmanagerOptions {
  webhookUrl: string;
  /** Sent as Bearer token. */
  ingestKey: string;
  groupBy?: string[];
  /** Prometheus durations; short ones, so that a test sees what happens in the field over minutes. */
  groupWait?: string;
  groupInterval?: string;
  repeatInterval?: string;
  /** Alerts in one notification, 0 for all; what is cut off is counted in `truncatedAlerts`. */
  maxAlerts?: number;
}

export interface Alertmanager extends ServerPart {
  url: string;
  /** Fires, or keeps firing, what these labels identify. `startsAt` in ISO 8601, now where it is left out. */
  fire(
    labels: Record<string, string>,
    more?: { annotations?: Record<string, string>; startsAt?: string },
  ): Promise<void>;
  resolve(labels: Record<string, string>): Promise<void>;
  post(alerts: PostableAlert[]): Promise<void>;
}

export interface PostableAlert {
  labels: Record<string, string>;
  annotations?: Record<string, string>;
  startsAt?: string;
  endsAt?: string;
  generatorURL?: string;
}

/**
 * The real Alertmanager, with one receiver: the webhook.
 * @throws PartUnavailableError where it is not installed
 */
export async function startAlertmanager(options: AlertmanagerOptions): Promise<Alertmanager> {
  const command = await installedCommand('Alertmanager', ['prometheus-alertmanager', 'alertmanager']);
  const folder = await temporaryFolder('alertmanager');
  const file = join(folder, 'alertmanager.yml');
  await writeFile(file, stringify(configuration(options)));
  const port = await findPort();
  const url = `http://${loopback}:${port}`;
  const server = await startServerPart({
    name: 'Alertmanager',
    command,
    args: [
      `--config.file=${file}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${loopback}:${port}`,
      '--cluster.listen-address=', // no gossip: it would listen on another interface
      '--log.level=warn',
    ],
    readyUrl: `${url}/-/ready`,
    folder,
  });
  const post = async (alerts: PostableAlert[]): Promise<void> => {
    const answer = await fetch(`${url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts),
    });
    if (!answer.ok) throw new Error(`Alertmanager answered ${answer.status}: ${await answer.text()}`);
  };
  return {
    ...server,
    url,
    post,
    fire: (labels, more = {}) => post([{ labels, ...more }]),
    resolve: (labels) => post([{ labels, endsAt: new Date().toISOString() }]),
  };
}

function configuration(options: AlertmanagerOptions): unknown {
  return {
    route: {
      receiver: 'holdfast',
      group_by: options.groupBy ?? ['alertname', 'service'],
      group_wait: options.groupWait ?? '100ms',
      group_interval: options.groupInterval ?? '500ms',
      repeat_interval: options.repeatInterval ?? '1h',
    },
    receivers: [
      {
        name: 'holdfast',
        webhook_configs: [
          {
            url: options.webhookUrl,
            send_resolved: true,
            max_alerts: options.maxAlerts ?? 0,
            http_config: { authorization: { type: 'Bearer', credentials: options.ingestKey } },
          },
        ],
      },
    ],
  };
}
