import type { HandoffFacts, OpenIncident } from '../../db/handoffs.ts';
import { oneLine } from '../../domain/markup.ts';
import type { Block, Mail } from './mail-layout.ts';
import { count, incidentUrl, type Message, type MessageSource, oneLineSubject } from './message.ts';
import { momentText } from './moments.ts';

/** To who comes on call and who goes off: until when, who is next, and what is open. */
export function handoffMessage(source: MessageSource, handoff: HandoffFacts): Message {
  const comesOn = source.detail.direction !== 'off';
  const schedule = oneLine(handoff.schedule, 100);
  const moment = (at: Date) => momentText(at, handoff.timeZone);
  const until = handoff.until === null ? '' : ` until ${moment(handoff.until)}`;
  const sentence = comesOn
    ? `You are on call for ${schedule} from ${moment(handoff.at)}${until}.`
    : `Your shift for ${schedule} ends ${moment(handoff.at)}; ${handoff.now.length === 0 ? 'nobody' : namesOf(handoff.now)} takes over.`;
  const open = handoff.incidentCount;
  const mail: Mail = {
    sentence,
    meta: [
      comesOn ? 'on call' : 'off call',
      schedule,
      open === 0 ? 'nothing open' : count(open, 'open incident'),
    ],
    tone: open === 0 ? 'ok' : 'neutral',
    buttons: [
      {
        label: 'Open the schedule',
        url: `${source.publicUrl}/on-call/${encodeURIComponent(handoff.schedule)}`,
      },
      ...(open === 0 ? [] : [{ label: 'Open the incidents', url: `${source.publicUrl}/incidents` }]),
    ],
    blocks: [
      {
        kind: 'facts',
        heading: 'The handoff',
        rows: [
          { label: 'Before', value: handoff.before.length === 0 ? 'nobody' : namesOf(handoff.before) },
          { label: 'Now', value: handoff.now.length === 0 ? 'nobody' : namesOf(handoff.now) },
          {
            label: 'Next',
            value: handoff.next
              ? `${namesOf(handoff.next.people)}, from ${moment(handoff.next.from)}`
              : 'nobody',
          },
          { label: 'Time zone', value: handoff.timeZone },
        ],
      },
      incidentsBlock(handoff, source.publicUrl),
    ],
    footer: `${oneLine(source.reader, 200)} takes turns in the schedule ${schedule}.`,
    publicUrl: source.publicUrl,
  };
  const what = comesOn ? 'you are on call' : 'your shift ends';
  return {
    subject: oneLineSubject(`[on-call] ${schedule}: ${what}${comesOn ? until : ''}`),
    mail,
    urgent: false,
  };
}

function incidentsBlock({ incidents, incidentCount }: HandoffFacts, publicUrl: string): Block {
  if (incidents.length === 0) {
    return { kind: 'paragraph', heading: 'Open incidents', text: 'None. Nothing is handed over.' };
  }
  const more = incidentCount - incidents.length;
  return {
    kind: 'table',
    heading: 'Open incidents',
    columns: [{ label: 'Incident' }, { label: 'What' }, { label: 'Who has it' }],
    rows: incidents.map((incident) => [
      { text: `#${incident.number}`, tone: incident.severity, href: incidentUrl(publicUrl, incident.number) },
      whatOf(incident),
      oneLine(incident.acknowledgedBy ?? 'nobody yet', 100),
    ]),
    ...(more > 0 && { note: `And ${count(more, 'incident')} more.` }),
  };
}

function whatOf({ severity, service, title }: OpenIncident): string {
  return oneLine(`${severity}, ${service === null ? '' : `${service}: `}${title}`, 160);
}

function namesOf(names: readonly string[]): string {
  const shown = names.map((name) => oneLine(name, 100));
  return shown.length < 2 ? (shown[0] ?? 'nobody') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
