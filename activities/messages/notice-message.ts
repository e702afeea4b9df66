import { oneLine } from '../../domain/markup.ts';
import type { Mail } from './mail-layout.ts';
import { type Message, type MessageSource, oneLineSubject } from './message.ts';

type NoticeSource = Pick<MessageSource, 'publicUrl' | 'reader' | 'detail'>;

/** To see that a notification channel works, before an incident needs it. */
export function channelTestMessage(source: NoticeSource): Message {
  const asked = typeof source.detail.requestedBy === 'string' ? source.detail.requestedBy : source.reader;
  const mail: Mail = {
    sentence: 'This is a test: messages of Holdfast arrive here.',
    meta: ['test', 'nothing is wrong'],
    tone: 'ok',
    buttons: [{ label: 'Open the channels', url: `${source.publicUrl}/settings/channels` }],
    blocks: [
      {
        kind: 'paragraph',
        text: 'A message about an incident would come like this one, with what is known of it and what can be done. There is nothing to do now.',
      },
    ],
    footer: `${oneLine(asked, 200)} asked for this test.`,
    publicUrl: source.publicUrl,
  };
  return { subject: '[test] Messages of Holdfast arrive here', mail, urgent: false };
}

/** What will happen if nothing is done, such as a disk that will be full. */
export function forecastMessage(source: NoticeSource): Message {
  const said = oneLine(String(source.detail.message ?? ''), 300);
  const { path } = source.detail;
  // a path of Holdfast's own pages and nothing that leads elsewhere
  const url = typeof path === 'string' && /^\/(?!\/)/.test(path) ? `${source.publicUrl}${path}` : undefined;
  const mail: Mail = {
    sentence: said,
    meta: ['forecast'],
    tone: 'warning',
    buttons: [{ label: 'See the forecast', url: url ?? `${source.publicUrl}/reports` }],
    blocks: [],
    footer: `${source.reader} is told of forecasts like this one.`,
    publicUrl: source.publicUrl,
  };
  return { subject: oneLineSubject(`[forecast] ${said}`), mail, urgent: false };
}
