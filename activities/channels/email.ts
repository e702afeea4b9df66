import { createHash } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { Transporter } from 'nodemailer';
import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js';
import type { NotificationType } from '../../domain/notification.ts';

export type MailTransport = Transporter<SMTPPool.SentMessageInfo>;

/**
 * Mails that one worker has on their way at once, each on a connection of its own. activities/notify.ts begins no more: what
 * waited behind them in nodemailer's queue would go out whatever became of it meanwhile.
 */
export const mailsAtOnce = 20;

/** For one mail in all, however slowly the server answers: it is not to go out once the next attempt has begun. */
const longestMs = 25_000;

/** For nodemailer's `createTransport`. A server that hangs costs an attempt, not the page. */
export function mailTransportOptions(smtpUrl: string): SMTPPool.Options {
  return {
    url: smtpUrl,
    pool: true,
    maxConnections: mailsAtOnce,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
    dnsTimeout: 10_000,
  };
}

export interface EmailMessage {
  to: string;
  subject: string;
  html: string;
  text: string;
  /** Same key and address, same Message-ID: a mail that is sent again after a crash is known as the same. */
  key: string;
  /** What it is about, for mail filters. */
  type: NotificationType;
  /** Mails of one thread stand together: `incident.<id>`. */
  thread?: string;
  urgent: boolean;
}

/**
 * Mail by SMTP. `send` throws ApplicationFailures: MailRefused where the server will never take this mail to
 * this address (5xx), else MailUnavailable, which a retry may mend. `withinMs`: after that a mail is given up.
 */
export function createEmailChannel(deps: { transport: MailTransport; from: string; withinMs?: number }) {
  const withinMs = deps.withinMs ?? longestMs;
  const domain = /@([^\s@>]+)>?\s*$/.exec(deps.from)?.[1] ?? 'holdfast.localhost';
  return {
    async send(message: EmailMessage): Promise<{ response: string }> {
      try {
        const sent = await deps.transport.sendMail({
          from: deps.from,
          to: { name: '', address: message.to },
          subject: message.subject,
          html: message.html,
          text: message.text,
          messageId: messageId(message, domain),
          ...(message.thread !== undefined && {
            inReplyTo: `<${message.thread}@${domain}>`,
            references: `<${message.thread}@${domain}>`,
          }),
          ...(message.urgent && { priority: 'high' as const }),
          headers: {
            'List-Id': `Holdfast <holdfast.${domain}>`,
            'Auto-Submitted': 'auto-generated',
            'X-Auto-Response-Suppress': 'All',
            'X-Holdfast-Type': message.type,
          },
          disableFileAccess: true,
          disableUrlAccess: true,
          signal: AbortSignal.timeout(withinMs),
        });
        return { response: sent.response };
      } catch (error) {
        throw mailFailure(error, message.to);
      }
    },

    /** Connects and signs in, sends nothing. Throws as `send` does. */
    async probe(): Promise<{ response: string }> {
      try {
        await deps.transport.verify();
        return { response: 'the mail server accepts mail' };
      } catch (error) {
        throw mailFailure(error);
      }
    },

    /** What would be sent, as text. */
    preview(message: Pick<EmailMessage, 'subject' | 'text'>): string {
      return `Subject: ${message.subject}\n\n${message.text}`;
    },
  };
}

export function messageId(message: Pick<EmailMessage, 'key' | 'to'>, domain: string): string {
  const digest = createHash('sha256').update(`${message.key}\n${message.to.toLowerCase()}`).digest('hex');
  return `<${digest.slice(0, 40)}@${domain}>`;
}

function mailFailure(error: unknown, to?: string): ApplicationFailure {
  const cause = error instanceof Error ? error : new Error(String(error));
  const code =
    'responseCode' in cause && typeof cause.responseCode === 'number' ? cause.responseCode : undefined;
  const auth = 'code' in cause && cause.code === 'EAUTH';
  // without an answer of the server an envelope error is nodemailer's own: no address that one could send to
  const unsendable = 'code' in cause && cause.code === 'EENVELOPE' && code === undefined;
  const gaveUp = 'code' in cause && cause.code === 'EABORT';
  if (!auth && (unsendable || (code !== undefined && code >= 500))) {
    return ApplicationFailure.create({
      type: 'MailRefused',
      nonRetryable: true,
      message: `the mail server refuses mail${to === undefined ? '' : ` to ${to}`}: ${cause.message}. Check the address in the escalation policy or channel.`,
      cause,
    });
  }
  return ApplicationFailure.create({
    type: 'MailUnavailable',
    message: auth
      ? `the mail server refuses Holdfast's user name or password: ${cause.message}. Check SMTP_URL.`
      : `the mail server cannot be used now: ${gaveUp ? 'it answers too slowly' : cause.message}`,
    cause,
  });
}
