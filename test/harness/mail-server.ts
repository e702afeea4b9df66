import type { AddressInfo } from 'node:net';
import nodemailer from 'nodemailer';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { type MailTransport, mailTransportOptions } from '../../activities/channels/email.ts';

export interface ReceivedMail extends Email {
  /** Of the envelope. */
  recipients: string[];
  header(name: string): string | undefined;
  size: number;
}

/** A real SMTP server on loopback, and a transport to it. `refuse` makes it answer an address with a code. */
export interface TestMailServer {
  url: string;
  transport: MailTransport;
  received: ReceivedMail[];
  refuse: Map<string, number>;
  /** Down, with the transport left as it is; `start` brings it back on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startMailServer(): Promise<TestMailServer> {
  const received: ReceivedMail[] = [];
  const refuse = new Map<string, number>();
  let server = createServer(received, refuse);
  await listen(server, 0);
  const { port } = server.server.address() as AddressInfo;
  const url = `smtp://127.0.0.1:${port}`;
  const transport = nodemailer.createTransport(mailTransportOptions(url));
  let running = true;
  async function stop(): Promise<void> {
    if (!running) return;
    running = false;
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  return {
    url,
    transport,
    received,
    refuse,
    stop,
    async start() {
      server = createServer(received, refuse);
      await listen(server, port);
      running = true;
    },
    async close() {
      transport.close();
      await stop();
    },
  };
}

function createServer(received: ReceivedMail[], refuse: ReadonlyMap<string, number>): SMTPServer {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }, _session, callback) {
      const responseCode = refuse.get(address);
      if (responseCode === undefined) return callback();
      return callback(Object.assign(new Error(`no mail for ${address}`), { responseCode }));
    },
    async onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      const raw = Buffer.concat(chunks);
      const mail = await PostalMime.parse(raw);
      received.push({
        ...mail,
        recipients: session.envelope.rcptTo.map(({ address }) => address),
        header: (name) => mail.headers.find(({ key }) => key === name.toLowerCase())?.value,
        size: raw.length,
      });
      callback();
    },
  });
  // a client that goes away mid-sentence is its own test's matter
  server.on('error', () => {});
  return server;
}

async function listen(server: SMTPServer, port: number): Promise<void> {
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
}
