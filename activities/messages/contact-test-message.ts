import { oneLine } from '../../domain/markup.ts';
import type { Mail } from './mail-layout.ts';
import { type Message, type MessageSource, oneLineSubject } from './message.ts';

/** To a person who wants to see that they can be reached, by each of their ways. */
export function contactTestMessage(source: Pick<MessageSource, 'publicUrl' | 'reader' | 'detail'>): Message {
  const asked = typeof source.detail.requestedBy === 'string' ? source.detail.requestedBy : source.reader;
  const mail: Mail = {
    sentence: 'This is a test: Holdfast can reach you in this way.',
    meta: ['test', 'nothing is wrong'],
    tone: 'ok',
    buttons: [{ label: 'Open your contact rules', url: `${source.publicUrl}/settings/account` }],
    blocks: [
      {
        kind: 'paragraph',
        text: 'A page would come like this one, with the incident, what is known of it and a button to acknowledge. There is nothing to do now.',
      },
    ],
    footer: `${oneLine(asked, 200)} asked for this test.`,
    publicUrl: source.publicUrl,
  };
  return {
    subject: oneLineSubject('[test] Holdfast can reach you in this way'),
    mail,
    urgent: false,
  };
}
