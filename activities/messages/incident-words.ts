import type { IncidentFacts, SlaFacts } from '../../db/notification-facts.ts';
import { formatDuration } from '../../domain/duration.ts';
import { oneLine } from '../../domain/markup.ts';
import type { Severity } from '../../domain/severity.ts';
import { runningMs } from '../../domain/sla/clock.ts';
import { count, type MessageSource, titleOf } from './message.ts';
import { clockText, dateOf } from './moments.ts';

export type IncidentMessageType =
  | 'alert.received'
  | 'escalation.page'
  | 'escalation.reminder'
  | 'escalation.restarted'
  | 'incident.opened'
  | 'incident.root_cause_found'
  | 'incident.acknowledged'
  | 'incident.resolved'
  | 'oncall.nobody'
  | 'sla.at_risk'
  | 'sla.breached';

export interface IncidentWords {
  /** After '[critical] #42 checkout:'. */
  subject: string;
  /** The first line: one sentence that a person would write. */
  sentence: string;
  /** Why the reader is told. */
  footer: string;
  urgent: boolean;
}

/** What a message about an incident says of it in a line. */
export function incidentWords(
  source: MessageSource & { type: IncidentMessageType },
  incident: IncidentFacts,
): IncidentWords {
  const title = titleOf(incident);
  const urgentSeverity = incident.severity === 'critical' || incident.severity === 'high';
  switch (source.type) {
    case 'escalation.page':
      return {
        subject: title,
        sentence: `${whatIsWrong(source, incident)}; nobody has acknowledged it yet.`,
        footer: `${source.reader} is on level ${levelOf(source)} of the escalation policy for this incident.`,
        urgent: urgentSeverity,
      };
    case 'alert.received': {
      const alert = oneLine(String(source.detail.alert ?? 'an alert'), 100);
      return {
        subject: `${alert} fires`,
        sentence: `${alert} fires, as part of this: ${title}, open since ${clockText(incident.openedAt, source)}.`,
        footer: `${source.reader} is told of alerts like this one.`,
        urgent: urgentSeverity,
      };
    }
    case 'escalation.reminder':
      return {
        subject: 'still yours, and quiet',
        sentence: `${whoHas(incident)} has it${quietFor(source)}: ${title}. Say how it stands, resolve it, or give it to somebody else.`,
        footer: `${source.reader} acknowledged this incident.`,
        urgent: true,
      };
    case 'escalation.restarted':
      return {
        subject: 'nobody has it any more',
        sentence: `The acknowledgement was taken back${quietFor(source)}, and escalation begins anew: ${title}.`,
        footer: `${source.reader} had acknowledged this incident, or is told of it.`,
        urgent: true,
      };
    case 'incident.root_cause_found':
      return {
        subject: incident.cause ? `the cause may be ${oneLine(incident.cause.service, 60)}` : 'the cause',
        sentence: `${whatIsWrong(source, incident)}.`,
        footer: `${source.reader} is told of the causes of incidents like this one.`,
        urgent: false,
      };
    case 'oncall.nobody': {
      const { reason } = source.detail;
      const why = typeof reason === 'string' && reason !== '' ? ` (${oneLine(reason, 300)})` : '';
      return {
        subject: 'reached nobody who is on call',
        sentence: `A level of the escalation policy reached nobody${why}: ${title}. Look at the schedules now.`,
        footer: `${source.reader} looks after this organization, and is told once for each incident.`,
        urgent: true,
      };
    }
    case 'incident.opened':
      return {
        subject: title,
        sentence: `${whatIsWrong(source, incident)}.`,
        footer: `${source.reader} is told when incidents like this one open.`,
        urgent: urgentSeverity,
      };
    case 'incident.acknowledged': {
      const who = oneLine(incident.acknowledgedBy ?? 'Someone', 100);
      return {
        subject: `${who} acknowledged`,
        sentence: `${who} has it now: ${title}, open since ${clockText(incident.openedAt, source)}.`,
        footer: `${source.reader} was told of this incident before.`,
        urgent: false,
      };
    }
    case 'incident.resolved': {
      const lasted = formatDuration(
        (incident.resolvedAt?.getTime() ?? source.now) - incident.openedAt.getTime(),
      );
      const by = endedBy(incident);
      const { mergedInto } = source.detail;
      if (typeof mergedInto === 'number') {
        return {
          subject: `merged into #${mergedInto}`,
          sentence: `One outage with #${mergedInto}, which goes on with its alerts: ${title}.`,
          footer: `${source.reader} was told of this incident before.`,
          urgent: false,
        };
      }
      return {
        subject: `resolved after ${lasted}`,
        sentence: `Resolved after ${lasted}${by}: ${title}.`,
        footer: `${source.reader} was told of this incident before.`,
        urgent: false,
      };
    }
    case 'sla.at_risk':
    case 'sla.breached':
      return slaWords(source, incident);
  }
}

function slaWords(source: MessageSource & { type: IncidentMessageType }, incident: IncidentFacts) {
  const kind = source.detail.kind === 'resolve' ? 'resolve' : 'acknowledge';
  const clock = incident.sla.find((each) => each.kind === kind);
  const due = clock?.dueAt ?? dateOf(source.detail.dueAt);
  const done = kind === 'acknowledge' ? 'acknowledged' : 'resolved';
  const policy = clock ? ` (SLA ${oneLine(clock.policy, 60)})` : '';
  const breached = source.type === 'sla.breached';
  const left = due ? timeLeft({ dueAt: due, pauses: clock?.pauses ?? [] }, source.now) : '';
  const at = due ? ` by ${clockText(due, source)}` : '';
  return {
    subject: breached ? `not ${done} in time` : `to be ${done} within ${left || 'its SLA'}`,
    sentence: breached
      ? `Not ${done}${at} as agreed${policy}: ${titleOf(incident)}.`
      : `To be ${done}${at}${left ? `, ${left} left` : ''}${policy}: ${titleOf(incident)}.`,
    footer: `${source.reader} is on the first level of the escalation policy for this incident.`,
    urgent: true,
  };
}

/** '15 min', and '15 min of open time' where the calendar of the SLA closes in between: a night is no time to work. */
export function timeLeft({ dueAt, pauses }: Pick<SlaFacts, 'dueAt' | 'pauses'>, now: number): string {
  const wallMs = Math.max(0, dueAt.getTime() - now);
  const runs = runningMs(now, dueAt.getTime(), pauses);
  return runs < wallMs ? `${formatDuration(runs)} of open time` : formatDuration(wallMs);
}

const troubles: Record<Severity, string> = {
  critical: 'has been failing',
  high: 'has been failing',
  warning: 'has been in trouble',
  low: 'needs a look',
  info: 'has something to say',
};

/** 'checkout has been failing since 02:14 UTC: db-primary refuses connections; 14 alerts firing; the cause is…' */
function whatIsWrong(source: MessageSource, incident: IncidentFacts): string {
  const subject = incident.service === null ? 'Something' : oneLine(incident.service, 60);
  const since = clockText(incident.openedAt, source);
  const alerts = incident.firingCount > 1 ? `; ${count(incident.firingCount, 'alert')} firing` : '';
  return `${subject} ${troubles[incident.severity]} since ${since}: ${titleOf(incident)}${alerts}${causeWords(incident)}`;
}

/** '; the cause is probably db-primary (85 %)', once it is known. */
function causeWords({ cause }: IncidentFacts): string {
  if (!cause) return '';
  const named = oneLine(cause.service, 60);
  if (cause.by !== null) return `; the cause is ${named}, says ${oneLine(cause.by, 100)}`;
  const sure = cause.confidence >= 0.5 ? 'is probably' : 'may be';
  return `; the cause ${sure} ${named} (${Math.round(cause.confidence * 100)} %)`;
}

const whoHas = (incident: IncidentFacts): string => oneLine(incident.acknowledgedBy ?? 'Somebody', 100);

/** ', and nothing has happened for 30 min'. */
function quietFor(source: MessageSource): string {
  const { quietFor: ms } = source.detail;
  return typeof ms === 'number' ? `, and nothing has happened for ${formatDuration(ms)}` : '';
}

function endedBy(incident: IncidentFacts): string {
  if (incident.status === 'false_positive') return ` as a false positive`;
  if (incident.resolvedBy === null || incident.resolvedBy === 'Holdfast') return ', with its last alert';
  return ` by ${oneLine(incident.resolvedBy, 100)}`;
}

/** Of the escalation policy, from 1. */
export function levelOf(source: Pick<MessageSource, 'detail'>): number {
  return typeof source.detail.level === 'number' ? source.detail.level : 1;
}
