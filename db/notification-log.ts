import { sql } from 'kysely';
import type { NotificationCause, NotificationStatus, NotificationType } from '../domain/notification.ts';
import { publicDestination, withoutAddressesBut, withoutPrivateAddress } from '../domain/private-address.ts';
import type { SentMessage } from '../domain/why.ts';
import type { Page } from './cursor.ts';
import type { Tx } from './database.ts';
import { newestById } from './newest-page.ts';

/** A message as the log has it. */
export interface LoggedMessage {
  id: number;
  key: string;
  type: string;
  channel: string;
  destination: string;
  /** Whom it was to reach, by mail address; null: a channel. */
  person: string | null;
  subject: string;
  status: NotificationStatus;
  attempts: number;
  /** What went wrong, or why nothing was sent. */
  error: string | null;
  createdAt: Date;
  finishedAt: Date | null;
  /** From the moment at which it was due to the moment at which it was handed over; null: not measured. */
  latencyMs: number | null;
  /** Null: sent before causes were written down. */
  cause: NotificationCause | null;
  incident: { number: number; title: string } | null;
  execution: { id: string; runbook: string; workflowId: string } | null;
  /** The message that says it with others, where there were too many. */
  consolidatedInto: number | null;
  /** The first of the messages that say many in one, where it is a later one. */
  partOf: number | null;
}

export interface LogFilter {
  status?: readonly NotificationStatus[] | undefined;
  type?: readonly NotificationType[] | undefined;
  /** Mail address. */
  person?: string | undefined;
  destination?: string | undefined;
  /** Number. */
  incident?: number | undefined;
}

/** Who reads the log: addresses of other people that are no address to sign in with are shown to those who see all of it. */
export interface LogReader {
  /** Mail address. */
  email: string;
  seesAddresses: boolean;
}

/** The newest first. Throws InvalidCursorError. */
export async function listMessages(
  tx: Tx,
  reader: LogReader,
  filter: LogFilter & { cursor?: string | undefined; limit: number },
): Promise<Page<LoggedMessage>> {
  let query = messages(tx);
  if (filter.status) query = query.where('n.status', 'in', filter.status);
  if (filter.type) query = query.where('n.type', 'in', filter.type);
  if (filter.person !== undefined) query = query.where('n.person', '=', filter.person.toLowerCase());
  if (filter.destination !== undefined) {
    query = query.where('n.destination', '=', filter.destination);
    // who asks for an address must not learn whose it is
    if (!reader.seesAddresses) {
      query = query.where((eb) =>
        eb.or([
          eb('n.person', 'is', null),
          eb('n.person', '=', reader.email.toLowerCase()),
          eb('n.person', '=', sql<string>`lower(n.destination)`),
        ]),
      );
    }
  }
  if (filter.incident !== undefined) {
    const id = sql<string>`(select id from incidents where number = ${filter.incident})`;
    query = query.where('n.incident_id', '=', id);
  }
  const page = await newestById(query, 'n.id', filter);
  return { ...page, items: page.items.map((row) => asSeenBy(reader, present(row))) };
}

/** Undefined where there is none, or none that this scope sees. */
export async function getMessage(
  tx: Tx,
  reader: LogReader,
  by: { id: number } | { key: string },
): Promise<LoggedMessage | undefined> {
  const query =
    'id' in by ? messages(tx).where('n.id', '=', by.id) : messages(tx).where('n.key', '=', by.key);
  const row = await query.executeTakeFirst();
  return row && asSeenBy(reader, present(row));
}

function asSeenBy(reader: LogReader, message: LoggedMessage): LoggedMessage {
  if (seesAddressesOf(reader, message)) return message;
  return {
    ...message,
    destination: publicDestination(message),
    // of a message that stands for others it names where that goes
    key: withoutPrivateAddress(message.key, message),
    error: message.error === null ? null : withoutPrivateAddress(message.error, message),
    cause: causeSeenBy(reader, message, message.cause),
  };
}

/** Why a message was sent, as the log or the history of its workflow has it, for this reader. */
export function causeSeenBy(
  reader: LogReader,
  { person }: Pick<LoggedMessage, 'person'>,
  cause: NotificationCause | null,
): NotificationCause | null {
  if (cause === null || seesAddressesOf(reader, { person })) return cause;
  const { method, instead } = cause;
  return {
    ...cause,
    ...(method?.startsWith('email:') && { method: 'email' }),
    ...(instead !== undefined && { instead: withoutAddressesBut(person, instead) }),
  };
}

function seesAddressesOf(reader: LogReader, { person }: Pick<LoggedMessage, 'person'>): boolean {
  return reader.seesAddresses || person === null || person.toLowerCase() === reader.email.toLowerCase();
}

/** What is about an incident or a run of another team is not shown: its row is not seen, so the join finds nothing. */
function messages(tx: Tx) {
  return tx
    .selectFrom('notifications as n')
    .leftJoin('incidents as i', 'i.id', 'n.incident_id')
    .leftJoin('executions as e', 'e.id', 'n.execution_id')
    .where((eb) => eb.or([eb('n.incident_id', 'is', null), eb('i.id', 'is not', null)]))
    .where((eb) => eb.or([eb('n.execution_id', 'is', null), eb('e.id', 'is not', null)]))
    .where((eb) =>
      eb.or([
        eb('n.type', '!=', 'notifications.consolidated'),
        // it names what it is about, and is seen by whoever sees some of that
        // not by 'exists', for which PostgreSQL would read all messages beforehand
        sql<boolean>`(select true from notifications held left join incidents about on about.id = held.incident_id
          where held.consolidated_into = coalesce(n.part_of, n.id) and (held.incident_id is null or about.id is not null) limit 1)`,
      ]),
    )
    .select([
      'n.id',
      'n.key',
      'n.type',
      'n.channel',
      'n.destination',
      'n.person',
      'n.subject',
      'n.status',
      'n.attempts',
      'n.error',
      'n.created_at as createdAt',
      'n.finished_at as finishedAt',
      'n.latency_ms as latencyMs',
      'n.cause',
      'n.consolidated_into as consolidatedInto',
      'n.part_of as partOf',
      'i.number',
      'i.title',
      'e.id as executionId',
      'e.runbook',
      'e.workflow_id as workflowId',
    ]);
}

type Row = Omit<LoggedMessage, 'cause' | 'incident' | 'execution'> & {
  cause: NotificationCause | Record<string, never>;
  number: number | null;
  title: string | null;
  executionId: string | null;
  runbook: string | null;
  workflowId: string | null;
};

function present({ cause, number, title, executionId, runbook, workflowId, ...row }: Row): LoggedMessage {
  return {
    ...row,
    cause: isCause(cause) ? cause : null,
    incident: number === null ? null : { number, title: title ?? '' },
    execution:
      executionId === null ? null : { id: executionId, runbook: runbook ?? '', workflowId: workflowId ?? '' },
  };
}

function isCause(cause: NotificationCause | Record<string, never>): cause is NotificationCause {
  return cause.event !== undefined;
}

/** How messages went since `since`: counts by status, and by when half of those that were sent were handed over, and 95 %. */
export async function readDeliveryFigures(
  tx: Tx,
  since: Date,
): Promise<{ sent: number; failed: number; skipped: number; halfMs: number | null; mostMs: number | null }> {
  const { rows } = await sql<{
    sent: number;
    failed: number;
    skipped: number;
    half: number | null;
    most: number | null;
  }>`
    select (count(*) filter (where status = 'sent'))::int as sent,
      (count(*) filter (where status = 'failed'))::int as failed,
      (count(*) filter (where status = 'skipped'))::int as skipped,
      percentile_disc(0.5) within group (order by latency_ms) filter (where status = 'sent') as half,
      percentile_disc(0.95) within group (order by latency_ms) filter (where status = 'sent') as most
    from notifications where created_at >= ${since}`.execute(tx);
  const { sent = 0, failed = 0, skipped = 0, half = null, most = null } = rows[0] ?? {};
  return { sent, failed, skipped, halfMs: half, mostMs: most };
}

/** Which of the messages it is that say many in one; the last says in its key that all of it is over. */
function together({ type, key, partOf }: LoggedMessage): SentMessage['together'] {
  if (type !== 'notifications.consolidated') return null;
  if (partOf === null) return 'begins';
  return key.endsWith(':over') ? 'ends' : 'goes on';
}

/** What `why` explains. It was due as long before its end as its latency says, else when it was begun. */
export function sentMessage(message: LoggedMessage): SentMessage {
  const { createdAt, finishedAt, latencyMs } = message;
  const dueAt = finishedAt && latencyMs !== null ? finishedAt.getTime() - latencyMs : createdAt.getTime();
  return {
    type: message.type,
    status: message.status,
    error: message.error,
    destination: message.destination,
    person: message.person,
    dueAt,
    incidentNumber: message.incident?.number ?? null,
    runbook: message.execution?.runbook ?? null,
    cause: message.cause,
    together: together(message),
  };
}
