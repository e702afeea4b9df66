import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Mailbox, startMailbox } from './mailbox.ts';
import { findPort } from './port.ts';

let dataDir: string;
let port: number;
let mailbox: Mailbox;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'holdfast-mailbox-'));
  port = await findPort();
  mailbox = await startMailbox({ dataDir, port, keep: 3 });
});
afterEach(async () => {
  await mailbox.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function send(subject: string, more: Record<string, unknown> = {}): Promise<void> {
  const transport = createTransport(mailbox.smtpUrl);
  await transport.sendMail({
    from: 'Holdfast <h@localhost>',
    to: 'ana@example.com',
    subject,
    text: 'x',
    ...more,
  });
  transport.close();
}

test('a mail can be read as it was sent, with those in blind copy and its attachments', async () => {
  await send('[critical] #42 Prüfung: db-primary refuses connections', {
    bcc: 'ben@example.com',
    text: 'Plain – text',
    html: '<p>Rich – text</p>',
    attachments: [{ filename: 'a.csv', content: 'a;b\n', contentType: 'text/csv' }],
  });
  const [summary] = await mailbox.list(1);
  expect(summary).toMatchObject({
    from: 'Holdfast <h@localhost>',
    to: ['ana@example.com', 'ben@example.com'],
    subject: '[critical] #42 Prüfung: db-primary refuses connections',
  });
  expect(Date.now() - Date.parse(summary!.receivedAt)).toBeLessThan(10_000);
  const mail = await mailbox.get(summary!.id);
  expect(mail?.text.trim()).toBe('Plain – text');
  expect(mail?.html).toContain('Rich – text');
  expect(mail?.attachments).toEqual([{ name: 'a.csv', type: 'text/csv', size: 4 }]);
  expect(mail?.headers.map(({ name }) => name)).toContain('message-id');
});

test('mails outlive a restart, the newest first, and the oldest go when there are too many', async () => {
  for (const subject of ['one', 'two', 'three', 'four']) await send(subject);
  expect((await mailbox.list()).map(({ subject }) => subject)).toEqual(['four', 'three', 'two']);
  await mailbox.close();
  await writeFile(join(dataDir, 'mailbox', '1764000000000-aaaaaaaaaaaa.partial'), 'From: cut off');
  await writeFile(join(dataDir, 'mailbox', 'notes.txt'), 'not a mail');
  mailbox = await startMailbox({ dataDir, port, keep: 3 });
  expect(mailbox.smtpUrl).toBe(`smtp://127.0.0.1:${port}`);
  expect((await mailbox.list()).map(({ subject }) => subject)).toEqual(['four', 'three', 'two']);
  expect((await readdir(join(dataDir, 'mailbox'))).filter((name) => !name.endsWith('.eml'))).toEqual([
    'notes.txt',
  ]);
});

test('an id names no file but that of a mail', async () => {
  await writeFile(join(dataDir, 'secret.eml'), 'From: a@b\r\n\r\nsecret');
  for (const id of ['../secret', '..%2Fsecret', 'notes', '', '/etc/passwd']) {
    expect(await mailbox.get(id)).toBeUndefined();
  }
});

test('a mail that is too large is refused, and the next one is taken', async () => {
  await expect(send('large', { text: 'x'.repeat(11 * 1024 * 1024) })).rejects.toThrow();
  await send('small');
  expect((await mailbox.list()).map(({ subject }) => subject)).toEqual(['small']);
});

test('a sender that breaks off leaves nothing and harms nothing', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const said = (text: string): Promise<void> =>
    new Promise((resolve) => socket.once('data', () => socket.write(text, () => resolve())));
  await said('EHLO x\r\n');
  await said('MAIL FROM:<a@example.com>\r\n');
  await said('RCPT TO:<b@example.com>\r\n');
  await said('DATA\r\n');
  await said('Subject: half');
  socket.destroy();
  await send('whole');
  await expect.poll(() => readdir(join(dataDir, 'mailbox'))).toEqual([expect.stringMatching(/\.eml$/)]);
  expect((await mailbox.list()).map(({ subject }) => subject)).toEqual(['whole']);
});

test('with its port taken, another one is used', async () => {
  const taken = await findPort();
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(taken, '127.0.0.1', resolve));
  const other = await startMailbox({ dataDir: join(dataDir, 'other'), port: taken });
  expect(other.smtpUrl).not.toContain(`:${taken}`);
  await other.close();
  squatter.close();
});
