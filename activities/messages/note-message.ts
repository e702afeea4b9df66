import type { IncidentFacts } from '../../db/notification-facts.ts';
import { lines, oneLine } from '../../domain/markup.ts';
import type { WrittenNote } from '../../domain/pagerduty.ts';
import { incidentUrl, type Message, type MessageSource, subjectOf } from './message.ts';

/** What somebody wrote on an incident, as the log of messages has it: PagerDuty, to which alone it goes, takes its text. */
export function noteMessage(source: MessageSource, incident: IncidentFacts, note: WrittenNote): Message {
  const writer = oneLine(note.writer, 100);
  return {
    subject: subjectOf(incident, `note by ${writer}`),
    mail: {
      sentence: `${writer} wrote a note on #${incident.number}.`,
      meta: ['note', `incident #${incident.number}`],
      tone: 'neutral',
      buttons: [
        { label: `Open incident #${incident.number}`, url: incidentUrl(source.publicUrl, incident.number) },
      ],
      blocks: [{ kind: 'paragraph', text: lines(note.text, 10_000) }],
      footer: `${source.reader} is told of notes on incidents that it was told of.`,
      publicUrl: source.publicUrl,
    },
    urgent: false,
  };
}
