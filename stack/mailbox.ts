import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import PostalMime, { type Address, type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { findPort, loopback } from './port.ts';

export interface MailSummary {
  id: string;
  /** ISO 8601. */
  receivedAt: string;
  from: string;
  /** Whom it was delivered to, those in blind copy included. */
  to: string[];
  subject: string;
}

export interface Mail extends MailSummary {
  /** As sent: data from outside, to be shown only in a sandbox. */
  html: string | null;
  text: string;
  /** Lower-case names; a header that occurs twice is there twice. */
  headers: { name: string; value: string }[];
  /** Sizes in bytes. */
  attachments: { name: string; type: string; size: number }[];
}

/** The embedded mail catcher: receives over real SMTP whatever Holdfast sends, delivers nothing further. */
export interface Mailbox {
  smtpUrl: string;
  /** Newest first. */
  list(limit?: number): Promise<MailSummary[]>;
  /** Undefined when there is no such mail, or no longer. */
  get(id: string): Promise<Mail | undefined>;
  close(): Promise<void>;
}

export interface MailboxOptions {
  dataDir: string;
  /** Tried before any free port. */
  port?: number;
  /** Older mails are removed. */
  keep?: number;
}

const usualPort = 1025;
const sizeLimit = 10 * 1024 * 1024;
/** Enough for the header of a mail; its body is read only when it is opened. */
const headerBytes = 64 * 1024;
/** Receipt in milliseconds and a random part: sorts by time, and cannot name a file elsewhere. */
const idPattern = /^\d{13}-[0-9a-f]{12}$/;

/** @throws Error when the folder cannot be written or read */
export async function startMailbox(options: MailboxOptions): Promise<Mailbox> {
  const folder = join(options.dataDir, 'mailbox');
  const keep = options.keep ?? 1000;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const mails = await readFolder(folder);

  let lastAt = 0;
  const receive = async (stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> => {
    lastAt = Math.max(Date.now(), lastAt + 1); // two in one millisecond keep their order
    const id = `${lastAt}-${randomBytes(6).toString('hex')}`;
    await store(folder, id, stream, session);
    const summary = await summarize(folder, id);
    if (summary) mails.set(id, summary);
    await removeOldest(folder, mails, keep);
  };
  const port = await findPort([options.port ?? usualPort]);
  const server = await listen(port, receive);
  return {
    smtpUrl: `smtp://${loopback}:${port}`,
    async list(limit = keep) {
      const newestFirst = [...mails.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
      return newestFirst.slice(0, limit);
    },
    async get(id) {
      const summary = mails.get(id);
      return summary && (await readMail(folder, summary));
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

type Receive = (stream: SMTPServerDataStream, session: SMTPServerSession) => Promise<void>;

async function listen(port: number, receive: Receive): Promise<SMTPServer> {
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: sizeLimit,
    closeTimeout: 1000,
    onData(stream, session, callback) {
      receive(stream, session).then(() => callback(null), callback);
    },
  });
  // a client that breaks off is its own concern; without a listener it would end this process
  server.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, loopback, resolve);
  });
  return server;
}

class TooLargeError extends Error {
  readonly responseCode = 552;
}

/** Whole or not at all: written beside its place, flushed, then renamed. */
async function store(
  folder: string,
  id: string,
  stream: SMTPServerDataStream,
  { envelope }: SMTPServerSession,
): Promise<void> {
  const partial = join(folder, `${id}.partial`);
  const sender = envelope.mailFrom ? envelope.mailFrom.address : '';
  const file = createWriteStream(partial, { mode: 0o600, flush: true });
  // as a mail server does on final delivery; the header of a mail need not name its recipients
  file.write(`Return-Path: <${sender}>\r\n`);
  for (const { address } of envelope.rcptTo) file.write(`Delivered-To: ${address}\r\n`);
  try {
    await pipeline(stream, file);
    if (stream.sizeExceeded) throw new TooLargeError(`A mail may have ${sizeLimit} bytes at most`);
    await rename(partial, emlFile(folder, id));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

const emlFile = (folder: string, id: string): string => join(folder, `${id}.eml`);

async function readFolder(folder: string): Promise<Map<string, MailSummary>> {
  const mails = new Map<string, MailSummary>();
  for (const name of (await readdir(folder)).sort()) {
    const id = name.slice(0, -'.eml'.length);
    if (name.endsWith('.partial')) await rm(join(folder, name), { force: true });
    if (!name.endsWith('.eml') || !idPattern.test(id)) continue;
    const summary = await summarize(folder, id);
    if (summary) mails.set(id, summary);
  }
  return mails;
}

async function removeOldest(folder: string, mails: Map<string, MailSummary>, keep: number): Promise<void> {
  const surplus = [...mails.keys()].sort().slice(0, Math.max(0, mails.size - keep));
  for (const id of surplus) {
    mails.delete(id);
    await rm(emlFile(folder, id), { force: true });
  }
}

async function summarize(folder: string, id: string): Promise<MailSummary | undefined> {
  const file = await open(emlFile(folder, id)).catch(() => undefined); // removed meanwhile
  if (!file) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    const start = buffer.subarray(0, bytesRead);
    const end = start.indexOf('\r\n\r\n');
    return summary(id, await PostalMime.parse(end < 0 ? start : start.subarray(0, end + 4)));
  } finally {
    await file.close();
  }
}

function summary(id: string, email: Email): MailSummary {
  const delivered = email.headers.filter(({ key }) => key === 'delivered-to').map(({ value }) => value);
  const returnPath = email.headers.find(({ key }) => key === 'return-path')?.value.replace(/^<|>$/g, '');
  return {
    id,
    receivedAt: new Date(Number(id.slice(0, 13))).toISOString(),
    from: email.from ? written(email.from) : (returnPath ?? ''),
    to: delivered,
    subject: email.subject ?? '',
  };
}

const written = ({ name, address }: Address): string =>
  name && address ? `${name} <${address}>` : address || name;

async function readMail(folder: string, known: MailSummary): Promise<Mail | undefined> {
  const raw = await readFile(emlFile(folder, known.id)).catch(() => undefined);
  if (!raw) return undefined;
  const email = await PostalMime.parse(raw, { attachmentEncoding: 'arraybuffer' });
  return {
    ...known,
    html: email.html ?? null,
    text: email.text ?? '',
    headers: email.headers.map(({ key, value }) => ({ name: key, value })),
    attachments: email.attachments.map(({ filename, mimeType, content }) => ({
      name: filename ?? 'unnamed',
      type: mimeType,
      size: typeof content === 'string' ? content.length : content.byteLength,
    })),
  };
}
