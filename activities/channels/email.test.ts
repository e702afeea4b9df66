import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { ApplicationFailure } from '@temporalio/common';
import nodemailer from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SmtpReceiver, startSmtp } from '../../test/parts/smtp.ts';
import {
  createEmailChannel,
  type EmailMessage,
  type MailTransport,
  mailsAtOnce,
  mailTransportOptions,
} from './email.ts';

let server: SmtpReceiver;
let transport: MailTransport;
let channel: ReturnType<typeof createEmailChannel>;
beforeEach(async () => {
  server = await startSmtp();
  transport = nodemailer.createTransport(mailTransportOptions(server.url));
  channel = createEmailChannel({ transport, from: 'Holdfast <holdfast@ops.example>' });
});
afterEach(async () => {
  transport.close();
  await server.close();
});

const header = (name: string) => server.mails[0]?.email.headers.find(({ key }) => key === name)?.value;

const message: EmailMessage = {
  to: 'ana@example.com',
  subject: '[critical] #42 checkout: db-primary refuses connections – ✓',
  html: '<p>Grüße</p>',
  text: 'Grüße',
  key: 'page:1:0.0.0',
  type: 'escalation.page',
  thread: 'incident.7f6e0a52',
  urgent: true,
};

async function failureOf(sending: Promise<unknown>): Promise<ApplicationFailure> {
  const failure = await sending.then(() => undefined).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  return failure as ApplicationFailure;
}

test('a mail arrives with both parts, its thread, and the headers that keep robots from answering', async () => {
  await channel.send(message);
  expect(server.mails[0]?.envelopeTo).toEqual(['ana@example.com']);
  expect(server.mails[0]?.email).toMatchObject({
    from: { name: 'Holdfast', address: 'holdfast@ops.example' },
    subject: message.subject,
    html: expect.stringContaining('<p>Grüße</p>'),
    text: expect.stringContaining('Grüße'),
    inReplyTo: '<incident.7f6e0a52@ops.example>',
    references: '<incident.7f6e0a52@ops.example>',
  });
  expect(header('auto-submitted')).toBe('auto-generated');
  expect(header('list-id')).toBe('Holdfast <holdfast.ops.example>');
  expect(header('x-holdfast-type')).toBe('escalation.page');
  expect(header('importance')).toBe('High');
});

test('the same message has the same Message-ID, another message or reader another', async () => {
  await channel.send(message);
  await channel.send(message);
  await channel.send({ ...message, key: 'page:1:1.0.0' });
  await channel.send({ ...message, to: 'ben@example.com' });
  const ids = server.mails.map(({ email }) => email.messageId);
  expect(ids[0]).toMatch(/^<[0-9a-f]{40}@ops\.example>$/);
  expect(ids[1]).toBe(ids[0]);
  expect(new Set(ids).size).toBe(3);
});

test('line breaks and addresses in what comes from outside stay inside the subject', async () => {
  await channel.send({ ...message, subject: 'a\r\nBcc: eve@example.com\r\n\r\nbody' });
  expect(server.mails[0]?.envelopeTo).toEqual(['ana@example.com']);
  expect(header('bcc')).toBeUndefined();
});

test('an address that the server refuses for good is not tried again', async () => {
  server.refuse.set('ana@example.com', 550);
  const failure = await failureOf(channel.send(message));
  expect(failure).toMatchObject({ type: 'MailRefused', nonRetryable: true });
  expect(failure.message).toContain('ana@example.com');
});

test('an address that the server refuses for now is', async () => {
  server.refuse.set('ana@example.com', 451);
  expect(await failureOf(channel.send(message))).toMatchObject({
    type: 'MailUnavailable',
    nonRetryable: false,
  });
});

test('a server that is down can be retried, and mail goes out once it is back', async () => {
  await server.stop();
  expect(await failureOf(channel.send(message))).toMatchObject({
    type: 'MailUnavailable',
    nonRetryable: false,
  });
  expect(await failureOf(channel.probe())).toMatchObject({ type: 'MailUnavailable', nonRetryable: false });
  await server.start();
  expect(await channel.probe()).toEqual({ response: 'the mail server accepts mail' });
  await channel.send(message);
  expect(server.mails).toHaveLength(1);
});

/** Takes connections, and says nothing until it is told to. */
async function startSilentServer(): Promise<{ url: string; sockets: Socket[]; close(): void }> {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => {
    socket.on('error', () => {}); // of a client that broke off
    sockets.push(socket);
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  return {
    url: `smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    sockets,
    close() {
      for (const socket of sockets) socket.destroy();
      silent.close();
    },
  };
}

test('as many mails as may be on their way have a connection each, so that none waits where nothing calls it off', async () => {
  const silent = await startSilentServer();
  const pool = nodemailer.createTransport(mailTransportOptions(silent.url));
  const sending = Array.from({ length: mailsAtOnce }, (_, index) =>
    createEmailChannel({ transport: pool, from: 'holdfast@ops.example' })
      .send({ ...message, key: String(index) })
      .catch((error: ApplicationFailure) => error.type),
  );
  await expect.poll(() => silent.sockets.length).toBe(mailsAtOnce);
  pool.close();
  silent.close();
  expect(new Set(await Promise.all(sending))).toEqual(new Set(['MailUnavailable']));
});

test('a mail that is not taken in time is given up, and so is one that waits behind it', async () => {
  const silent = await startSilentServer();
  const pool = nodemailer.createTransport({ ...mailTransportOptions(silent.url), maxConnections: 1 });
  const slow = createEmailChannel({ transport: pool, from: 'holdfast@ops.example', withinMs: 200 });
  const failures = await Promise.all([
    failureOf(slow.send(message)),
    failureOf(slow.send({ ...message, key: 'behind' })),
  ]);
  for (const failure of failures) {
    expect(failure).toMatchObject({ type: 'MailUnavailable', nonRetryable: false });
    expect(failure.message).toContain('too slowly');
  }
  pool.close();
  silent.close();
});
