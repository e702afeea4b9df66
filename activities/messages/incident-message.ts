import type { IncidentFacts } from '../../db/notification-facts.ts';
import { formatDuration } from '../../domain/duration.ts';
import { oneLine } from '../../domain/markup.ts';
import { type IncidentMessageType, incidentWords, levelOf, timeLeft } from './incident-words.ts';
import type { Block, Cell, Mail } from './mail-layout.ts';
import { count, incidentUrl, type Message, type MessageSource, subjectOf } from './message.ts';
import { clockText, dateOf } from './moments.ts';

/** Mails about an incident: what is wrong, since when, who has it, what happens next, what to do now. */
export function incidentMessage(
  source: MessageSource & { type: IncidentMessageType },
  incident: IncidentFacts,
): Message {
  const { subject, sentence, footer, urgent } = incidentWords(source, incident);
  const settled = source.type === 'incident.resolved';
  const merged = settled && mergedInto(source) !== undefined;
  const mail: Mail = {
    sentence,
    meta: [
      merged ? 'merged' : settled ? 'resolved' : incident.severity,
      `incident #${incident.number}`,
      ...(incident.service === null ? [] : [oneLine(incident.service, 60)]),
    ],
    tone: merged ? 'neutral' : settled ? 'ok' : incident.severity,
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

/** Number of the incident that goes on with the alerts of one that has ended. */
const mergedInto = ({ detail }: MessageSource): number | undefined =>
  typeof detail.mergedInto === 'number' ? detail.mergedInto : undefined;

function buttonsOf(source: MessageSource, incident: IncidentFacts): Pick<Mail, 'buttons' | 'buttonNote'> {
  const number = mergedInto(source) ?? incident.number;
  const open = { label: `Open incident #${number}`, url: incidentUrl(source.publicUrl, number) };
  const acknowledge = source.links.acknowledge;
  if (!acknowledge) return { buttons: [open] };
  return {
    buttons: [{ label: 'Acknowledge', url: acknowledge.url }, open],
    buttonNote: `Acknowledge opens a page that asks once more. The link acts as ${source.reader}, works once, and until ${clockText(acknowledge.until, source)}.`,
  };
}

function factsOf(source: MessageSource, incident: IncidentFacts): { label: string; value: Cell }[] {
  const rows: { label: string; value: Cell }[] = [
    { label: 'Severity', value: { text: incident.severity, tone: incident.severity } },
  ];
  if (incident.service !== null) rows.push({ label: 'Service', value: oneLine(incident.service, 100) });
  const since = clockText(incident.openedAt, source);
  if (incident.resolvedAt) {
    rows.push({ label: 'Lasted', value: `${since} to ${clockText(incident.resolvedAt, source)}` });
  } else {
    const age = formatDuration(source.now - incident.openedAt.getTime());
    rows.push({ label: 'Since', value: `${since} (${age})` });
  }
  rows.push({ label: 'Alerts', value: alertCounts(incident) });
  if (incident.acknowledgedAt) {
    const who = oneLine(incident.acknowledgedBy ?? 'someone', 100);
    rows.push({ label: 'Acknowledged', value: `${who}, ${clockText(incident.acknowledgedAt, source)}` });
  }
  if (source.type === 'escalation.page') rows.push(...escalationFacts(source, incident));
  if (source.type === 'oncall.nobody') {
    rows.push({ label: 'On-call', value: { text: 'Who is on call', href: `${source.publicUrl}/on-call` } });
  }
  for (const clock of incident.sla) {
    if (clock.state !== 'running' && clock.state !== 'at_risk' && clock.state !== 'breached') continue;
    const lateMs = source.now - clock.dueAt.getTime();
    const remaining = lateMs < 0 ? `in ${timeLeft(clock, source.now)}` : `${formatDuration(lateMs)} ago`;
    rows.push({
      label: clock.kind === 'acknowledge' ? 'Acknowledge by' : 'Resolve by',
      value: `${clockText(clock.dueAt, source)} (${remaining}, SLA ${oneLine(clock.policy, 60)})`,
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
    { label: 'Paged', value: `level ${levelOf(source)}${of}${round}` },
  ];
  rows.push({
    label: 'Next page',
    value: nextAt
      ? `${clockText(nextAt, source)}${nextWhat === undefined ? '' : `, ${oneLine(nextWhat, 100)}`}, unless it is acknowledged`
      : 'none: nobody is paged after this one',
  });
  return rows;
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
          `${alert.status} since ${clockText(alert.receivedAt, source)}`,
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
