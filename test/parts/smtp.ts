import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { findPort, loopback } from '../../stack/port.ts';

export interface ReceivedMail {
  /** Epoch milliseconds at which its last byte had arrived. */
  at: number;
  envelopeFrom: string;
  envelopeTo: string[];
  raw: string;
  email: Email;
}

export interface SmtpReceiver {
  url: string;
  /** In the order of arrival. */
  mails: ReceivedMail[];
  /** Answers the next mails with this code until it is set to undefined: 4xx asks to come again, 5xx refuses. */
  failWith: number | undefined;
  /** Addresses that are answered with this code, until they are taken out. */
  refuse: Map<string, number>;
  /** Goes down, and with `start` comes back on the same port with the mails that it has. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A real SMTP server that keeps what it receives in memory. */
export async function startSmtp(): Promise<SmtpReceiver> {
  const port = await findPort();
  let server: SMTPServer | undefined;
  const receiver: SmtpReceiver = {
    url: `smtp://${loopback}:${port}`,
    mails: [],
    failWith: undefined,
    refuse: new Map(),
    async start() {
      server = serve(receiver);
      await listen(server, port);
    },
    async stop() {
      const stopping = server;
      server = undefined;
      if (stopping) await new Promise<void>((resolve) => stopping.close(() => resolve()));
    },
    close: () => receiver.stop(),
  };
  await receiver.start();
  return receiver;
}

function serve(receiver: SmtpReceiver): SMTPServer {
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 500,
    onRcptTo({ address }, _session, callback) {
      const responseCode = receiver.refuse.get(address);
      if (responseCode === undefined) callback();
      else callback(Object.assign(new Error(`no mail for ${address}`), { responseCode }));
    },
    async onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of stream) chunks.push(chunk as Buffer);
      } catch (error) {
        // whoever sent it was killed in the midst of it
        callback(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if (receiver.failWith !== undefined) {
        callback(Object.assign(new Error('told to fail by the test'), { responseCode: receiver.failWith }));
        return;
      }
      const at = Date.now();
      const raw = Buffer.concat(chunks);
      receiver.mails.push({
        at,
        envelopeFrom: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
        envelopeTo: session.envelope.rcptTo.map(({ address }) => address),
        raw: raw.toString('utf8'),
        email: await PostalMime.parse(raw),
      });
      callback(null);
    },
  });
  server.on('error', () => {}); // of a client that broke off
  return server;
}

async function listen(server: SMTPServer, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, loopback, resolve);
  });
}
