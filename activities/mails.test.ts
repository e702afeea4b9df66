import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notificationTypes } from '../domain/notification.ts';
import { notificationTriggers } from '../domain/notification-rules/rule.ts';
import { type MailedType, type MailKind, mailKinds } from '../test/harness/mail-kinds.ts';
import { type MailOffice, openMailOffice } from '../test/harness/mail-office.ts';
import { type MailReader, type OpenMail, startMailReader } from '../test/harness/mail-reader.ts';
import { ruleMails } from '../test/harness/mail-rules.ts';
import { type Skipping, type TriedPart, tryPart } from '../test/parts/part.ts';
import type { ReceivedMail } from '../test/parts/smtp.ts';

/**
 * Every kind of mail, sent by what sends it in production to a real mail server, and read: the HTML part as a browser
 * shows it, the text part as it stands. Twice: from an organization like any other, and from one in which everything that
 * comes from outside means harm.
 */

const now = Date.now();
const harm = `<script>alert(1)</script> "><img src=x onerror=alert(1)> \r\nBcc: eve@example.com\r\n\r\n\u202etxt.exe\u2066 {{7*7}} \u0007خدمة `;
/** What comes from outside, and 5,000 characters more. */
const hostile = (text: string): string => `${text} ${harm}${'long'.repeat(1_200)}`;

interface Sent {
  plain: ReceivedMail;
  hostile: ReceivedMail;
}

let reader: TriedPart<MailReader>;
const offices: MailOffice[] = [];
const sent = new Map<MailKind['send'], Sent>();

const mailedTypes = notificationTypes.filter((type): type is MailedType => type !== 'incident.noted');
const kinds = mailedTypes.flatMap((type) =>
  Object.entries(mailKinds[type]).map(([name, kind]) => ({ type, name, ...kind })),
);
const byRule = notificationTriggers.map((type) => ({ type, name: 'by a rule', send: ruleMails[type] }));
const all: { type: string; name: string; send: MailKind['send'] }[] = [...kinds, ...byRule];

beforeAll(async () => {
  const [plain, bad] = [await openMailOffice(now, (text) => text), await openMailOffice(now, hostile)];
  offices.push(plain, bad);
  for (const { send } of all) sent.set(send, { plain: await send(plain), hostile: await send(bad) });
  reader = await tryPart(startMailReader);
});
afterAll(async () => {
  await reader?.part?.close();
  for (const office of offices) await office.close();
});

function mailsOf({ send }: Pick<MailKind, 'send'>): Sent {
  const mails = sent.get(send);
  if (!mails) throw new Error('it was not sent');
  return mails;
}

const header = ({ email }: ReceivedMail, name: string) =>
  email.headers.find(({ key }) => key === name)?.value ?? '';
const part = (mail: ReceivedMail, which: 'html' | 'text') => mail.email[which] ?? '';
const flat = (text: string) => text.replace(/\s+/g, ' ');

test('there is a mail of every type, and one of every type for which a rule can wait', () => {
  for (const { type, send } of all) {
    expect(header(mailsOf({ send }).plain, 'x-holdfast-type')).toBe(type);
  }
  expect(new Set(kinds.map(({ type }) => type))).toEqual(new Set(mailedTypes));
});

describe('the text part', () => {
  test.each(kinds)('of $type ($name) says at once what it is about, and what to do', (kind) => {
    const { plain } = mailsOf(kind);
    const text = part(plain, 'text');
    const [first = '', second = '', empty, button, link] = text.split('\n');
    if (typeof kind.subject === 'string') expect(plain.email.subject).toBe(kind.subject);
    else expect(plain.email.subject).toMatch(kind.subject);
    if (typeof kind.begins === 'string') expect(first.slice(0, kind.begins.length)).toBe(kind.begins);
    else expect(first).toMatch(kind.begins);
    expect(second).not.toBe('');
    expect([empty, button]).toEqual(['', `${kind.button}:`]);
    expect(link).toMatch(/^https:\/\/holdfast\.example\/\S+$/);
    for (const said of kind.says) expect(flat(text)).toContain(said);
    const number = /#\d+/.exec(plain.email.subject ?? '')?.[0];
    if (number !== undefined) expect(text).toContain(number);
  });

  test.each(all)('of $type ($name) holds nothing of a machine, and no line that nobody reads', (kind) => {
    const text = part(mailsOf(kind).plain, 'text');
    expect(text).not.toMatch(/&(?:amp|lt|gt|quot|nbsp|#\d+);|undefined|null|NaN|\[object|Invalid Date/);
    expect(text).not.toMatch(/<\/?(?:p|td|tr|table|span|br|strong)\b/);
    for (const line of text.split('\n')) {
      if (!line.includes('https://')) expect(line.length, line).toBeLessThan(300);
      expect(line).not.toMatch(/\S {60,}\S/);
    }
  });

  test.for(all)('of $type ($name) knows every fact and link that the HTML knows', async (kind, context) => {
    const { plain } = mailsOf(kind);
    const text = flat(part(plain, 'text'));
    const mail = await open(context, part(plain, 'html'));
    for (const link of mail.links) expect(text).toContain(link);
    for (const words of mail.words) expect(text).toContain(flat(words).replace(/^[■▲◆▼○✓•] ?/, ''));
  });
});

describe('the HTML part', () => {
  test.for(kinds)(
    'of $type ($name) is whole on a desk and on a phone, by day and by night',
    async (kind, context) => {
      const mail = await open(context, part(mailsOf(kind).plain, 'html'));
      for (const width of [600, 390]) {
        expect(await mail.faults(width)).toEqual([]);
        const buttons = await mail.buttons(width);
        const [main, ...others] = buttons;
        // before anything is scrolled, large enough for a finger, and the only one that stands out
        expect(main).toMatchObject({ label: kind.button, filled: true });
        expect(main?.bottom).toBeLessThan(500);
        expect(others.filter(({ filled }) => filled)).toEqual([]);
        for (const { height } of buttons) expect(height).toBeGreaterThanOrEqual(44);
      }
      expect(await mail.seriousFaults('dark')).toEqual([]);
      expect(await mail.seriousFaults('light')).toEqual([]);
    },
  );

  test.for(kinds)(
    'of $type ($name) is whole without its style sheet, and fetches nothing',
    async (kind, context) => {
      const html = part(mailsOf(kind).plain, 'html');
      const bare = html.replace(/<style>[\s\S]*?<\/style>/, '');
      expect(bare.length).toBeLessThan(html.length);
      const mail = await open(context, bare);
      expect(await mail.faults(390)).toEqual([]);
      expect(mail.asked).toEqual([]);
      expect(mail.links.length).toBeGreaterThan(1);
      for (const link of mail.links) expect(`${link}/`).toMatch(/^https:\/\/holdfast\.example\//);
    },
  );
});

describe('what comes from outside', () => {
  test.each(all)('changes no header of $type ($name)', (kind) => {
    const { plain, hostile } = mailsOf(kind);
    const names = (mail: ReceivedMail) => mail.email.headers.map(({ key }) => key);
    expect(names(hostile)).toEqual(names(plain));
    expect(hostile.envelopeTo).toEqual(plain.envelopeTo);
    expect(hostile.email.to).toEqual(plain.email.to);
    expect(hostile.email.subject).not.toMatch(unreadable);
    expect(hostile.email.subject?.length).toBeLessThanOrEqual(200);
    expect(part(hostile, 'text')).not.toMatch(unreadable);
  });

  test.for(all)('is text in $type ($name), and neither bends nor breaks it', async (kind, context) => {
    const { plain, hostile } = mailsOf(kind);
    const html = part(hostile, 'html');
    // beyond that, mail clients cut a mail off
    expect(Buffer.byteLength(html)).toBeLessThan(100_000);
    expect(html).not.toMatch(unreadable);
    const { structure } = await open(context, part(plain, 'html'));
    const mail = await open(context, html);
    expect(mail.structure).toEqual(structure);
    for (const width of [600, 390]) expect(await mail.faults(width)).toEqual([]);
    expect(mail.asked).toEqual([]);
    for (const link of mail.links) expect(`${link}/`).toMatch(/^https:\/\/holdfast\.example\//);
  });
});

/** Controls but the tab and the end of a line, and what turns the order of letters. */
const unreadable = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

/** The test is skipped by name where there is no Chromium. */
async function open(context: Skipping, html: string): Promise<OpenMail> {
  return await reader.orSkip(context).open(html);
}
