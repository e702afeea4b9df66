import type { ConsolidatedFacts } from '../../db/notification-limits.ts';
import { oneLine } from '../../domain/markup.ts';
import { messagesPerHour } from '../../domain/notification-limits.ts';
import type { Mail } from './mail-layout.ts';
import { count, incidentUrl, type Message, type MessageSource, oneLineSubject } from './message.ts';
import { clockText } from './moments.ts';

/** One message in place of many about the same alerts: how many there were, and what there is to do. */
export function consolidatedMessage(
  source: Pick<MessageSource, 'publicUrl' | 'reader' | 'now' | 'timeZone' | 'acknowledgeLinks'>,
  facts: ConsolidatedFacts,
): Message {
  const pattern = oneLine(facts.pattern, 120);
  const incidents = count(facts.incidentCount, 'incident');
  const more = facts.incidentCount - facts.incidents.length;
  const severity = facts.incidents[0]?.severity ?? 'info';
  const mail: Mail = {
    sentence: `${count(facts.held, 'more message')} about ${pattern} since ${clockText(facts.heldSince, source)}, told in this one: ${incidents}, ${unclaimedWords(facts)}.`,
    meta: [severity, 'told together', pattern],
    tone: severity,
    buttons: [{ label: 'Open the incidents', url: `${source.publicUrl}/incidents` }],
    blocks: [
      {
        kind: 'table',
        heading: 'Incidents',
        columns: [{ label: 'Incident' }, { label: 'State' }, { label: 'Acknowledge' }],
        rows: facts.incidents.map((incident) => [
          {
            text: `#${incident.number} ${oneLine(incident.title, 120)}`,
            href: incidentUrl(source.publicUrl, incident.number),
          },
          { text: stateOf(incident), tone: incident.resolvedAt === null ? incident.severity : 'ok' },
          acknowledgeCell(source, incident.number),
        ]),
        ...(more > 0 && { note: `And ${more} more on the list of incidents.` }),
      },
      {
        kind: 'paragraph',
        text: `Of one pattern of alerts at most ${messagesPerHour} messages an hour come here; this one stands for the others until ${clockText(facts.ends, source)}.`,
      },
    ],
    footer: `${source.reader} would have had ${count(facts.held, 'message')} of ${incidents}.`,
    publicUrl: source.publicUrl,
  };
  const subject = `[${severity}] ${facts.held} more about ${pattern}, in ${incidents}`;
  return { subject: oneLineSubject(subject), mail, urgent: severity === 'critical' || severity === 'high' };
}

/** Those that nobody has stand first, so that their number is known unless they are all that is listed. */
function unclaimedWords({ incidents, incidentCount }: ConsolidatedFacts): string {
  const unclaimed = incidents.filter(({ acknowledgedAt, resolvedAt }) => !acknowledgedAt && !resolvedAt);
  if (unclaimed.length === 0) return 'each acknowledged or over';
  const isAll = unclaimed.length === incidents.length && incidentCount > incidents.length;
  return `${unclaimed.length}${isAll ? ' or more' : ''} not acknowledged`;
}

function stateOf(incident: ConsolidatedFacts['incidents'][number]): string {
  if (incident.resolvedAt !== null) return 'resolved';
  return incident.acknowledgedAt === null
    ? 'nobody has it'
    : oneLine(`${incident.acknowledgedBy} has it`, 80);
}

function acknowledgeCell(source: Pick<MessageSource, 'acknowledgeLinks'>, number: number) {
  const link = source.acknowledgeLinks?.get(number);
  return link === undefined ? '' : { text: 'Acknowledge', href: link.url };
}
