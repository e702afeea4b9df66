import { oneLine } from '../../domain/markup.ts';
import type { NotificationType } from '../../domain/notification.ts';
import { dedupKeyOf } from '../../domain/pagerduty.ts';
import type { PagerDutyEvent } from '../channels/pagerduty.ts';
import type { Tone } from './mail-layout.ts';
import { incidentUrl, type Message, type MessageSource } from './message.ts';

/** https://developer.pagerduty.com/docs/send-alert-event: what PagerDuty takes at most, less the routing key. */
const summaryLimit = 1024;
const eventLimitBytes = 511 * 1024;

const severities: Record<Tone, NonNullable<PagerDutyEvent['payload']>['severity']> = {
  critical: 'critical',
  high: 'error',
  warning: 'warning',
  low: 'info',
  info: 'info',
  ok: 'info',
  neutral: 'info',
};

/** What ends or quiets at PagerDuty what an earlier message began there. */
const actions: Partial<Record<NotificationType, 'acknowledge' | 'resolve'>> = {
  'incident.acknowledged': 'acknowledge',
  'incident.resolved': 'resolve',
  'execution.succeeded': 'resolve',
};

/** The events for one message; `subject` is what it is about, such as 'incident:<id>'. */
export function pagerDutyEvents(source: MessageSource, message: Message, subject: string): PagerDutyEvent[] {
  const dedup_key = dedupKeyOf(subject);
  const action = isOver(source) ? 'resolve' : actions[source.type];
  if (action) return [{ event_action: action, dedup_key }];
  const trigger = triggerOf(source, message, dedup_key);
  // a test is over as soon as it has arrived: nobody is to be paged again by it
  const isTest = source.type === 'channel.test' || source.type === 'contact.test';
  return isTest ? [trigger, { event_action: 'resolve', dedup_key }] : [trigger];
}

/** What is told together is over with the last of its incidents; what is about none, with its hour. */
function isOver({ consolidated, detail, now }: MessageSource): boolean {
  if (consolidated === undefined) return false;
  // by then there may be more of it, which its workflow tells next
  if (detail.over === true) return true;
  // those that are open stand first
  const open = consolidated.incidents.some(({ resolvedAt }) => resolvedAt === null);
  return !open && (consolidated.incidentCount > 0 || now >= consolidated.ends.getTime());
}

function triggerOf(source: MessageSource, message: Message, dedup_key: string): PagerDutyEvent {
  const { mail, subject } = message;
  const { incident, execution } = source.facts;
  const event: PagerDutyEvent = {
    event_action: 'trigger',
    dedup_key,
    payload: {
      summary: oneLine(subject, summaryLimit),
      source: oneLine(incident?.service ?? execution?.target ?? 'holdfast', 200),
      severity: severities[mail.tone],
      ...(incident && { timestamp: incident.openedAt.toISOString() }),
      ...(incident?.service && { component: oneLine(incident.service, 200) }),
      ...(incident?.alerts[0] && { class: oneLine(incident.alerts[0].name, 200) }),
      group: source.type,
      custom_details: detailsOf(message, source),
    },
    client: 'Holdfast',
    client_url: incident ? incidentUrl(source.publicUrl, incident.number) : source.publicUrl,
    links: mail.buttons.map(({ label, url }) => ({ href: url, text: label })),
  };
  if (Buffer.byteLength(JSON.stringify(event)) <= eventLimitBytes || !event.payload) return event;
  return { ...event, payload: { ...event.payload, custom_details: { message: mail.sentence } } };
}

function detailsOf(message: Message, { facts }: MessageSource): Record<string, unknown> {
  const { incident } = facts;
  return {
    message: message.mail.sentence,
    ...(incident && {
      incident: incident.number,
      status: incident.status,
      alerts: `${incident.firingCount} of ${incident.alertCount} firing`,
      ...(incident.cause && { cause: incident.cause.service }),
      firing: incident.alerts.map((alert) => ({
        name: oneLine(alert.name, 200),
        severity: alert.severity,
        service: alert.service,
        summary: alert.summary === null ? null : oneLine(alert.summary, 1000),
      })),
      logs: incident.logPatterns.map(({ template, count }) => ({ count, template: oneLine(template, 500) })),
    }),
  };
}
