import type { ReceivedMail, SmtpReceiver } from '../parts/smtp.ts';
import { waitFor } from './stack.ts';

/** What the mails are about, by the header that names their type. */
export function mailsOf(smtp: SmtpReceiver, type: string, subject = /./): ReceivedMail[] {
  return smtp.mails.filter(
    ({ email }) =>
      email.headers.some(({ key, value }) => key === 'x-holdfast-type' && value === type) &&
      subject.test(email.subject ?? ''),
  );
}

/** The newest of this type whose subject says this, once there is one. */
export async function mailOf(
  smtp: SmtpReceiver,
  type: string,
  subject = /./,
  limitMs?: number,
): Promise<ReceivedMail> {
  return await waitFor(`a mail '${type}' ${subject}`, () => mailsOf(smtp, type, subject).at(-1), limitMs);
}

/** Where the button of this name leads. */
export function linkOf(mail: ReceivedMail, button: string): string {
  const anchors = [...(mail.email.html ?? '').matchAll(/<a href="([^"]+)"[^>]*>([^<]*)<\/a>/g)];
  const found = anchors.find(([, , label]) => label?.trim() === button);
  if (!found?.[1]) throw new Error(`no button '${button}' in the mail '${mail.email.subject}'`);
  return found[1].replaceAll('&amp;', '&');
}

export interface Page {
  status: number;
  html: string;
}

/** Opens a link, as a person does, and as the scanners of mail servers do. */
export async function openLink(url: string): Promise<Page> {
  const response = await fetch(url, { redirect: 'manual' });
  return { status: response.status, html: await response.text() };
}

/** Sends the form of a page that a link opened, with what the form holds. */
export async function submitForm(
  url: string,
  page: Page,
  fields: Record<string, string> = {},
): Promise<Page> {
  const form = /<form method="post"[^>]*>([\s\S]*?)<\/form>/.exec(page.html)?.[1];
  if (form === undefined) throw new Error(`no form on ${url}: ${page.html.slice(0, 2000)}`);
  const hidden = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
  const body = new URLSearchParams([
    ...hidden.map(([, name = '', value = '']): [string, string] => [name, value]),
    ...Object.entries(fields),
  ]);
  const response = await fetch(url, { method: 'POST', body, redirect: 'manual' });
  return { status: response.status, html: await response.text() };
}
