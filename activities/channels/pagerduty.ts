import { type PostDeps, postJson } from './post-json.ts';

/** https://developer.pagerduty.com/docs/send-alert-event */
export interface PagerDutyEvent {
  event_action: 'trigger' | 'acknowledge' | 'resolve';
  dedup_key: string;
  /** Of a trigger. */
  payload?: {
    summary: string;
    source: string;
    severity: 'critical' | 'error' | 'warning' | 'info';
    timestamp?: string;
    component?: string;
    group?: string;
    class?: string;
    custom_details?: Record<string, unknown>;
  };
  client?: string;
  client_url?: string;
  links?: { href: string; text: string }[];
}

export interface PagerDutyMessage {
  routingKey: string;
  /** In their order: a test is triggered and resolved. */
  events: PagerDutyEvent[];
}

const defaultApiUrl = 'https://events.pagerduty.com';
const of = {
  noun: 'PagerDuty',
  kind: 'PagerDuty',
  remedy: "Check the channel's routingKey: it is the integration key of an Events API v2 integration.",
};

/**
 * Events API v2. A message about the same thing has the same dedup_key, so PagerDuty updates in place what it has.
 * Throws as `postJson` does, with the names PagerDuty….
 */
export function createPagerDutyChannel(deps: PostDeps & { apiUrl?: string | undefined }) {
  const apiUrl = (deps.apiUrl ?? defaultApiUrl).replace(/\/+$/, '');
  return {
    async send({ routingKey, events }: PagerDutyMessage): Promise<{ response: string }> {
      const responses: string[] = [];
      for (const event of events) {
        const { status } = await postJson(deps, {
          ...of,
          url: `${apiUrl}/v2/enqueue`,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ routing_key: routingKey, ...event }),
        });
        responses.push(`HTTP ${status} to ${event.event_action}`);
      }
      return { response: responses.join(', ') };
    },

    /** Whether PagerDuty can be reached; it tells whether a key is good only of an event. Throws as `send` does. */
    async probe(): Promise<{ response: string }> {
      const { status } = await postJson(deps, { ...of, url: apiUrl, method: 'HEAD' });
      return { response: `HTTP ${status}: only a test message can tell whether the key is good` };
    },

    /** What would be sent, as text. */
    preview({ events }: Pick<PagerDutyMessage, 'events'>): string {
      return JSON.stringify(events.length === 1 ? events[0] : events, null, 2);
    },
  };
}
