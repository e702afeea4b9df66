import { oneLine } from '../../domain/markup.ts';
import type { ReadinessFinding } from '../../domain/readiness/readiness.ts';
import type { Block, Mail, Tone } from './mail-layout.ts';
import { count, type Message, type MessageSource, oneLineSubject } from './message.ts';
import { clockText, type Reading } from './moments.ts';

const findingsTold = 15;

const severities = ['critical', 'warning', 'info'] as const satisfies ReadinessFinding['severity'][];
const tones: Record<ReadinessFinding['severity'], Tone> = {
  critical: 'critical',
  warning: 'warning',
  info: 'info',
};
const headings: Record<ReadinessFinding['severity'], string> = {
  critical: 'Pages get lost',
  warning: 'Pages may get lost or come late',
  info: 'To tidy up',
};

/** Weekly, to who can mend it: what could keep a page from reaching somebody. Nothing to tell: no message. */
export function readinessMessage(
  source: Pick<MessageSource, 'publicUrl' | 'reader' | 'now' | 'timeZone'>,
  findings: readonly ReadinessFinding[],
): Message {
  const critical = findings.filter(({ severity }) => severity === 'critical').length;
  const sentence =
    critical > 0
      ? `Pages can get lost in the next 14 days: ${count(critical, 'problem')} to mend now.`
      : `${count(findings.length, 'thing')} to look at before somebody is paged in the next 14 days.`;
  const mail: Mail = {
    sentence,
    meta: ['on-call readiness', count(findings.length, 'finding')],
    tone: tones[findings[0]?.severity ?? 'info'],
    buttons: [{ label: 'Open On-call', url: `${source.publicUrl}/on-call` }],
    blocks: severities.flatMap((severity) => blocksOf(severity, findings, source)),
    footer: `${oneLine(source.reader, 200)} is an Admin: this comes on Mondays, and only while there is something to mend.`,
    publicUrl: source.publicUrl,
  };
  return { subject: oneLineSubject(`[on-call] ${sentence}`), mail, urgent: false };
}

function blocksOf(
  severity: ReadinessFinding['severity'],
  findings: readonly ReadinessFinding[],
  reading: Reading,
): Block[] {
  const own = findings.filter((finding) => finding.severity === severity);
  if (own.length === 0) return [];
  const more = own.length - findingsTold;
  return [
    {
      kind: 'list',
      heading: headings[severity],
      items: own.slice(0, findingsTold).map(({ text, remedy, at }) => {
        const from = at === null || at <= reading.now ? '' : `From ${clockText(new Date(at), reading)}: `;
        return { tone: tones[severity], text: oneLine(`${from}${text}`, 400), note: oneLine(remedy, 300) };
      }),
      ...(more > 0 && { note: `And ${more} more on the page.` }),
    },
  ];
}
