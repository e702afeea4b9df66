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
  close(): Promise<void>;
}

/** A real SMTP server that keeps what it receives in memory. */
export async function startSmtp(): Promise<SmtpReceiver> {
  const port = await findPort();
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 500,
    async onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
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
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, loopback, resolve);
  });
  const receiver: SmtpReceiver = {
    url: `smtp://${loopback}:${port}`,
    mails: [],
    failWith: undefined,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return receiver;
}
