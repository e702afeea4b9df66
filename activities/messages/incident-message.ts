import type { IncidentFacts } from '../../db/notification-facts.ts';
import { formatDuration } from '../../domain/duration.ts';
import { oneLine } from '../../domain/markup.ts';
import type { Severity } from '../../domain/severity.ts';
import type { Block, Cell, Mail } from './mail-layout.ts';
import { count, incidentUrl, type Message, type MessageSource, subjectOf, titleOf } from './message.ts';
import { clockUtc } from './moments.ts';

export type IncidentMessageType =
  | 'escalation.page'
  | 'incident.opened'
  | 'incident.acknowledged'
  | 'incident.resolved'
  | 'sla.at_risk'
  | 'sla.breached';

/** Mails about an incident: what is wrong, since when, who has it, what happens next, what to do now. */
export function incidentMessage(
  source: MessageSource & { type: IncidentMessageType },
  incident: IncidentFacts,
): Message {
  const { subject, sentence, footer, urgent } = wordsOf(source, incident);
  const settled = source.type === 'incident.resolved';
  const mail: Mail = {
    sentence,
    meta: [
      settled ? 'resolved' : incident.severity,
      `incident #${incident.number}`,
      ...(incident.service === null ? [] : [oneLine(incident.service, 60)]),
    ],
    tone: settled ? 'ok' : incident.severity,
    ...buttonsOf(source, incident),
    blocks: [
      { kind: 'facts', rows: factsOf(source, incident) },
      ...(settled ? [] : [...alertBlocks(source, incident), ...logBlocks(incident)]),
    ],
    footer,
    publicUrl: source.publicUrl,
  };
  return { subject: subjectOf(incident, subject), mail, urgent };
}

function wordsOf(
  source: MessageSource & { type: IncidentMessageType },
  incident: IncidentFacts,
): { subject: string; sentence: string; footer: string; urgent: boolean } {
  const title = titleOf(incident);
  const urgentSeverity = incident.severity === 'critical' || incident.severity === 'high';
  switch (source.type) {
    case 'escalation.page':
      return {
        subject: title,
        sentence: `${whatIsWrong(source, incident)}; nobody has acknowledged it yet.`,
        footer: `${source.reader} is on level ${level(source)} of the escalation policy for this incident.`,
        urgent: urgentSeverity,
      };
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
        sentence: `${who} has it now: ${title}, open since ${clockUtc(incident.openedAt, source.now)}.`,
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
  const left = due ? formatDuration(due.getTime() - source.now) : '';
  const at = due ? ` by ${clockUtc(due, source.now)}` : '';
  return {
    subject: breached ? `not ${done} in time` : `to be ${done} within ${left || 'its SLA'}`,
    sentence: breached
      ? `Not ${done}${at} as agreed${policy}: ${titleOf(incident)}.`
      : `To be ${done}${at}${left ? `, ${left} from now` : ''}${policy}: ${titleOf(incident)}.`,
    footer: `${source.reader} is on the first level of the escalation policy for this incident.`,
    urgent: true,
  };
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
  const since = clockUtc(incident.openedAt, source.now);
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

function endedBy(incident: IncidentFacts): string {
  if (incident.status === 'false_positive') return ` as a false positive`;
  if (incident.resolvedBy === null || incident.resolvedBy === 'Holdfast') return ', with its last alert';
  return ` by ${oneLine(incident.resolvedBy, 100)}`;
}

function buttonsOf(source: MessageSource, incident: IncidentFacts): Pick<Mail, 'buttons' | 'buttonNote'> {
  const open = {
    label: `Open incident #${incident.number}`,
    url: incidentUrl(source.publicUrl, incident.number),
  };
  const acknowledge = source.links.acknowledge;
  if (!acknowledge) return { buttons: [open] };
  return {
    buttons: [{ label: 'Acknowledge', url: acknowledge.url }, open],
    buttonNote: `Acknowledge opens a page that asks once more. The link acts as ${source.reader}, works once, and until ${clockUtc(acknowledge.until, source.now)}.`,
  };
}

function factsOf(source: MessageSource, incident: IncidentFacts): { label: string; value: Cell }[] {
  const rows: { label: string; value: Cell }[] = [
    { label: 'Severity', value: { text: incident.severity, tone: incident.severity } },
  ];
  if (incident.service !== null) rows.push({ label: 'Service', value: oneLine(incident.service, 100) });
  const since = clockUtc(incident.openedAt, source.now);
  if (incident.resolvedAt) {
    rows.push({ label: 'Lasted', value: `${since} to ${clockUtc(incident.resolvedAt, source.now)}` });
  } else {
    const age = formatDuration(source.now - incident.openedAt.getTime());
    rows.push({ label: 'Since', value: `${since} (${age})` });
  }
  rows.push({ label: 'Alerts', value: alertCounts(incident) });
  if (incident.acknowledgedAt) {
    const who = oneLine(incident.acknowledgedBy ?? 'someone', 100);
    rows.push({ label: 'Acknowledged', value: `${who}, ${clockUtc(incident.acknowledgedAt, source.now)}` });
  }
  if (source.type === 'escalation.page') rows.push(...escalationFacts(source, incident));
  for (const clock of incident.sla) {
    if (clock.state !== 'running' && clock.state !== 'at_risk' && clock.state !== 'breached') continue;
    const left = clock.dueAt.getTime() - source.now;
    const remaining = left > 0 ? `in ${formatDuration(left)}` : `${formatDuration(-left)} ago`;
    rows.push({
      label: clock.kind === 'acknowledge' ? 'Acknowledge by' : 'Resolve by',
      value: `${clockUtc(clock.dueAt, source.now)} (${remaining}, SLA ${oneLine(clock.policy, 60)})`,
    });
  }
  return rows;
}

function alertCounts(incident: IncidentFacts): string {
  if (incident.firingCount === 0) return `${count(incident.alertCount, 'alert')}, none firing any more`;
  return incident.firingCount === incident.alertCount
    ? `${incident.firingCount} firing`
    : `${incident.firingCount} of ${incident.alertCount} firing`;
}

function escalationFacts(source: MessageSource, incident: IncidentFacts): { label: string; value: Cell }[] {
  const { pass, levels } = source.detail;
  const round = typeof pass === 'number' && pass > 1 ? `, pass ${pass}` : '';
  const of = typeof levels === 'number' ? ` of ${levels}` : '';
  const next = incident.deadlines.find((deadline) => deadline.kind === 'escalation');
  const nextAt = dateOf(source.detail.nextAt) ?? dateOf(next?.at);
  const nextWhat = typeof source.detail.nextWhat === 'string' ? source.detail.nextWhat : next?.what;
  const rows: { label: string; value: Cell }[] = [
    { label: 'Paged', value: `level ${level(source)}${of}${round}` },
  ];
  rows.push({
    label: 'Next page',
    value: nextAt
      ? `${clockUtc(nextAt, source.now)}${nextWhat === undefined ? '' : `, ${oneLine(nextWhat, 100)}`}, unless it is acknowledged`
      : 'none: nobody is paged after this one',
  });
  return rows;
}

function level(source: MessageSource): number {
  return typeof source.detail.level === 'number' ? source.detail.level : 1;
}

function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function alertBlocks(source: MessageSource, incident: IncidentFacts): Block[] {
  if (incident.alerts.length === 0) return [];
  const more = incident.alertCount - incident.alerts.length;
  return [
    {
      kind: 'list',
      heading: 'Alerts',
      items: incident.alerts.map((alert) => ({
        tone: alert.status === 'resolved' ? ('ok' as const) : alert.severity,
        text:
          alert.summary === null
            ? oneLine(alert.name, 150)
            : `${oneLine(alert.name, 150)}: ${oneLine(alert.summary, 300)}`,
        note: [
          alert.severity,
          ...(alert.service === null ? [] : [oneLine(alert.service, 60)]),
          `${alert.status} since ${clockUtc(alert.receivedAt, source.now)}`,
        ].join(' · '),
      })),
      ...(more > 0 && { note: `And ${more} more on the incident's page.` }),
    },
  ];
}

function logBlocks(incident: IncidentFacts): Block[] {
  if (incident.logPatterns.length === 0) return [];
  return [
    {
      kind: 'list',
      heading: 'In the logs around it',
      items: incident.logPatterns.map((pattern) => ({
        text: count(pattern.count, 'time'),
        code: oneLine(pattern.template, 300),
      })),
    },
  ];
}
