import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { z } from 'zod';
import { findPort, loopback } from '../../stack/port.ts';
import { answerRest, type PagerDutyRest, type RestIncident } from './pagerduty-rest-double.ts';

/**
 * Stands in for PagerDuty: the Events API v2, as strict as its documentation (developer.pagerduty.com/docs/send-alert-event
 * and /docs/events-api-v2-overview): what it refuses with 400, 429 beyond 120 calls in 60 seconds, and what becomes of an
 * incident.
 */
export interface PagerDutyDouble {
  /** For HOLDFAST_PAGERDUTY_API_URL and HOLDFAST_PAGERDUTY_REST_API_URL. */
  url: string;
  rest: PagerDutyRest;
  /** Every incident that there was, the oldest first. */
  opened: RestIncident[];
  /** Accepted, in their order. */
  events: PagerDutyReceived[];
  /** By dedup_key. */
  incidents: Map<
    string,
    { status: 'triggered' | 'acknowledged' | 'resolved'; alerts: number; summary: string }
  >;
  /** Answers with 429 until it is false. */
  askForPatience: boolean;
  close(): Promise<void>;
}

const size = (limit: number) => z.string().min(1).max(limit);
const event = z.discriminatedUnion('event_action', [
  z.strictObject({
    event_action: z.literal('trigger'),
    routing_key: z.string().length(32),
    dedup_key: size(255).optional(),
    payload: z.strictObject({
      summary: size(1024),
      source: size(1024),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime({ offset: true }).optional(),
      component: z.string().optional(),
      group: z.string().optional(),
      class: z.string().optional(),
      custom_details: z.record(z.string(), z.unknown()).optional(),
    }),
    images: z.array(z.unknown()).optional(),
    links: z.array(z.strictObject({ href: z.url(), text: z.string().optional() })).optional(),
    client: z.string().optional(),
    client_url: z.url().optional(),
  }),
  z.strictObject({
    event_action: z.enum(['acknowledge', 'resolve']),
    routing_key: z.string().length(32),
    dedup_key: size(255),
  }),
]);
export type PagerDutyReceived = z.infer<typeof event>;

const largestBytes = 512 * 1024;
const callsAtMost = 120;
const windowMs = 60_000;

/** `apiToken` of the REST API, whose users have the addresses `users`. */
export async function startPagerDutyDouble({
  routingKey,
  apiToken = 'key-of-the-rest-api',
  users = [],
}: {
  routingKey: string;
  apiToken?: string;
  users?: string[];
}): Promise<PagerDutyDouble> {
  let calls: number[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const answer = (status: number, content: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
    const refuse = (...errors: string[]) =>
      answer(400, { status: 'invalid event', message: 'Event object is invalid', errors });
    if (request.method === 'HEAD') return response.writeHead(404).end();
    const url = new URL(request.url ?? '/', `http://${loopback}`);
    if (url.pathname.startsWith('/incidents')) {
      const call = {
        method: request.method ?? '',
        url,
        headers: request.headers,
        body: body.toString('utf8'),
      };
      const { opened } = double;
      const said = answerRest(double.rest, call, { apiToken, users, incidents: opened });
      if (said.broken) return request.socket.destroy();
      for (const [name, value] of Object.entries(said.headers ?? {})) response.setHeader(name, value);
      return answer(said.status, said.content);
    }
    if (request.url !== '/v2/enqueue' || request.method !== 'POST') return answer(404, {});
    calls = [...calls.filter((at) => at > Date.now() - windowMs), Date.now()];
    if (double.askForPatience || calls.length > callsAtMost) {
      return answer(429, { status: 'throttle exceeded' });
    }
    if (!request.headers['content-type']?.startsWith('application/json')) return refuse('no JSON');
    if (body.length > largestBytes) return answer(413, { message: 'larger than 512 KB' });
    const parsed = event.safeParse(JSON.parse(body.toString('utf8')));
    if (!parsed.success)
      return refuse(...parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
    if (parsed.data.routing_key !== routingKey) return refuse("'routing_key' is invalid");
    const dedup_key = parsed.data.dedup_key ?? randomUUID();
    double.events.push(parsed.data);
    fold(double, dedup_key, parsed.data);
    return answer(202, { status: 'success', message: 'Event processed', dedup_key });
  });
  const port = await findPort();
  await new Promise<void>((resolve) => server.listen(port, loopback, resolve));
  const double: PagerDutyDouble = {
    url: `http://${loopback}:${port}`,
    rest: { notes: [], calls: [], askForPatience: undefined, breakOff: false, readOnly: false },
    opened: [],
    events: [],
    incidents: new Map(),
    askForPatience: false,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return double;
}

/** An event about an open incident joins it; one about a resolved one opens another; the rest is dropped. */
function fold(
  { incidents, opened }: Pick<PagerDutyDouble, 'incidents' | 'opened'>,
  key: string,
  received: PagerDutyReceived,
): void {
  const open = incidents.get(key);
  if (received.event_action === 'trigger') {
    const { summary } = received.payload;
    if (open && open.status !== 'resolved') open.alerts += 1;
    else {
      incidents.set(key, { status: 'triggered', alerts: 1, summary });
      opened.push({ id: `PD${opened.length + 1}`, key, status: 'triggered' });
    }
  } else if (open && open.status !== 'resolved') {
    open.status = received.event_action === 'resolve' ? 'resolved' : 'acknowledged';
    const newest = opened.findLast((each) => each.key === key);
    if (newest) newest.status = open.status;
  }
}

/**
 * What PagerDuty's webhook subscription (v3) sends, with its signature over the body as it is sent:
 * https://developer.pagerduty.com/docs/webhook-signatures. Several secrets: one is being replaced by another.
 */
export function pagerDutyWebhook(
  given: {
    type: string;
    id?: string;
    incidentKey: string;
    agent: object | null;
    note?: string;
    trimmed?: boolean;
  },
  secrets: string[],
): { body: string; headers: Record<string, string> } {
  const { type, incidentKey, agent, note, trimmed = false } = given;
  const incident = {
    id: 'PGR0VU2',
    type: 'incident_reference',
    html_url: 'https://acme.pagerduty.com/incidents/PGR0VU2',
  };
  const data =
    type === 'incident.annotated'
      ? { incident, id: 'P1NOTE', type: 'incident_note', content: note ?? '', trimmed }
      : {
          id: 'PGR0VU2',
          type: 'incident',
          self: 'https://api.pagerduty.com/incidents/PGR0VU2',
          html_url: 'https://acme.pagerduty.com/incidents/PGR0VU2',
          number: 2,
          status: type.replace('incident.', ''),
          incident_key: incidentKey,
          title: 'a title',
        };
  const body = JSON.stringify({
    event: {
      id: given.id ?? randomUUID(),
      event_type: type,
      resource_type: 'incident',
      occurred_at: new Date().toISOString(),
      agent,
      client: null,
      data,
    },
  });
  const signed = secrets.map((secret) => `v1=${createHmac('sha256', secret).update(body).digest('hex')}`);
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'PagerDuty-Webhook/V3.0',
      'x-pagerduty-signature': signed.join(','),
    },
  };
}
