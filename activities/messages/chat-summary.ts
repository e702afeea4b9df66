import type { ChatSummary } from '../../db/chat-summary.ts';
import { oneLine } from '../../domain/markup.ts';
import type { Block, Mail } from './mail-layout.ts';
import { count, incidentUrl, type Message, type MessageSource, oneLineSubject } from './message.ts';
import { clockText } from './moments.ts';

/** Daily or weekly, to a channel of chat: how things stand, and what happened since the last one. */
export function chatSummaryMessage(
  source: Pick<MessageSource, 'publicUrl' | 'reader' | 'now' | 'timeZone' | 'detail'>,
  summary: ChatSummary,
): Message {
  const { publicUrl, detail } = source;
  const span = detail.span === 'week' ? 'week' : 'day';
  const sentence = `${openWords(summary)} ${sinceWords(summary, span)}`;
  const mail: Mail = {
    sentence,
    meta: [span === 'week' ? 'weekly summary' : 'daily summary'],
    tone: summary.open[0]?.severity ?? 'ok',
    buttons: [{ label: 'Open the incidents', url: `${publicUrl}/incidents` }],
    blocks: [
      ...openBlocks(source, summary),
      ...waitingBlocks(source, summary),
      ...onCallBlocks(source, summary),
    ],
    footer: `${oneLine(source.reader, 200)} gets this every ${span === 'week' ? 'Monday' : 'day'}: Settings, Chat.`,
    publicUrl,
  };
  return { subject: oneLineSubject(`[summary] ${sentence}`), mail, urgent: false };
}

/** '3 incidents are open (2 critical, 1 warning), 1 of them unclaimed.' */
function openWords({ open }: ChatSummary): string {
  const total = sum(open.map((each) => each.count));
  if (total === 0) return 'No incident is open.';
  const kinds = open.map((each) => `${each.count} ${each.severity}`).join(', ');
  const unclaimed = sum(open.map(({ unacknowledged }) => unacknowledged));
  const nobodys = unclaimed === 0 ? 'each is acknowledged' : `${unclaimed} not acknowledged`;
  return `${count(total, 'incident')} ${total === 1 ? 'is' : 'are'} open (${kinds}), ${nobodys}.`;
}

/** 'In the last day 4 opened, 5 ended (1 a false positive), and 1 promise was broken.' */
function sinceWords(summary: ChatSummary, span: 'day' | 'week'): string {
  const { opened, resolved, falsePositives, breaches } = summary;
  const of = falsePositives === 0 ? '' : ` (${count(falsePositives, 'false positive')})`;
  const broken = breaches === 0 ? 'no SLA was breached' : `${count(breaches, 'SLA clock')} breached`;
  return `In the last ${span}: ${opened} opened, ${resolved} ended${of}, ${broken}.`;
}

function openBlocks(
  source: Pick<MessageSource, 'publicUrl' | 'now' | 'timeZone'>,
  summary: ChatSummary,
): Block[] {
  const { worst, open } = summary;
  if (worst.length === 0) return [];
  const more = sum(open.map((each) => each.count)) - worst.length;
  return [
    {
      kind: 'table',
      heading: 'Open now',
      columns: [{ label: 'Incident' }, { label: 'Since' }, { label: 'Who has it' }],
      rows: worst.map((incident) => {
        const service = incident.service === null ? '' : `${oneLine(incident.service, 60)}: `;
        return [
          {
            text: `#${incident.number} ${incident.severity}, ${service}${oneLine(incident.title, 150)}`,
            tone: incident.severity,
            href: incidentUrl(source.publicUrl, incident.number),
          },
          clockText(incident.openedAt, source),
          incident.acknowledgedBy === null ? 'nobody' : oneLine(incident.acknowledgedBy, 100),
        ];
      }),
      ...(more > 0 && { note: `And ${more} more.` }),
    },
  ];
}

function waitingBlocks(
  source: Pick<MessageSource, 'publicUrl' | 'now' | 'timeZone'>,
  { waiting, waitingTotal }: ChatSummary,
): Block[] {
  if (waiting.length === 0) return [];
  const more = waitingTotal - waiting.length;
  return [
    {
      kind: 'table',
      heading: 'Waits for approval',
      columns: [{ label: 'Runbook' }, { label: 'Until' }],
      rows: waiting.map(({ id, runbook, target, expiresAt }) => [
        {
          text: `${oneLine(runbook, 100)} on ${oneLine(target, 100)}`,
          href: `${source.publicUrl}/approvals/${id}`,
        },
        clockText(expiresAt, source),
      ]),
      ...(more > 0 && { note: `And ${more} more.` }),
    },
  ];
}

function onCallBlocks(source: Pick<MessageSource, 'now' | 'timeZone'>, { onCall }: ChatSummary): Block[] {
  if (onCall.length === 0) return [];
  return [
    {
      kind: 'list',
      heading: 'On call now',
      items: onCall.map(({ schedule, people }) => {
        const name = oneLine(schedule, 100);
        if (people.length === 0) return { tone: 'critical' as const, text: `${name}: nobody` };
        const who = people.map(
          (person) => `${oneLine(person.name, 100)} until ${clockText(person.until, source)}`,
        );
        return { text: `${name}: ${who.join(', ')}` };
      }),
    },
  ];
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
