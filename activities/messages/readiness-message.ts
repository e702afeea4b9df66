import { oneLine } from '../../domain/markup.ts';
import type { ReadinessFinding } from '../../domain/readiness/readiness.ts';
import type { Mail, Tone } from './mail-layout.ts';
import { count, type Message, type MessageSource, oneLineSubject } from './message.ts';
import { clockUtc } from './moments.ts';

const findingsTold = 30;
const tones: Record<ReadinessFinding['severity'], Tone> = {
  critical: 'critical',
  warning: 'warning',
  info: 'info',
};

/** Weekly, to who can mend it: what could keep a page from reaching somebody. Nothing to tell: no message. */
export function readinessMessage(
  source: Pick<MessageSource, 'publicUrl' | 'reader' | 'now'>,
  findings: readonly ReadinessFinding[],
): Message {
  const critical = findings.filter(({ severity }) => severity === 'critical').length;
  const shown = findings.slice(0, findingsTold);
  const more = findings.length - shown.length;
  const sentence =
    critical > 0
      ? `Pages can get lost in the next 14 days: ${count(critical, 'problem')} to mend now.`
      : `${count(findings.length, 'thing')} to look at before somebody is paged in the next 14 days.`;
  const mail: Mail = {
    sentence,
    meta: ['on-call readiness', count(findings.length, 'finding')],
    tone: tones[findings[0]?.severity ?? 'info'],
    buttons: [{ label: 'Open On-call', url: `${source.publicUrl}/on-call` }],
    blocks: [
      {
        kind: 'list',
        heading: 'What to mend',
        items: shown.map(({ severity, text, remedy, at }) => ({
          tone: tones[severity],
          text: oneLine(
            `${at === null || at <= source.now ? '' : `From ${clockUtc(new Date(at), source.now)}: `}${text}`,
            400,
          ),
          note: oneLine(remedy, 300),
        })),
        ...(more > 0 && { note: `And ${count(more, 'finding')} more on the page.` }),
      },
    ],
    footer: `${oneLine(source.reader, 200)} is an Admin: this comes on Mondays, and only while there is something to mend.`,
    publicUrl: source.publicUrl,
  };
  return { subject: oneLineSubject(`[on-call] ${sentence}`), mail, urgent: false };
}
