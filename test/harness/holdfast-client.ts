import { createHash } from 'node:crypto';
import { ingestKey, ownerToken, waitFor } from './stack.ts';

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
  body: any;
}

export type Incident = Answer['body'];
export interface TimelineEntry {
  at: string;
  kind: string;
  actor: string;
  summary: string;
}

/** The API as its users call it: people with the owner's token, senders with the ingest key. */
export interface HoldfastClient {
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
  /** @throws Error unless the answer is 2xx */
  get(path: string): Promise<Answer['body']>;
  /** @throws Error unless the answer is 2xx */
  put(path: string, body: unknown): Promise<Answer['body']>;
  /** @throws Error unless the answer is 2xx */
  post(path: string, body?: unknown): Promise<Answer['body']>;
  /** Alerts as Alertmanager posts them, in one group. */
  send(alerts: readonly SentAlert[]): Promise<Answer>;
  sendLogs(lines: readonly object[]): Promise<Answer>;
  incident(number: number): Promise<Incident>;
  /** Oldest first. */
  timeline(number: number): Promise<TimelineEntry[]>;
  /** The incident of a service, once there is one. */
  incidentOf(service: string): Promise<Incident>;
  /** The first entry of this kind on the incident's timeline that says this, once there is one. */
  told(number: number, kind: string, words?: RegExp, limitMs?: number): Promise<TimelineEntry>;
}

export interface SentAlert {
  status?: 'firing' | 'resolved';
  labels: Record<string, string>;
}

export function holdfastClient(url: string): HoldfastClient {
  async function request(method: string, path: string, key: string, type: string, body?: string) {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  }
  const ask = (method: string, path: string, body?: unknown): Promise<Answer> =>
    request(
      method,
      path,
      ownerToken,
      'application/json',
      body === undefined ? undefined : JSON.stringify(body),
    );
  const insist = async (method: string, path: string, body?: unknown): Promise<Answer['body']> => {
    const answer = await ask(method, path, body);
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  };
  const client: HoldfastClient = {
    ask,
    get: (path) => insist('GET', path),
    put: (path, body) => insist('PUT', path, body),
    post: (path, body) => insist('POST', path, body),
    send: (alerts) =>
      request(
        'POST',
        '/api/v1/alerts/alertmanager',
        ingestKey,
        'application/json',
        JSON.stringify(webhookOf(alerts)),
      ),
    sendLogs: (lines) =>
      request(
        'POST',
        '/api/v1/logs',
        ingestKey,
        'application/x-ndjson',
        lines.map((line) => JSON.stringify(line)).join('\n'),
      ),
    incident: (number) => client.get(`/api/v1/incidents/${number}`),
    timeline: async (number) => (await client.get(`/api/v1/incidents/${number}/timeline?limit=100`)).items,
    incidentOf: (service) =>
      waitFor(`an incident of ${service}`, async () => {
        const { items } = await client.get(`/api/v1/incidents?service=${encodeURIComponent(service)}`);
        return items[0] && (await client.incident(items[0].number));
      }),
    async told(number, kind, words = /./, limitMs) {
      let timeline: TimelineEntry[] = [];
      const look = async () => {
        timeline = await client.timeline(number);
        return timeline.find((entry) => entry.kind === kind && words.test(entry.summary));
      };
      return await waitFor(`'${kind}' ${words} on the timeline of #${number}`, look, limitMs).catch(
        (error) => {
          const said = timeline.map((entry) => `${entry.at} ${entry.kind}: ${entry.summary}`);
          throw new Error(`${error.message}; it says\n${said.join('\n')}`);
        },
      );
    },
  };
  return client;
}

/** Webhook version 4. The fingerprint is made of the labels, as Alertmanager's is. */
function webhookOf(alerts: readonly SentAlert[]): unknown {
  const now = new Date().toISOString();
  return {
    version: '4',
    groupKey: '{}:{}',
    status: alerts.some((alert) => alert.status !== 'resolved') ? 'firing' : 'resolved',
    receiver: 'holdfast',
    truncatedAlerts: 0,
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: '',
    alerts: alerts.map(({ status = 'firing', labels }) => ({
      status,
      labels,
      annotations: {},
      startsAt: now,
      endsAt: status === 'resolved' ? now : '0001-01-01T00:00:00Z',
      generatorURL: '',
      fingerprint: createHash('sha256')
        .update(JSON.stringify(Object.entries(labels).sort()))
        .digest('hex')
        .slice(0, 16),
    })),
  };
}
